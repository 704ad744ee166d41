"""What a fleet is: its services and the platforms that they share, and what these are called in AWS."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from ipaddress import IPv4Network

from services.containers import MESH_PORT
from services.own_mesh import GATEWAY_NAME, MESH_NAME
from services.sizes import TASK_CPU, TASK_MEMORY

FILE = "fleet.yaml"
PLATFORM = "platform"  # the one that there is where none is declared
NETWORK = "10.0.0.0/24"  # of a platform that does not say

_CORRECT = f"correct {FILE} (docs/fleet.md tells its keys)"


class FleetError(ValueError):
    """A fleet that cannot be used. The message names value, place and the next command."""


def refused(where: str, why: str, command: str = _CORRECT) -> FleetError:
    """The error about a place in the file; "" for the file itself."""
    named = f"{FILE}: {where} {why}" if where else f"{FILE} {why}"
    return FleetError(f"{named}. Next: {command}")


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a service is told of one that it calls."""

    service: str
    variable: str  # of its environment, with the URL
    path: str = ""  # of the URL
    port: int = MESH_PORT  # TCP; of the service that is called


@dataclass(frozen=True, kw_only=True)
class Service:
    """A declared service, all defaults filled in."""

    name: str
    image: str
    platform: str = PLATFORM
    port: int = MESH_PORT  # TCP; of the application
    health_path: str = "/health"
    calls: Sequence[Call] = ()
    cpu: int = TASK_CPU  # units of the whole task, 1024 a vCPU
    memory: int = TASK_MEMORY  # MiB, likewise
    environment: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    entrance: bool = False  # whether the platform's gateway leads here


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A network, cluster, mesh and gateway of its own, and what its services ask of it."""

    name: str = PLATFORM
    network: str = NETWORK  # CIDR
    ports: Sequence[int] = (MESH_PORT,)  # TCP; where applications are called, in App Mesh
    entrance: str | None = None  # the service that the gateway leads to; None: it answers 404

    @property
    def _suffix(self) -> str:
        return "" if self.name == PLATFORM else f"-{self.name}"

    @property
    def cluster(self) -> str:
        """The name of its ECS cluster. Like the others it is unique in an account and region."""
        return f"container-demo{self._suffix}"

    @property
    def namespace(self) -> str:
        """The name of its Cloud Map namespace, and the end of its services' names in DNS."""
        return "service.local" if self.name == PLATFORM else f"{self.name}.service.local"

    @property
    def mesh(self) -> str:
        """The name of its mesh: segments in X-Ray are named after it."""
        return f"{MESH_NAME}{self._suffix}"

    @property
    def gateway(self) -> str:
        """The name of its gateway in the mesh."""
        return f"{GATEWAY_NAME}{self._suffix}"

    @property
    def gateway_service(self) -> str:
        """The name of its gateway's ECS service."""
        return f"mesh-gw-proxy{self._suffix}"

    @property
    def gateway_family(self) -> str:
        """The family of its gateway's task definitions."""
        return f"mesh-gw-proxy-taskdef{self._suffix}"

    @property
    def vpc(self) -> str:
        """The `Name` tag of its VPC."""
        return f"ecsworkshop-base{self._suffix}/BaseVPC"

    def blocks(self) -> tuple[Sequence[str], Sequence[str]]:
        """The CIDRs of its public and of its private subnets, each one an availability zone: eighths of its network."""
        eighths = [str(block) for block in IPv4Network(self.network).subnets(prefixlen_diff=3)]
        return eighths[:3], eighths[3:6]


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All platforms, and all services in an order of deployment: who is called before its callers."""

    platforms: Mapping[str, Platform]
    services: Mapping[str, Service]


def ordered(services: Mapping[str, Service]) -> dict[str, Service]:
    """The same services, who is called before its callers.

    Raises:
        FleetError: some call each other in a circle.
    """
    calls = {name: [call.service for call in service.calls] for name, service in services.items()}
    try:
        return {name: services[name] for name in TopologicalSorter(calls).static_order()}
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        first = circle[0]
        why = f"close a circle: {' → '.join(circle)}. Who is called must be deployed before its callers"
        raise refused(f"services.{first}.backends", why) from error


def nearest(name: str, names: Iterable[str], number: int = 3) -> list[str]:
    """Those that are most like a name, best first."""
    return get_close_matches(name, list(names), n=number, cutoff=0.0)
