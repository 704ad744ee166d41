"""Tags of groups and sampling rules."""

from collections.abc import Iterable, Mapping

from localaws.xray.errors import XRayError
from localaws.xray.store import Reading, Writing

_KIND = "tags"
_MOST = 50


def tags(reading: Reading, scope: str, arn: str) -> dict[str, str]:
    """Return the tags of a resource."""
    found: dict[str, str] = reading.records(scope, _KIND).get(arn, {})
    return found


def put(writing: Writing, scope: str, arn: str, given: Iterable[Mapping[str, str]]) -> None:
    """Add tags to a resource, in place of those of the same keys.

    Raises:
        XRayError: it would have too many.

    """
    all_tags = tags(writing, scope, arn) | {tag["Key"]: tag["Value"] for tag in given}
    if len(all_tags) > _MOST:
        raise XRayError("TooManyTagsException", f"A resource can have {_MOST} tags, not {len(all_tags)}.")
    writing.record(scope, _KIND, arn, all_tags)


def drop(writing: Writing, scope: str, arn: str, keys: Iterable[str]) -> None:
    """Take tags from a resource."""
    gone = set(keys)
    left = {key: value for key, value in tags(writing, scope, arn).items() if key not in gone}
    writing.record(scope, _KIND, arn, left)


def forget(writing: Writing, scope: str, arn: str) -> None:
    """Drop all tags of a resource that is no more."""
    writing.forget(scope, _KIND, arn)
