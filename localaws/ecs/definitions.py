"""The operations on task definitions."""

import copy
import time

from localaws.ecs import validation
from localaws.ecs.backend import EcsBackend
from localaws.ecs.errors import EcsError, client_error, invalid
from localaws.ecs.lookup import find_definition, is_active, last_part
from localaws.ecs.model import ENDED, Document
from localaws.ecs.paging import page

_ECHOED = (
    "cpu",
    "enableFaultInjection",
    "ephemeralStorage",
    "executionRoleArn",
    "family",
    "inferenceAccelerators",
    "ipcMode",
    "memory",
    "networkMode",
    "pidMode",
    "proxyConfiguration",
    "requiresCompatibilities",
    "runtimePlatform",
    "taskRoleArn",
)
_CONTAINER_DEFAULTS: Document = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}
_HEALTH_CHECK_DEFAULTS: Document = {"interval": 30, "timeout": 5, "retries": 3}


# Why a task definition can't be deleted or deregistered, in ECS's words.
_MISSING = "The specified task definition does not exist. Specify a valid account, family, revision and try again."
_INVALID = "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
_STILL_ACTIVE = "The specified task definition is still in ACTIVE status. Please deregister the target and try again."


def register_task_definition(backend: EcsBackend, params: Document) -> Document:
    """Answer RegisterTaskDefinition."""
    given = validation.checked(params)
    family = given["family"]
    revision = backend.last_revision.get(family, 0) + 1
    mode = given.get("networkMode", "bridge")
    document = {
        **{name: given[name] for name in _ECHOED if given.get(name) is not None},
        "taskDefinitionArn": backend.arn(f"task-definition/{family}:{revision}"),
        "revision": revision,
        "status": "ACTIVE",
        "networkMode": mode,
        "containerDefinitions": [_completed(container, mode) for container in given["containerDefinitions"]],
        "volumes": [_volume(volume) for volume in given.get("volumes", [])],
        "placementConstraints": given.get("placementConstraints", []),
        "compatibilities": ["EC2", "FARGATE"] if validation.fits_fargate(given) else ["EC2"],
        "registeredAt": time.time(),
        "registeredBy": backend.principal,
    }
    backend.last_revision[family] = revision
    backend.definitions.setdefault(family, {})[revision] = document
    backend.tags[document["taskDefinitionArn"]] = list(params.get("tags", []))
    return {"taskDefinition": document, "tags": list(params.get("tags", []))}


def describe_task_definition(backend: EcsBackend, params: Document) -> Document:
    """Answer DescribeTaskDefinition."""
    document = find_definition(backend, params["taskDefinition"])
    answer: Document = {"taskDefinition": document}
    if "TAGS" in params.get("include", []):
        answer["tags"] = list(backend.tags.get(document["taskDefinitionArn"], []))
    return answer


def deregister_task_definition(backend: EcsBackend, params: Document) -> Document:
    """Answer DeregisterTaskDefinition: it stays, for what runs from it and for whoever describes it."""
    called = last_part(params["taskDefinition"])
    if ":" not in called:
        message = "Revision is missing."
        raise client_error(message)
    if not called.rpartition(":")[2].isdecimal():
        message = f"Invalid revision number. Number: {called.rpartition(':')[2]}"
        raise invalid(message)
    document = _deregistrable(backend, called)
    if is_active(document):
        document |= {"status": "INACTIVE", "deregisteredAt": time.time()}
    return {"taskDefinition": document}


def delete_task_definitions(backend: EcsBackend, params: Document) -> Document:
    """Answer DeleteTaskDefinitions: each is gone at once, or as soon as nothing runs from it."""
    found, failures = [], []
    for called in params["taskDefinitions"]:
        if not called.rpartition(":")[2].isdecimal():
            failures.append({"arn": called, "reason": _INVALID})
            continue
        try:
            document = find_definition(backend, called)
        except EcsError:
            failures.append({"arn": called, "reason": _MISSING})
            continue
        if is_active(document):
            failures.append({"arn": called, "reason": _STILL_ACTIVE})
            continue
        document |= {"status": "DELETE_IN_PROGRESS", "deleteRequestedAt": time.time()}
        found.append(document)
    return {"taskDefinitions": found, "failures": failures}


def forget_deleted(backend: EcsBackend) -> None:
    """Forget the task definitions whose deletion was asked for and that nothing runs from any more."""
    used = {id(task.definition) for task in backend.tasks_by_id.values() if task.status != ENDED}
    for service in backend.services_by_name.values():
        used |= {id(deployment.definition) for deployment in service.deployments}
    for family, revisions in backend.definitions.items():
        gone = [
            number
            for number, document in revisions.items()
            if document["status"] == "DELETE_IN_PROGRESS" and id(document) not in used
        ]
        for number in gone:
            del revisions[number]
            backend.tags.pop(backend.arn(f"task-definition/{family}:{number}"), None)


def list_task_definitions(backend: EcsBackend, params: Document) -> Document:
    """Answer ListTaskDefinitions: by family and revision."""
    status = params.get("status", "ACTIVE")
    family = params.get("familyPrefix")  # the whole name, whatever the parameter is called
    found = [
        document["taskDefinitionArn"]
        for name, revisions in sorted(backend.definitions.items())
        if family in (None, name)
        for _, document in sorted(revisions.items())
        if document["status"] == status
    ]
    return page(params, "taskDefinitionArns", found[::-1] if params.get("sort") == "DESC" else found)


def list_task_definition_families(backend: EcsBackend, params: Document) -> Document:
    """Answer ListTaskDefinitionFamilies: a family is active as long as one of its revisions is."""
    status = params.get("status", "ALL")
    found = [
        family
        for family, revisions in sorted(backend.definitions.items())
        if family.startswith(params.get("familyPrefix", ""))
        and (status == "ALL" or any(map(is_active, revisions.values())) == (status == "ACTIVE"))
    ]
    return page(params, "families", found)


def _deregistrable(backend: EcsBackend, called: str) -> Document:
    try:
        return find_definition(backend, called)
    except EcsError:
        raise client_error(_MISSING) from None


def _volume(given: Document) -> Document:
    """Return a volume with what was not said filled in."""
    if efs := given.get("efsVolumeConfiguration"):
        return given | {"efsVolumeConfiguration": {"rootDirectory": "/", **efs}}
    return given if len(given) > 1 else given | {"host": {}}


def _completed(container: Document, mode: str) -> Document:
    """Return a container definition as ECS echoes it, what was not said filled in."""
    document = copy.deepcopy(_CONTAINER_DEFAULTS) | container
    for mapping in document["portMappings"]:
        mapping.setdefault("protocol", "tcp")
        if "containerPort" in mapping:
            mapping.setdefault("hostPort", mapping["containerPort"] if mode in ("awsvpc", "host") else 0)
    if "healthCheck" in document:
        document["healthCheck"] = _HEALTH_CHECK_DEFAULTS | document["healthCheck"]
    return document
