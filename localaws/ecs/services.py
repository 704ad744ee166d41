"""The operations on services."""

import re
import time
from typing import Any

from localaws.ecs import deployments, launch, settings
from localaws.ecs.backend import EcsBackend
from localaws.ecs.errors import invalid, service_not_active, service_not_found
from localaws.ecs.lookup import find_cluster, find_service, last_part, usable_definition
from localaws.ecs.model import STARTING, Deployment, Document, Service, Task
from localaws.ecs.paging import page

_MOST_DESCRIBED = 10  # services in one call
_ROLE = "arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"


def create_service(backend: EcsBackend, params: Document) -> Document:
    """Answer CreateService."""
    cluster = find_cluster(backend, params.get("cluster"), active=True)
    name = params["serviceName"]
    if not re.fullmatch(r"[\w-]{1,255}", name, re.ASCII):
        message = "Invalid identifier: a service's name has up to 255 letters, digits, underscores and hyphens."
        raise invalid(message)
    existing = backend.services_by_name.get((cluster.name, name))
    if existing and existing.status == "DRAINING":
        message = "Unable to Start a service that is still Draining."
        raise invalid(message)
    if existing and existing.status == "ACTIVE":
        message = "Creation of service was not idempotent."
        raise invalid(message)
    if not params.get("taskDefinition"):
        message = "TaskDefinition can not be blank."
        raise invalid(message)
    definition = usable_definition(backend, params["taskDefinition"])
    service = Service(
        name=name,
        arn=backend.arn(f"service/{cluster.name}/{name}"),
        cluster=cluster.name,
        settings=settings.created(backend, params, definition, cluster.default_capacity_provider_strategy or []),
        desired=_desired(params.get("desiredCount", 0)),
        created=time.time(),
    )
    if params.get("role"):
        service.settings["roleArn"] = params["role"]
    deployments.begin(service, definition)
    backend.services_by_name[cluster.name, name] = service
    backend.tags[service.arn] = list(params.get("tags", []))
    return {"service": describe(backend, service, tags=True)}


def update_service(backend: EcsBackend, params: Document) -> Document:
    """Answer UpdateService; a deployment begins only where something changes that tasks are made from, or by force."""
    service = find_service(backend, params.get("cluster"), params["service"])
    if service.status != "ACTIVE":
        raise service_not_active()
    definition = service.primary.definition
    if params.get("taskDefinition"):
        definition = usable_definition(backend, params["taskDefinition"])
    old = service.settings
    service.settings = settings.updated(backend, old, params, definition)
    if params.get("desiredCount") is not None:
        service.desired = _desired(params["desiredCount"])
    changed = any(old.get(name) != service.settings.get(name) for name in deployments.TASK_SETTINGS)
    if changed or definition is not service.primary.definition or params.get("forceNewDeployment"):
        deployments.begin(service, definition)
    return {"service": describe(backend, service, tags=True)}


def delete_service(backend: EcsBackend, params: Document) -> Document:
    """Answer DeleteService; the service drains, then is INACTIVE."""
    service = find_service(backend, params.get("cluster"), params["service"])
    if service.status == "INACTIVE":
        raise service_not_found()
    if service.desired > 0 and not params.get("force"):
        message = "The service cannot be stopped while it is scaled above 0."
        raise invalid(message)
    service.status, service.desired = "DRAINING", 0
    return {"service": describe(backend, service, tags=True)}


def list_services(backend: EcsBackend, params: Document) -> Document:
    """Answer ListServices: the active ones."""
    cluster = find_cluster(backend, params.get("cluster"))
    wanted = {name: params[name] for name in ("launchType", "schedulingStrategy") if params.get(name)}
    found = [
        service.arn
        for service in backend.services_by_name.values()
        if service.cluster == cluster.name
        and service.status == "ACTIVE"
        and all(service.settings.get(name) == value for name, value in wanted.items())
    ]
    return page(params, "serviceArns", found, default=10)


def describe_services(backend: EcsBackend, params: Document) -> Document:
    """Answer DescribeServices."""
    cluster = find_cluster(backend, params.get("cluster"))
    called = params.get("services") or []
    if not called:
        message = "Services cannot be empty."
        raise invalid(message)
    if len(called) > _MOST_DESCRIBED:
        message = f"Services cannot have more than {_MOST_DESCRIBED} elements."
        raise invalid(message)
    found, failures = [], []
    for name in called:
        service = backend.services_by_name.get((cluster.name, last_part(name)))
        if service:
            found.append(describe(backend, service, tags="TAGS" in params.get("include", [])))
        else:
            arn = name if name.startswith("arn:") else backend.arn(f"service/{cluster.name}/{name}")
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"services": found, "failures": failures}


def describe(backend: EcsBackend, service: Service, *, tags: bool) -> Document:
    """Return a service in the API's shape."""
    tasks = backend.tasks_of(service)
    document: dict[str, Any] = {
        "roleArn": _ROLE.format(backend.account_id),
        **service.settings,
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": backend.clusters[service.cluster].arn,
        "status": service.status,
        "desiredCount": service.desired,
        **_counts(tasks),
        "taskDefinition": service.history[0].definition["taskDefinitionArn"],
        "deployments": [_deployment(service, deployment, tasks) for deployment in service.deployments],
        "events": list(service.events),
        "createdAt": service.created,
        "createdBy": backend.principal,
        "tags": list(backend.tags.get(service.arn, [])) if tags else None,
    }
    if service.deployments:
        primary = service.primary
        document["taskDefinition"] = primary.definition["taskDefinitionArn"]
        if primary.rollout == "IN_PROGRESS":
            document["currentServiceDeployment"] = deployments.deployment_arn(backend, service, primary)
        document["currentServiceRevisions"] = [
            {
                "arn": deployments.revision_arn(backend, service, deployment),
                "requestedTaskCount": service.desired if deployment is primary else 0,
                "runningTaskCount": _counts(_tasks_of(deployment, tasks))["runningCount"],
                "pendingTaskCount": _counts(_tasks_of(deployment, tasks))["pendingCount"],
            }
            for deployment in service.deployments
        ]
    return document


def _deployment(service: Service, deployment: Deployment, tasks: list[Task]) -> Document:
    own = _tasks_of(deployment, tasks)
    platform = {"platformVersion": launch.PLATFORM_VERSION} if launch.can_run(deployment.settings) else {}
    return {
        **deployment.settings,
        **platform,
        "id": deployment.id,
        "status": deployment.status,
        "taskDefinition": deployment.definition["taskDefinitionArn"],
        "desiredCount": service.desired if deployment is service.primary else sum(task.live for task in own),
        **_counts(own),
        "failedTasks": deployment.failures,
        "createdAt": deployment.created,
        "updatedAt": deployment.updated,
        "rolloutState": deployment.rollout,
        "rolloutStateReason": deployment.reason,
    }


def _tasks_of(deployment: Deployment, tasks: list[Task]) -> list[Task]:
    return [task for task in tasks if task.started_by == deployment.id]


def _counts(tasks: list[Task]) -> Document:
    return {
        "runningCount": sum(task.status == "RUNNING" for task in tasks),
        "pendingCount": sum(task.status in STARTING and task.live for task in tasks),
    }


def _desired(count: int) -> int:
    if count < 0:
        message = "Desired count must be 0 or more."
        raise invalid(message)
    return count
