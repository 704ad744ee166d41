"""The operations on tasks: RunTask, StopTask, ListTasks, DescribeTasks."""

import time
import zlib

from localaws.ecs import launch, network
from localaws.ecs.backend import EcsBackend
from localaws.ecs.errors import invalid
from localaws.ecs.lookup import find_cluster, find_service, last_part, usable_definition
from localaws.ecs.model import ENDED, Attachment, Container, Document, Task
from localaws.ecs.paging import page

_MOST_AT_ONCE = 10  # tasks of one RunTask call


def run_task(backend: EcsBackend, params: Document) -> Document:
    """Answer RunTask."""
    cluster = find_cluster(backend, params.get("cluster"), active=True)
    definition = usable_definition(backend, params["taskDefinition"])
    count = params.get("count", 1)
    if not 1 <= count <= _MOST_AT_ONCE:
        message = f"Count must be between 1 and {_MOST_AT_ONCE}."
        raise invalid(message)
    if cluster.default_capacity_provider_strategy and not params.get("launchType"):
        params = {"capacityProviderStrategy": cluster.default_capacity_provider_strategy} | params
    launch.check(definition, params)
    if not launch.can_run(params):
        message = "No Container Instances were found in your cluster."
        raise invalid(message)
    network.check(backend, params["networkConfiguration"]["awsvpcConfiguration"])
    known = {container["name"] for container in definition["containerDefinitions"]}
    for override in params.get("overrides", {}).get("containerOverrides", []):
        if override.get("name") not in known:
            message = f"Override for container named {override.get('name')} is not a container in the TaskDefinition."
            raise invalid(message)
    tasks = [launch.for_run_task(backend, cluster.name, definition, params, time.time()) for _ in range(count)]
    return {"tasks": [describe(backend, task, tags=True) for task in tasks], "failures": []}


def stop_task(backend: EcsBackend, params: Document) -> Document:
    """Answer StopTask; a task that is stopping or has stopped stays as it is."""
    cluster = find_cluster(backend, params.get("cluster"))
    task = backend.tasks_by_id.get(last_part(params["task"]))
    if task is None or task.cluster != cluster.name:
        message = "The referenced task was not found."
        raise invalid(message)
    task.end("UserInitiated", params.get("reason") or "Task stopped by user", time.time())
    return {"task": describe(backend, task, tags=True)}


def list_tasks(backend: EcsBackend, params: Document) -> Document:
    """Answer ListTasks: of all tasks that were not asked to stop, or of those that were."""
    cluster = find_cluster(backend, params.get("cluster"))
    desired = params.get("desiredStatus", "RUNNING")
    if desired not in ("RUNNING", "STOPPED", "PENDING"):
        message = "desiredStatus should be one of [RUNNING,PENDING,STOPPED]"
        raise invalid(message)
    service = params.get("serviceName")
    name = find_service(backend, cluster.name, service).name if service else None
    wanted = {
        "family": params.get("family"),
        "service": name,
        "startedBy": params.get("startedBy"),
        "launchType": params.get("launchType"),
        "containerInstance": params.get("containerInstance"),
    }
    found = [
        task.arn
        for task in backend.tasks_by_id.values()
        if task.cluster == cluster.name
        and task.desired == desired
        and all(value is None or value == _facts(task)[key] for key, value in wanted.items())
    ]
    return page(params, "taskArns", found)


def describe_tasks(backend: EcsBackend, params: Document) -> Document:
    """Answer DescribeTasks."""
    cluster = find_cluster(backend, params.get("cluster"))
    if not params.get("tasks"):
        message = "Tasks cannot be empty."
        raise invalid(message)
    found, failures = [], []
    for called in params["tasks"]:
        task = backend.tasks_by_id.get(last_part(called))
        if task and task.cluster == cluster.name:
            found.append(describe(backend, task, tags="TAGS" in params.get("include", [])))
        else:
            arn = called if called.startswith("arn:") else backend.arn(f"task/{cluster.name}/{called}")
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"tasks": found, "failures": failures}


def describe(backend: EcsBackend, task: Task, *, tags: bool) -> Document:
    """Return a task in the API's shape."""
    definition = task.definition
    return {
        **task.launch,
        "attachments": [_attachment(task, task.attachment)] if task.attachment else [],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "availabilityZone": task.attachment.zone if task.attachment else None,
        "clusterArn": backend.clusters[task.cluster].arn,
        "connectivity": "CONNECTED" if task.pulled else None,
        "connectivityAt": task.pulled,
        "containers": [_container(task, container) for container in task.containers],
        "cpu": task.overrides.get("cpu") or definition.get("cpu"),
        "memory": task.overrides.get("memory") or definition.get("memory"),
        "createdAt": task.created,
        "desiredStatus": task.desired,
        "ephemeralStorage": definition.get("ephemeralStorage", {"sizeInGiB": 20}),
        "group": task.group,
        "healthStatus": task.health,
        "lastStatus": task.status,
        "overrides": {"containerOverrides": [{"name": item.name} for item in task.containers], **task.overrides},
        "platformVersion": launch.PLATFORM_VERSION,
        "platformFamily": launch.PLATFORM_FAMILY,
        "pullStartedAt": task.pulled,
        "pullStoppedAt": task.pulled,
        "startedAt": task.started,
        "startedBy": task.started_by or None,
        "stopCode": task.stop_code or None,
        "stoppedReason": task.stopped_reason or None,
        "stoppingAt": task.stopping,
        "executionStoppedAt": task.stopped,
        "stoppedAt": task.stopped,
        "tags": list(backend.tags.get(task.arn, [])) if tags else [],
        "taskArn": task.arn,
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "version": task.version,
    }


def _facts(task: Task) -> dict[str, str | None]:
    return {
        "family": task.definition["family"],
        "service": task.service,
        "startedBy": task.started_by,
        "launchType": task.launch["launchType"],
        "containerInstance": None,
    }


def _attachment(task: Task, attachment: Attachment) -> Document:
    details = {
        "subnetId": attachment.subnet,
        "networkInterfaceId": attachment.interface,
        "macAddress": attachment.mac,
        "privateDnsName": attachment.dns_name,
        "privateIPv4Address": attachment.address,
    }
    return {
        "id": attachment.id,
        "type": "ElasticNetworkInterface",
        "status": "DELETED" if task.status == ENDED else "ATTACHED",
        "details": [{"name": name, "value": value} for name, value in details.items() if value],
    }


def _container(task: Task, container: Container) -> Document:
    spec = container.spec
    attachment = task.attachment
    interface = {"attachmentId": attachment.id, "privateIpv4Address": attachment.address} if attachment else None
    return {
        "containerArn": container.arn,
        "taskArn": task.arn,
        "name": container.name,
        "image": spec["image"],
        "runtimeId": f"{task.id}-{zlib.crc32(container.arn.encode()):010d}" if container.start_asked else None,
        "lastStatus": container.status,
        "exitCode": container.exit_code,
        "reason": container.reason or None,
        "networkBindings": [],
        "networkInterfaces": [interface] if interface else [],
        "healthStatus": container.health,
        "cpu": str(spec.get("cpu", 0)),
        "memory": str(spec["memory"]) if "memory" in spec else None,
        "memoryReservation": str(spec["memoryReservation"]) if "memoryReservation" in spec else None,
    }
