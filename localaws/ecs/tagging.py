"""TagResource, UntagResource, ListTagsForResource. Every answer is a copy: concurrent calls never see each other's."""

from localaws.ecs.backend import EcsBackend
from localaws.ecs.errors import EcsError, cluster_not_found, invalid, service_not_found
from localaws.ecs.lookup import find_definition
from localaws.ecs.model import Document

_MOST_TAGS = 50  # of one resource


def list_tags_for_resource(backend: EcsBackend, params: Document) -> Document:
    """Answer ListTagsForResource."""
    _check(backend, params["resourceArn"])
    return {"tags": _tags(backend, params["resourceArn"])}


def tag_resource(backend: EcsBackend, params: Document) -> Document:
    """Answer TagResource: a key that is there gets the new value."""
    arn = params["resourceArn"]
    _check(backend, arn)
    tags = {tag["key"]: tag for tag in [*_tags(backend, arn), *params["tags"]]}
    if len(tags) > _MOST_TAGS:
        message = f"Tags can not be more than {_MOST_TAGS}."
        raise invalid(message)
    _keep(backend, arn, list(tags.values()))
    return {}


def untag_resource(backend: EcsBackend, params: Document) -> Document:
    """Answer UntagResource."""
    arn = params["resourceArn"]
    _check(backend, arn)
    _keep(backend, arn, [tag for tag in _tags(backend, arn) if tag["key"] not in params["tagKeys"]])
    return {}


def _tags(backend: EcsBackend, arn: str) -> list[dict[str, str]]:
    provider = backend.capacity_providers.get(_provider(arn))
    return list((provider.tags or []) if provider else backend.tags.get(arn, []))


def _keep(backend: EcsBackend, arn: str, tags: list[dict[str, str]]) -> None:
    if provider := backend.capacity_providers.get(_provider(arn)):
        provider.tags = tags  # moto keeps the providers, tags included
    else:
        backend.tags[arn] = tags


def _provider(arn: str) -> str:
    """Return the name in the ARN of a capacity provider, "" in any other."""
    return arn.partition(":capacity-provider/")[2]


def _check(backend: EcsBackend, arn: str) -> None:
    """Refuse the ARN of what is not there.

    Raises:
        EcsError: with the code that ECS has for each kind.

    """
    kind, _, name = arn.rpartition(":ecs:")[2].partition(":")[2].partition(":")[2].partition("/")
    match kind:
        case "cluster":
            found, error = name in backend.clusters, cluster_not_found()
        case "service":
            cluster, _, service = name.partition("/")
            found, error = (cluster, service) in backend.services_by_name, service_not_found()
        case "task":
            error = invalid("The specified task was not found. Specify a valid task and try again.")
            found = name.rpartition("/")[2] in backend.tasks_by_id
        case "task-definition":
            error = invalid("The specified task definition was not found. Specify a valid one and try again.")
            found = _is_definition(backend, name)
        case "capacity-provider":
            error = invalid("The specified capacity provider was not found. Specify a valid one and try again.")
            found = name in backend.capacity_providers
        case _:
            found, error = False, invalid(f"Invalid ARN: {arn} is no cluster, service, task or task definition.")
    if not found:
        raise error


def _is_definition(backend: EcsBackend, name: str) -> bool:
    try:
        find_definition(backend, name)
    except EcsError:
        return False
    return ":" in name
