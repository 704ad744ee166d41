"""What ECS's service scheduler does with one service, a step at a time: replaces, rolls out, rolls back, drains."""

from collections.abc import Sequence

from localaws.ecs import deployments, launch, registration, scaling
from localaws.ecs.backend import EcsBackend
from localaws.ecs.events import note
from localaws.ecs.model import Deployment, Service, Task
from localaws.ecs.rollout import Candidate, decide, failure_threshold

# Between two starts after failures: doubled each time, up to 8 doublings.
FIRST_PAUSE_SECONDS, MOST_DOUBLINGS = 0.05, 8


def step(backend: EcsBackend, service: Service, now: float) -> None:
    """Bring a service as close as it gets now to what is wanted of it."""
    if service.status == "INACTIVE":
        return
    tasks = backend.tasks_of(service)
    if service.status == "ACTIVE":
        scaling.heed_bounds(backend, service)
    _announce(backend, service, tasks)
    _replace_unhealthy(service, tasks, now)
    _heed_failures(backend, service, now)
    _trip_breaker(service, now)
    _move(backend, service, tasks, now)
    _conclude(service, backend.tasks_of(service), now)


def pause_after(failures: int) -> float:
    """Return for how many seconds nothing is started after so many failures in a row."""
    return FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, MOST_DOUBLINGS)


def retry_in(service: Service, now: float) -> float | None:
    """Return after how many seconds a pause after failures ends; None where there is none."""
    if service.status == "INACTIVE" or service.primary.retry_at <= now:
        return None
    return service.primary.retry_at - now


def _announce(backend: EcsBackend, service: Service, tasks: Sequence[Task]) -> None:
    added: dict[str, list[str]] = {}
    removed: dict[str, list[str]] = {}
    for task in tasks:
        if task.live and task.status == "RUNNING" and not task.announced:
            task.announced = True
            for group in registration.register(backend, task, service.settings):
                added.setdefault(group, []).append(task.id)
        elif task.live:
            registration.refresh(backend, task)
        elif task.registrations:
            for group in registration.deregister(backend, task):
                removed.setdefault(group, []).append(task.id)
    for verb, groups in (("registered", added), ("deregistered", removed)):
        for group, ids in groups.items():
            note(service, f"{verb} {len(ids)} targets in (target-group {group})")


def _replace_unhealthy(service: Service, tasks: Sequence[Task], now: float) -> None:
    for task in tasks:
        if task.live and task.health == "UNHEALTHY":
            note(service, f"(task {task.id}) failed container health checks.")
            task.end("ServiceSchedulerInitiated", "Task failed container health checks", now, failed=True)


def _heed_failures(backend: EcsBackend, service: Service, now: float) -> None:
    """Count the PRIMARY deployment's failures and pause before the next try; a ready task makes up for them."""
    deployment = service.primary
    for task in backend.tasks_by_id.values():
        if task.started_by != deployment.id or task.service != service.name or task.cluster != service.cluster:
            continue
        if task.ready(now):
            deployment.failures = 0
        if task.heeded or not task.failed:
            continue
        task.heeded = True
        deployment.failures += 1
        deployment.retry_at = now + pause_after(deployment.failures)
        if task.stop_code == "TaskFailedToStart":
            note(service, f"was unable to place a task. Reason: {task.stopped_reason}.")
        if deployment.failures == failure_threshold(service.desired):
            note(
                service,
                "is unable to consistently start tasks successfully. For more information, see the Troubleshooting "
                "section of the Amazon ECS Developer Guide.",
            )


def _trip_breaker(service: Service, now: float) -> None:
    breaker = service.settings["deploymentConfiguration"]["deploymentCircuitBreaker"]
    deployment = service.primary
    if not breaker["enable"] or deployment.rollout != "IN_PROGRESS" or deployment is service.last_good:
        return
    if deployment.failures >= failure_threshold(service.desired):
        deployments.fail(service, now, rollback=breaker["rollback"])


def _move(backend: EcsBackend, service: Service, tasks: Sequence[Task], now: float) -> None:
    primary = service.primary
    failed = primary.rollout == "FAILED"  # without rollback: nothing is started or replaced any more
    live = [task for task in tasks if task.live]
    shape = service.settings["deploymentConfiguration"]
    plan = decide(
        [Candidate(task.id, failed or task.started_by == primary.id, task.ready(now)) for task in live],
        service.desired,
        shape["minimumHealthyPercent"],
        shape["maximumPercent"],
    )
    _stop(service, [task for task in live if task.id in plan.stop], now)
    if failed or not plan.start:
        return
    if not launch.can_run(service.settings):
        if not service.events:
            note(
                service,
                "was unable to place a task because no container instance met all of its requirements. "
                "Reason: No Container Instances were found in your cluster.",
            )
    elif now >= primary.retry_at:
        started = launch.for_service(backend, service, plan.start, now)
        note(service, f"has started {len(started)} tasks: {_listed(started)}.")


def _stop(service: Service, tasks: Sequence[Task], now: float) -> None:
    if not tasks:
        return
    for task in tasks:
        task.end("ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {task.started_by})", now)
    note(service, f"has stopped {len(tasks)} running tasks: {_listed(tasks)}.")


def _conclude(service: Service, tasks: Sequence[Task], now: float) -> None:
    if service.status == "DRAINING":
        if not tasks:
            service.status, service.ended = "INACTIVE", now
            service.deployments = []
        return
    primary = service.primary
    service.deployments = [primary, *(other for other in service.deployments[1:] if _has_tasks(other, tasks))]
    ready = sum(task.ready(now) for task in tasks if task.started_by == primary.id)
    if ready != service.desired or len(tasks) != ready:
        service.steady = False
        return
    if primary.rollout == "IN_PROGRESS":
        deployments.complete(service, now)
    if not service.steady and primary.rollout == "COMPLETED":
        service.steady = True
        note(service, "has reached a steady state.")


def _has_tasks(deployment: Deployment, tasks: Sequence[Task]) -> bool:
    return any(task.started_by == deployment.id for task in tasks)


def _listed(tasks: Sequence[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
