"""Announces running tasks to Cloud Map and to load balancers, and takes them back."""

import logging
from collections.abc import Iterator

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.elbv2.models import ELBv2Backend, elbv2_backends
from moto.servicediscovery.models import ServiceDiscoveryBackend, servicediscovery_backends

from localaws.ecs.backend import EcsBackend
from localaws.ecs.model import Document, Registration, Task

_log = logging.getLogger(__name__)


def register(backend: EcsBackend, task: Task, settings: Document) -> list[str]:
    """Announce a task wherever its service says; return the target groups it was added to.

    What is not there any more is passed over, with a line in the log: the task runs all the same, as in ECS.
    """
    for wanted in _wanted(settings):
        try:
            if wanted.kind == "cloudmap":
                attributes = _attributes(backend, task, wanted)
                _cloud_map(backend).register_instance(_identity(wanted), task.id, task.id, attributes)
                _tell_health(backend, task, wanted)
            else:
                _balancers(backend).register_targets(wanted.arn, [_target(task, wanted)])
        except (ServiceException, JsonRESTError) as error:
            _log.warning("Task %s of %s could not be registered with %s: %s", task.id, task.service, wanted.arn, error)
            continue
        task.registrations.append(wanted)
    return _target_groups(task)


def refresh(backend: EcsBackend, task: Task) -> None:
    """Pass the task's health on to Cloud Map."""
    for registration in task.registrations:
        if registration.kind == "cloudmap":
            _tell_health(backend, task, registration)


def deregister(backend: EcsBackend, task: Task) -> list[str]:
    """Take a task back from everywhere; return the target groups it was removed from."""
    groups = _target_groups(task)
    for registration in task.registrations:
        try:
            if registration.kind == "cloudmap":
                _cloud_map(backend).deregister_instance(_identity(registration), task.id)
            else:
                _balancers(backend).deregister_targets(registration.arn, [_target(task, registration)])
        except (ServiceException, JsonRESTError) as error:
            _log.info("Task %s was no longer registered with %s: %s", task.id, registration.arn, error)
    task.registrations = []
    return groups


def _wanted(settings: Document) -> Iterator[Registration]:
    for registry in settings.get("serviceRegistries", []):
        yield Registration("cloudmap", registry["registryArn"], registry.get("port") or registry.get("containerPort"))
    for balancer in settings.get("loadBalancers", []):
        yield Registration("target-group", balancer["targetGroupArn"], balancer["containerPort"])


def _attributes(backend: EcsBackend, task: Task, registration: Registration) -> dict[str, str]:
    """Return what ECS tells Cloud Map of a task (developer guide, "Service discovery")."""
    attributes = {
        "AWS_INSTANCE_IPV4": _address(task),
        "AWS_INIT_HEALTH_STATUS": _health(task),
        "AVAILABILITY_ZONE": task.attachment.zone if task.attachment else "",
        "ECS_CLUSTER_NAME": task.cluster,
        "ECS_SERVICE_NAME": task.service,
        "ECS_TASK_DEFINITION_FAMILY": task.definition["family"],
        "REGION": backend.region_name,
    }
    return attributes | ({"AWS_INSTANCE_PORT": str(registration.port)} if registration.port else {})


def _tell_health(backend: EcsBackend, task: Task, registration: Registration) -> None:
    instances = _cloud_map(backend).list_instances(_identity(registration))
    for instance in instances:
        if instance.instance_id == task.id:
            instance.health_status = _health(task)


def _health(task: Task) -> str:
    return "HEALTHY" if task.health == "HEALTHY" or not task.checked else "UNHEALTHY"


def _target_groups(task: Task) -> list[str]:
    return [registration.arn for registration in task.registrations if registration.kind == "target-group"]


def _target(task: Task, registration: Registration) -> Document:
    return {"Id": _address(task), "Port": registration.port}


def _address(task: Task) -> str:
    return task.attachment.address if task.attachment else ""


def _identity(registration: Registration) -> str:
    return registration.arn.rpartition("/")[2]


def _balancers(backend: EcsBackend) -> ELBv2Backend:
    return elbv2_backends[backend.account_id][backend.region_name]


def _cloud_map(backend: EcsBackend) -> ServiceDiscoveryBackend:
    return servicediscovery_backends[backend.account_id][backend.region_name]
