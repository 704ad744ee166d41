"""One page of a listing, as ECS's list operations give it."""

from collections.abc import Sequence

from localaws.ecs.errors import invalid
from localaws.ecs.model import Document


def page(params: Document, key: str, items: Sequence[object], default: int = 100) -> Document:
    """Return the page that `maxResults` and `nextToken` ask for, under `key`; the token is a position.

    Raises:
        EcsError: the token is none of ours.

    """
    token = params.get("nextToken") or "0"
    if not token.isdecimal():
        message = "Invalid token."
        raise invalid(message)
    start = int(token)
    end = start + (params.get("maxResults") or default)
    answer: Document = {key: list(items[start:end])}
    if end < len(items):
        answer["nextToken"] = str(end)
    return answer
