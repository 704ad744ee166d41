"""Makes tasks: for RunTask and for services."""

import copy
import uuid

from localaws.ecs.backend import EcsBackend
from localaws.ecs.errors import client_error, invalid
from localaws.ecs.model import Container, Document, Service, Task

FARGATE = ("FARGATE", "FARGATE_SPOT")  # capacity providers that every account has
LAUNCH_TYPES = ("EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES")
# What "LATEST" means for Linux on Fargate.
PLATFORM_VERSION, PLATFORM_FAMILY = "1.4.0", "Linux"


def can_run(settings: Document) -> bool:
    """Return whether there is anything to run on: Fargate has no end, container instances there are none."""
    strategy = settings.get("capacityProviderStrategy")
    return strategy[0]["capacityProvider"] in FARGATE if strategy else settings.get("launchType") == "FARGATE"


def check(definition: Document, settings: Document) -> None:
    """Refuse a launch type or network that does not go with a task definition.

    Raises:
        EcsError: with ECS's words.

    """
    if settings.get("launchType", LAUNCH_TYPES[0]) not in LAUNCH_TYPES:
        message = f"launch type should be one of [{','.join(LAUNCH_TYPES)}]"
        raise client_error(message)
    if settings.get("launchType") and settings.get("capacityProviderStrategy"):
        message = "Specify either Launch Type or Capacity Provider Strategy, but not both."
        raise invalid(message)
    if can_run(settings) and "FARGATE" not in definition["compatibilities"]:
        message = "Task definition does not support launch_type FARGATE."
        raise invalid(message)
    if definition["networkMode"] == "awsvpc" and not settings.get("networkConfiguration"):
        message = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        raise invalid(message)
    if definition["networkMode"] != "awsvpc" and settings.get("networkConfiguration"):
        message = "Network Configuration is not valid for the given networkMode of this task definition."
        raise invalid(message)


def for_service(backend: EcsBackend, service: Service, count: int, now: float) -> list[Task]:
    """Start tasks of a service's PRIMARY deployment."""
    deployment = service.primary
    tasks = [
        make(backend, service.cluster, deployment.definition, deployment.settings | _options(service), now)
        for _ in range(count)
    ]
    for task in tasks:
        task.service, task.group, task.started_by = service.name, f"service:{service.name}", deployment.id
        _tag(backend, task, service.settings, backend.tags.get(service.arn, []))
    return tasks


def for_run_task(backend: EcsBackend, cluster: str, definition: Document, params: Document, now: float) -> Task:
    """Start one task as RunTask's parameters say."""
    task = make(backend, cluster, definition, params, now)
    task.group = params.get("group") or f"family:{definition['family']}"
    task.started_by = params.get("startedBy", "")
    _tag(backend, task, params, [])
    backend.tags[task.arn] = [*backend.tags.get(task.arn, []), *params.get("tags", [])]
    return task


def make(backend: EcsBackend, cluster: str, definition: Document, settings: Document, now: float) -> Task:
    """Make a task, not yet provisioned, and keep it."""
    identity = uuid.uuid4().hex
    overrides = settings.get("overrides", {})
    arn = f"container/{cluster}/{identity}"
    strategy = settings.get("capacityProviderStrategy")
    task = Task(
        id=identity,
        arn=backend.arn(f"task/{cluster}/{identity}"),
        cluster=cluster,
        definition=definition,
        group="",
        started_by="",
        launch={
            "launchType": settings.get("launchType", "FARGATE"),
            "capacityProviderName": strategy[0]["capacityProvider"] if strategy else None,
            "enableExecuteCommand": settings.get("enableExecuteCommand", False),
        },
        network=settings.get("networkConfiguration", {}).get("awsvpcConfiguration", {}),
        overrides=overrides,
        containers=[
            Container(backend.arn(f"{arn}/{uuid.uuid4()}"), _overridden(spec, overrides))
            for spec in definition["containerDefinitions"]
        ],
        created=now,
    )
    backend.tasks_by_id[task.id] = task
    return task


def _overridden(spec: Document, overrides: Document) -> Document:
    """Return a container definition with what RunTask says differently; variables replace those of the same name."""
    by_name: dict[str, Document] = {item["name"]: item for item in overrides.get("containerOverrides", [])}
    given = by_name.get(spec["name"], {})
    variables = {entry["name"]: entry for entry in [*spec["environment"], *given.get("environment", [])]}
    return copy.deepcopy(spec) | given | {"environment": list(variables.values())}


def _options(service: Service) -> Document:
    return {"enableExecuteCommand": service.settings["enableExecuteCommand"]}


def _tag(backend: EcsBackend, task: Task, settings: Document, service_tags: list[dict[str, str]]) -> None:
    """Give a task the tags that it inherits, and those of ECS's own where they are asked for."""
    tags: list[dict[str, str]] = []
    if settings.get("enableECSManagedTags"):
        tags.append({"key": "aws:ecs:clusterName", "value": task.cluster})
        if task.service:
            tags.append({"key": "aws:ecs:serviceName", "value": task.service})
    match settings.get("propagateTags"):
        case "SERVICE":
            tags += service_tags
        case "TASK_DEFINITION":
            tags += backend.tags.get(task.definition["taskDefinitionArn"], [])
    backend.tags[task.arn] = tags
