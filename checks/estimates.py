"""What tracing adds: memory to each task, and traces to the month's bill."""

from collections.abc import Sequence
from dataclasses import dataclass

from checks.model import TASK_DEFINITION, Stack, containers, number
from checks.tracing import Names

SECONDS_A_MONTH = 31 * 24 * 3600  # as in the price page's examples


@dataclass(frozen=True, kw_only=True)
class Prices:
    """X-Ray's prices in US dollars a million traces; so many are free each month."""

    region: str
    as_of: str  # year and month
    recorded: float
    recorded_free: int
    retrieved: float
    retrieved_free: int

    def cost(self, recorded: float, retrieved: float = 0) -> float:
        """US dollars for a month's traces; what is scanned counts as retrieved."""
        paid = max(0, recorded - self.recorded_free) * self.recorded
        paid += max(0, retrieved - self.retrieved_free) * self.retrieved
        return paid / 1_000_000


# Source: AWS X-Ray pricing page, in a copy without a date that was read in the month below.
PRICES = Prices(
    region="us-east-1",
    as_of="2026-11",
    recorded=5.00,
    recorded_free=100_000,
    retrieved=0.50,
    retrieved_free=1_000_000,
)


@dataclass(frozen=True, kw_only=True)
class Traces:
    """How many traces a month brings: at least the sampled share, at most that and each Envoy's one a second."""

    least: float
    most: float


def monthly_traces(requests: float, sampling_rate: float, *, per_request: int = 1, envoys: int = 1) -> Traces:
    """The traces of a month with so many requests, sampled at `sampling_rate` (0-1).

    `per_request` is how many traces one request begins, more than one where an application does not pass the trace
    header on; `envoys` is how many running Envoys begin them. Each of those samples the first one in every second
    whatever the rate, and the rate holds for the rest: little traffic, evenly spread, is traced completely.
    Source: Envoy's X-Ray tracer, and the fixed target that App Mesh's Envoy sets.
    """
    begun = requests * per_request
    first_ones = min(begun, SECONDS_A_MONTH * envoys)
    return Traces(least=begun * sampling_rate, most=first_ones + (begun - first_ones) * sampling_rate)


def sidecar_memory(stacks: Sequence[Stack], names: Names) -> dict[str, int]:
    """MiB that the sidecar reserves in each task, by service; services without a known sidecar are left out."""
    reserved = {
        stack.service: number(container.get("memoryReservation", container.get("memory")))
        for stack in stacks
        for resource in stack.resources
        if resource.type == TASK_DEFINITION
        for container in containers(resource)
        if container.get("name") == names.sidecar
    }
    return {service: int(memory) for service, memory in reserved.items() if memory is not None}
