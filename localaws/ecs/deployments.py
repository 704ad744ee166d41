"""How deployments begin, complete and fail, and the operations that show them: service deployments and revisions."""

import random
import time

from localaws.ecs.backend import EcsBackend
from localaws.ecs.events import note
from localaws.ecs.lookup import find_service
from localaws.ecs.model import Deployment, Document, Service
from localaws.ecs.paging import page
from localaws.ecs.rollout import failure_threshold

# The settings that tasks are made from: a change of one of them takes a deployment.
TASK_SETTINGS = (
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
)
_MOST_KEPT = 20  # of a service's past deployments


def begin(service: Service, definition: Document) -> None:
    """Make a new PRIMARY deployment of a task definition with the service's settings; what was there becomes ACTIVE."""
    now = time.time()
    for other in service.deployments:
        other.status = "ACTIVE"
        if other.outcome == "IN_PROGRESS":
            other.outcome, other.finished = "STOPPED", now
    if service.rolled_back:
        service.rolled_back.outcome, service.rolled_back.finished = "STOPPED", now
    deployment = Deployment(
        number=str(random.randint(10**18, 10**19 - 1)),  # noqa: S311 - an id, no secret
        definition=definition,
        settings={name: service.settings[name] for name in TASK_SETTINGS if name in service.settings},
        created=now,
        updated=now,
    )
    deployment.reason = f"ECS deployment {deployment.id} in progress."
    service.deployments = [deployment, *service.deployments]
    service.history = [deployment, *service.history[: _MOST_KEPT - 1]]
    service.steady, service.rolled_back = False, None


def complete(service: Service, now: float) -> None:
    """Mark the PRIMARY deployment as completed: its tasks are all there, and nobody else's."""
    deployment = service.primary
    deployment.rollout, deployment.outcome, deployment.updated = "COMPLETED", "SUCCESSFUL", now
    deployment.finished = deployment.finished or now
    deployment.reason = f"ECS deployment {deployment.id} completed."
    service.last_good = deployment
    if service.rolled_back:
        service.rolled_back.outcome, service.rolled_back.finished = "ROLLBACK_SUCCESSFUL", now
        service.rolled_back = None
    note(service, f"(deployment {deployment.id}) deployment completed.")


def fail(service: Service, now: float, *, rollback: bool) -> None:
    """Mark the PRIMARY deployment as failed; with `rollback` the last that completed, if any, becomes PRIMARY again."""
    failed, good = service.primary, service.last_good
    failed.rollout, failed.updated, failed.finished = "FAILED", now, now
    failed.most_failures = failed.failures
    failed.reason = "ECS deployment circuit breaker: tasks failed to start."
    failed.outcome = "STOPPED"
    note(service, f"(deployment {failed.id}) deployment failed: tasks failed to start.")
    if not rollback or good is None:
        return
    failed.status, failed.outcome = "ACTIVE", "ROLLBACK_IN_PROGRESS"
    good.status, good.rollout, good.updated, good.failures, good.retry_at = "PRIMARY", "IN_PROGRESS", now, 0, 0.0
    good.reason = f"ECS deployment circuit breaker: rolling back to deploymentId {good.id}."
    service.deployments = [good, *(other for other in service.deployments if other is not good)]
    service.settings = service.settings | good.settings
    service.rolled_back = failed
    note(service, f"rolling back to deployment {good.id}.")


def deployment_arn(backend: EcsBackend, service: Service, deployment: Deployment) -> str:
    """Return the ARN of a deployment as a service deployment."""
    return backend.arn(f"service-deployment/{service.cluster}/{service.name}/{deployment.number}")


def revision_arn(backend: EcsBackend, service: Service, deployment: Deployment) -> str:
    """Return the ARN of the service revision that a deployment brings about."""
    return backend.arn(f"service-revision/{service.cluster}/{service.name}/{deployment.number}")


def list_service_deployments(backend: EcsBackend, params: Document) -> Document:
    """Answer ListServiceDeployments: newest first."""
    service = find_service(backend, params.get("cluster"), params["service"])
    wanted = params.get("status")
    created = params.get("createdAt", {})
    briefs = [
        {
            **_common(backend, service, deployment),
            "targetServiceRevisionArn": revision_arn(backend, service, deployment),
        }
        for deployment in service.history
        if (not wanted or deployment.outcome in wanted)
        and _seconds(created.get("after"), 0.0) <= deployment.created <= _seconds(created.get("before"), float("inf"))
    ]
    return page(params, "serviceDeployments", briefs, default=20)


def describe_service_deployments(backend: EcsBackend, params: Document) -> Document:
    """Answer DescribeServiceDeployments."""
    found, failures = [], []
    for arn in params["serviceDeploymentArns"]:
        service, deployment = _find(backend, arn)
        if service is None or deployment is None:
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        breaker = service.settings["deploymentConfiguration"]["deploymentCircuitBreaker"]
        triggered = deployment.rollout == "FAILED"
        watching = "MONITORING" if deployment.rollout == "IN_PROGRESS" else "MONITORING_COMPLETE"
        document = {
            **_common(backend, service, deployment),
            "updatedAt": deployment.updated,
            "targetServiceRevision": {
                "arn": revision_arn(backend, service, deployment),
                "requestedTaskCount": service.desired,
                **_counts(backend, service, deployment),
            },
            "deploymentConfiguration": service.settings["deploymentConfiguration"],
            "deploymentCircuitBreaker": {
                "status": ("TRIGGERED" if triggered else watching) if breaker["enable"] else "DISABLED",
                "failureCount": deployment.most_failures if triggered else deployment.failures,
                "threshold": failure_threshold(service.desired),
            },
        }
        if deployment.outcome.startswith("ROLLBACK") and service.last_good:
            document["rollback"] = {
                "reason": deployment.reason,
                "startedAt": deployment.updated,
                "serviceRevisionArn": revision_arn(backend, service, service.last_good),
            }
        found.append(document)
    return {"serviceDeployments": found, "failures": failures}


def describe_service_revisions(backend: EcsBackend, params: Document) -> Document:
    """Answer DescribeServiceRevisions."""
    found, failures = [], []
    for arn in params["serviceRevisionArns"]:
        service, deployment = _find(backend, arn)
        if service is None or deployment is None:
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        found.append(
            {
                **deployment.settings,
                "serviceRevisionArn": arn,
                "serviceArn": service.arn,
                "clusterArn": backend.clusters[service.cluster].arn,
                "taskDefinition": deployment.definition["taskDefinitionArn"],
                "containerImages": [
                    {"containerName": container["name"], "image": container["image"]}
                    for container in deployment.definition["containerDefinitions"]
                ],
                "createdAt": deployment.created,
            }
        )
    return {"serviceRevisions": found, "failures": failures}


def _common(backend: EcsBackend, service: Service, deployment: Deployment) -> Document:
    return {
        "serviceDeploymentArn": deployment_arn(backend, service, deployment),
        "serviceArn": service.arn,
        "clusterArn": backend.clusters[service.cluster].arn,
        "createdAt": deployment.created,
        "startedAt": deployment.created,
        "finishedAt": deployment.finished,
        "status": deployment.outcome,
        "statusReason": deployment.reason,
    }


def _counts(backend: EcsBackend, service: Service, deployment: Deployment) -> Document:
    tasks = [task for task in backend.tasks_of(service) if task.started_by == deployment.id]
    running = sum(task.status == "RUNNING" for task in tasks)
    pending = sum(task.live for task in tasks) - sum(task.live and task.status == "RUNNING" for task in tasks)
    return {"runningTaskCount": running, "pendingTaskCount": pending}


def _find(backend: EcsBackend, arn: str) -> tuple[Service | None, Deployment | None]:
    cluster, _, rest = arn.partition("/")[2].partition("/")
    name, _, number = rest.partition("/")
    service = backend.services_by_name.get((cluster, name))
    if service is None:
        return None, None
    return service, next((deployment for deployment in service.history if deployment.number == number), None)


def _seconds(value: object, default: float) -> float:
    """Return a time as moto's parser hands it over, in seconds since the epoch."""
    if value is None:
        return default
    timestamp = getattr(value, "timestamp", None)
    return float(timestamp()) if timestamp else float(str(value))
