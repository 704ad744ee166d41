"""What becomes of one task, a step at a time: what the ECS agent and Fargate do with it.

PROVISIONING (network interface) → PENDING (images, containers in the order of dependsOn) → RUNNING → DEACTIVATING (no
longer announced) → STOPPING (containers, dependents first) → DEPROVISIONING → STOPPED: the developer guide's "task
lifecycle".
"""

from typing import Literal

from localaws.ecs import network
from localaws.ecs.backend import EcsBackend
from localaws.ecs.images import CannotPullError
from localaws.ecs.model import ENDED, Container, Task
from localaws.ecs.runner import Look, TaskRunner

# From taking a task back to stopping it: its callers' Envoys need a moment to hear of it.
WORD_SPREADS_SECONDS = 0.3

_RESTART_ATTEMPT_PERIOD = 60  # seconds that a container must have run for, unless its policy says otherwise

_Dependency = Literal["met", "awaited", "hopeless"]


def step(backend: EcsBackend, runner: TaskRunner, task: Task, now: float) -> None:
    """Take a task as far as it gets now. Announcing it, and taking that back, is its service's business."""
    if task.live:
        _step_up(backend, runner, task, now)
    else:
        _step_down(backend, runner, task, now)


def _step_up(backend: EcsBackend, runner: TaskRunner, task: Task, now: float) -> None:
    match task.status:
        case "PROVISIONING":
            _provision(backend, task, now)
        case "PENDING":
            _start(runner, task, now)
        case "RUNNING":
            _watch(runner, task, now)


def _step_down(backend: EcsBackend, runner: TaskRunner, task: Task, now: float) -> None:
    match task.status:
        case "PROVISIONING" | "PENDING" | "RUNNING":
            task.deactivated = now if task.registrations else now - WORD_SPREADS_SECONDS
            task.become("DEACTIVATING")
        case "DEACTIVATING":
            if not task.registrations and now - (task.deactivated or 0) >= WORD_SPREADS_SECONDS:
                task.become("STOPPING")
        case "STOPPING":
            _stop(runner, task, now)
        case "DEPROVISIONING":
            if task.attachment:
                network.detach(backend, task.attachment)
            runner.release(task)
            task.stopped = now
            task.become(ENDED)


def _provision(backend: EcsBackend, task: Task, now: float) -> None:
    try:
        task.attachment = network.attach(backend, task)
    except network.AttachError as error:
        task.end("TaskFailedToStart", str(error), now, failed=True)
        return
    task.become("PENDING")


def _start(runner: TaskRunner, task: Task, now: float) -> None:
    if task.pulled is None and not _pull(runner, task, now):
        return
    _watch(runner, task, now)
    for container in task.containers:
        if not task.live:
            return
        if container.status != "PENDING" or container.start_asked is not None:
            continue
        states = {_dependency(task, name, condition) for name, condition in container.dependencies.items()}
        if "hopeless" in states:
            _give_up(task, container, now)
        elif states <= {"met"}:
            runner.start(task, container)
            container.start_asked = now
    if task.live and all(container.status != "PENDING" for container in task.containers):
        task.started = now
        task.become("RUNNING")


def _pull(runner: TaskRunner, task: Task, now: float) -> bool:
    for container in task.containers:
        try:
            runner.pull(task, container)
        except CannotPullError as error:
            container.reason = str(error)
            task.end("TaskFailedToStart", str(error), now, failed=True)
            return False
    task.pulled = now
    return True


def _watch(runner: TaskRunner, task: Task, now: float) -> None:
    """Bring the containers' states up to date; the end of an essential one ends the task."""
    for container in task.containers:
        if container.start_asked is None or container.status == "STOPPED":
            continue
        look = runner.look(task, container)
        if look.ended and _is_to_restart(container, look, now):
            runner.start(task, container)
            container.start_asked, container.health = now, "UNKNOWN"
        elif look.ended:
            container.status, container.exit_code, container.reason = "STOPPED", look.exit_code, look.reason
            if container.essential:
                task.end("EssentialContainerExited", "Essential container in task exited", now, failed=True)
        elif look.running:
            container.status, container.health = "RUNNING", look.health


def _is_to_restart(container: Container, look: Look, now: float) -> bool:
    """Return whether a container is started again in place. Source: ECS API reference, ContainerRestartPolicy."""
    policy = container.spec.get("restartPolicy") or {}
    if not policy.get("enabled") or look.exit_code in policy.get("ignoredExitCodes", []):
        return False
    period = float(policy.get("restartAttemptPeriod", _RESTART_ATTEMPT_PERIOD))
    return now - (container.start_asked or now) >= period


def _dependency(task: Task, name: str, condition: str) -> _Dependency:
    other = next(container for container in task.containers if container.name == name)
    ended = other.status == "STOPPED"
    match condition:
        case "START":
            met, hopeless = other.status != "PENDING", False
        case "COMPLETE":
            met, hopeless = ended, False
        case "SUCCESS":
            met, hopeless = ended and other.exit_code == 0, ended
        case _:  # HEALTHY; the tasks of a service are replaced when a health check fails
            met, hopeless = other.health == "HEALTHY", ended or (other.health == "UNHEALTHY" and not task.service)
    if met:
        return "met"
    return "hopeless" if hopeless else "awaited"


def _give_up(task: Task, container: Container, now: float) -> None:
    names = ", ".join(container.dependencies)
    container.status = "STOPPED"
    container.reason = (
        f"dependency graph: failed to resolve container ordering dependency [{names}] for target [{container.name}] "
        "as dependency did not exit successfully or become healthy."
    )
    if container.essential:
        task.end("TaskFailedToStart", container.reason, now, failed=True)


def _stop(runner: TaskRunner, task: Task, now: float) -> None:
    """Stop containers whose dependents have ended; those that never started have nothing to stop."""
    for container in task.containers:
        if container.start_asked is None:
            container.status = "STOPPED"
        elif container.status != "STOPPED" and (look := runner.look(task, container)).ended:
            container.status, container.exit_code, container.health = "STOPPED", look.exit_code, "UNKNOWN"
    for container in task.containers:
        dependents = [other for other in task.containers if container.name in other.dependencies]
        if (
            container.status != "STOPPED"
            and container.stop_asked is None
            and all(other.status == "STOPPED" for other in dependents)
        ):
            runner.stop(task, container)
            container.stop_asked = now
    if all(container.status == "STOPPED" for container in task.containers):
        task.become("DEPROVISIONING")
