"""What the embedded ECS keeps: services with their deployments, tasks with their containers. All can be pickled.

Times are seconds since the epoch. What a client sent and only wants to read back stays a document in the API's shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Document = dict[str, Any]
Health = Literal["UNKNOWN", "HEALTHY", "UNHEALTHY"]

# A task without health checks counts as ready once it has run for so long (seconds): if it exits at once, it never was.
SETTLE_SECONDS = 0.1
# Before a task runs, and after: the stages that AWS lists in the task life cycle.
STARTING = ("PROVISIONING", "PENDING")
ENDED = "STOPPED"


@dataclass
class Container:
    """One container of a task."""

    arn: str
    spec: Document  # its container definition, the task's overrides applied
    status: Literal["PENDING", "RUNNING", "STOPPED"] = "PENDING"
    health: Health = "UNKNOWN"
    exit_code: int | None = None
    reason: str = ""
    start_asked: float | None = None
    stop_asked: float | None = None

    @property
    def name(self) -> str:
        """Return its name in the task definition."""
        return str(self.spec["name"])

    @property
    def essential(self) -> bool:
        """Return whether the task ends with it."""
        return bool(self.spec["essential"])

    @property
    def checked(self) -> bool:
        """Return whether it has a health check."""
        return "healthCheck" in self.spec

    @property
    def environment(self) -> Mapping[str, str]:
        """Return its environment variables."""
        return {entry["name"]: entry.get("value", "") for entry in self.spec.get("environment", [])}

    @property
    def dependencies(self) -> Mapping[str, str]:
        """Return the condition it waits for, by the name of the container that must fulfil it."""
        return {entry["containerName"]: entry["condition"] for entry in self.spec.get("dependsOn", [])}


@dataclass
class Attachment:
    """The network interface of a task."""

    arn: str
    id: str
    interface: str
    subnet: str
    zone: str
    address: str
    mac: str
    dns_name: str


@dataclass
class Registration:
    """Where a running task is announced: a Cloud Map service or a target group."""

    kind: Literal["cloudmap", "target-group"]
    arn: str
    port: int | None


@dataclass
class Task:
    """One task, a service's or one that RunTask started."""

    id: str
    arn: str
    cluster: str  # name
    definition: Document
    group: str
    started_by: str  # the deployment's id for a service's task
    launch: Document  # launchType or capacityProviderName, platformVersion, enableExecuteCommand
    network: Document  # awsvpcConfiguration
    overrides: Document
    containers: list[Container]
    created: float
    service: str = ""  # name; "" for a task of its own
    status: str = "PROVISIONING"
    desired: Literal["RUNNING", "STOPPED"] = "RUNNING"
    version: int = 1
    failed: bool = False  # it ended or was ended because something was wrong with it
    heeded: bool = False  # its service has drawn its conclusions from that
    attachment: Attachment | None = None
    announced: bool = False
    served: bool = True  # its load balancers find it healthy
    deactivated: float | None = None  # taken back from where it was announced
    registrations: list[Registration] = field(default_factory=list)
    pulled: float | None = None
    started: float | None = None
    stopping: float | None = None
    stopped: float | None = None
    stop_code: str = ""
    stopped_reason: str = ""

    @property
    def live(self) -> bool:
        """Return whether it is meant to run."""
        return self.desired == "RUNNING"

    @property
    def health(self) -> Health:
        """Return what the health checks of its essential containers say together."""
        states = {container.health for container in self.containers if container.essential and container.checked}
        if "UNHEALTHY" in states:
            return "UNHEALTHY"
        return "HEALTHY" if states == {"HEALTHY"} else "UNKNOWN"

    @property
    def checked(self) -> bool:
        """Return whether its health is known by checks at all."""
        return any(container.essential and container.checked for container in self.containers)

    def ready(self, now: float) -> bool:
        """Return whether a rollout may count on it: running, and healthy or, without health checks, for a moment."""
        if not self.live or self.status != "RUNNING" or self.started is None:
            return False
        if not self.served:
            return False
        return self.health == "HEALTHY" if self.checked else now - self.started >= SETTLE_SECONDS

    def settled(self, now: float) -> bool:
        """Return whether nothing more is expected to happen to it by itself."""
        if self.status == "RUNNING" and self.started is not None:
            known = not self.checked or self.health != "UNKNOWN"
            return self.live and known and self.served and now - self.started >= SETTLE_SECONDS
        return self.status == ENDED

    def become(self, status: str) -> None:
        """Enter the next stage of its life."""
        self.status = status
        self.version += 1

    def end(self, code: str, reason: str, now: float, *, failed: bool = False) -> None:
        """Ask it to stop; the first reason is the one that stays."""
        if not self.live:
            return
        self.desired, self.stopping, self.failed = "STOPPED", now, failed
        self.stop_code, self.stopped_reason = code, reason
        self.version += 1


@dataclass
class Deployment:
    """One deployment of a service: a task definition with the settings that its tasks start with."""

    number: str  # digits; the id is ecs-svc/<number>
    definition: Document
    settings: Document  # the part of the service's settings that tasks are made from
    created: float
    updated: float
    status: Literal["PRIMARY", "ACTIVE"] = "PRIMARY"
    rollout: Literal["IN_PROGRESS", "COMPLETED", "FAILED"] = "IN_PROGRESS"
    reason: str = ""
    outcome: str = "IN_PROGRESS"  # status of the service deployment of the same number
    finished: float | None = None
    failures: int = 0  # in a row
    most_failures: int = 0
    retry_at: float = 0.0

    @property
    def id(self) -> str:
        """Return its id, which is also what its tasks are started by."""
        return f"ecs-svc/{self.number}"


@dataclass
class Service:
    """One service."""

    name: str
    arn: str
    cluster: str  # name
    settings: Document  # what create and update set, in the API's shape, defaults filled in
    desired: int
    created: float
    status: Literal["ACTIVE", "DRAINING", "INACTIVE"] = "ACTIVE"
    ended: float | None = None
    deployments: list[Deployment] = field(default_factory=list)  # the PRIMARY one first
    history: list[Deployment] = field(default_factory=list)  # newest first
    last_good: Deployment | None = None
    rolled_back: Deployment | None = None  # the failed one that is being replaced by the last good one
    steady: bool = False
    events: list[Document] = field(default_factory=list)  # newest first

    @property
    def primary(self) -> Deployment:
        """Return the deployment that is wanted now."""
        return self.deployments[0]
