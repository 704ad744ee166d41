"""The seam behind which the containers of tasks run, and the runner that only simulates them.

The reconciler alone calls a runner, one call at a time, holding `state.lock`: no method may block. A runner that learns
by itself of a change (a process has ended, a health check has answered) calls `alarm.wake()`, and is then looked at.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from moto.appmesh.models import appmesh_backends
from moto.core.exceptions import ServiceException

from localaws.appmesh.models import MeshBackend
from localaws.ecs import images
from localaws.ecs.model import Container, Health, Task


@dataclass(frozen=True)
class Look:
    """How a container is."""

    running: bool
    health: Health = "UNKNOWN"
    exit_code: int | None = None  # None: still starting or running
    reason: str = ""

    @property
    def ended(self) -> bool:
        """Return whether it has run and stopped."""
        return self.exit_code is not None


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where a listener of a load balancer really listens."""

    balancer: str  # name
    dns_name: str
    port: int  # the listener's
    local_port: int  # of 127.0.0.1


class TaskRunner(Protocol):
    """Runs containers. A task's order (dependsOn), restarts and announcements are not its business."""

    def pull(self, task: Task, container: Container) -> None:
        """Get the image. Raises images.CannotPullError with ECS's reason."""

    def start(self, task: Task, container: Container) -> None:
        """Begin to start a container; its environment, command and user are in `container.spec`."""

    def look(self, task: Task, container: Container) -> Look:
        """Return how a container is that was asked to start, perhaps before the last restart of the server."""

    def stop(self, task: Task, container: Container) -> None:
        """Begin to stop a container; asked for once, only of running ones."""

    def release(self, task: Task) -> None:
        """Forget a task: all its containers have ended."""

    def serves(self, task: Task) -> bool:
        """Return whether the load balancers that a task is registered with find it healthy."""

    def refresh(self) -> None:
        """Bring what routes to the tasks up to date; called after each turn, and after each call that changes AWS."""

    @property
    def doors(self) -> Sequence[Door]:
        """Return where the load balancers in front of the tasks listen."""

    def close(self) -> None:
        """End what runs, since the server ends. May block; `state.lock` is held."""


# What a simulated container takes for each stage of its life, in seconds.
START_SECONDS = 0.02
STOP_SECONDS = 0.02
EXIT_SECONDS = 0.03  # after start, where something it needs is not there
HEALTHY_SECONDS = 0.04  # after start
UNHEALTHY_SECONDS = 0.1  # after start, where it never gets healthy


class SimulatedRunner:
    """Runs nothing, but walks each container through the life it would have, failures included.

    What nobody can know without running it is taken for good: an application gets healthy and runs until it is stopped.
    No state is kept: a container's age and environment tell all, so a restart of the server changes nothing.
    """

    def pull(self, task: Task, container: Container) -> None:
        """See whether a registry would have the image."""
        del task
        images.find(container.spec["image"])

    def start(self, task: Task, container: Container) -> None:
        """Do nothing: `container.start_asked` tells its age."""

    def look(self, task: Task, container: Container) -> Look:
        """Return what would have become of the container by now."""
        now = time.time()
        if container.stop_asked is not None:
            return Look(running=True) if now - container.stop_asked < STOP_SECONDS else Look(running=False, exit_code=0)
        age = now - (container.start_asked or now)
        if age < START_SECONDS:
            return Look(running=False)
        if age >= EXIT_SECONDS and _lacks_something(container):
            return Look(running=False, exit_code=1)
        if age >= EXIT_SECONDS and _is_to_end(task, container):
            return Look(running=False, exit_code=0)
        return Look(running=True, health=_health(task, container, age))

    def stop(self, task: Task, container: Container) -> None:
        """Do nothing: `container.stop_asked` tells when."""

    def release(self, task: Task) -> None:
        """Do nothing: nothing was kept."""

    def serves(self, task: Task) -> bool:
        """Return that it does: what is healthy is reached."""
        del task
        return True

    def refresh(self) -> None:
        """Do nothing: nothing is routed."""

    @property
    def doors(self) -> Sequence[Door]:
        """Return nothing: nothing listens."""
        return ()

    def close(self) -> None:
        """Do nothing: nothing runs."""


def _lacks_something(container: Container) -> bool:
    """Return whether a container exits at once for want of a setting, or of a right (reference.md, section 7)."""
    repository = images.find(container.spec["image"]).repository
    if repository in images.CLOUDWATCH_AGENTS:
        # It writes its configuration where only root may.
        return container.spec.get("user", "").partition(":")[0] not in ("", "0", "root")
    if repository in images.ADOT_COLLECTORS:
        told = container.environment.get("AOT_CONFIG_CONTENT", "")
        return "AWS_REGION" not in container.environment and "region" not in told
    if repository in images.XRAY_DAEMONS:
        command = container.spec.get("command", [])
        return "AWS_REGION" not in container.environment and not {"-n", "--region"} & set(command)
    if repository == images.ENVOY:
        return "APPMESH_RESOURCE_ARN" not in container.environment
    return False


def _is_to_end(task: Task, container: Container) -> bool:
    """Return whether others wait for the container's end, so that it must be one that ends by itself."""
    return any(other.dependencies.get(container.name) in ("COMPLETE", "SUCCESS") for other in task.containers)


def _health(task: Task, container: Container, age: float) -> Health:
    if not container.checked:
        return "UNKNOWN"
    if _can_be_healthy(task, container):
        return "HEALTHY" if age >= HEALTHY_SECONDS else "UNKNOWN"
    return "UNHEALTHY" if age >= UNHEALTHY_SECONDS else "UNKNOWN"


def _can_be_healthy(task: Task, container: Container) -> bool:
    image = images.find(container.spec["image"])
    if container.spec["healthCheck"]["command"][:1] == ["CMD-SHELL"] and not image.has_shell:
        return False
    return image.repository != images.ENVOY or _is_in_mesh(task, container.environment["APPMESH_RESOURCE_ARN"])


def _is_in_mesh(task: Task, arn: str) -> bool:
    """Return whether App Mesh knows the node or gateway whose configuration an Envoy asks for."""
    _, _, _, region, account, *_ = task.arn.split(":")
    # A short form without the partition and the service is allowed: mesh/M/virtualNode/N.
    arn = arn if arn.startswith("arn:") else f"arn:aws:appmesh:{region}:{account}:{arn}"
    mesh = appmesh_backends[account][region]
    assert isinstance(mesh, MeshBackend)  # noqa: S101 - for the type checker; `appmesh.install` sees to it
    try:
        mesh.call("ListTagsForResource", {"resourceArn": arn})
    except ServiceException:
        return False
    return True
