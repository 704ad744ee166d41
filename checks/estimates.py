"""What tracing adds: memory to each task, and traces to the month's bill."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from checks.hops import VIRTUAL_NODE
from checks.model import TASK_DEFINITION, Stack, listed, mapped, number, text
from checks.tracing import Names, Task, bootstrap, tasks, variables

DEFAULT_RATE = 0.05  # share of requests that Envoy samples where its environment says nothing
SECONDS_A_MONTH = 31 * 24 * 3600  # as in the price page's examples

_SERVICE = "aws:ecs/service:Service"
_SCALING = "aws:appautoscaling/target:Target"


@dataclass(frozen=True, kw_only=True)
class Prices:
    """X-Ray's prices in US dollars a million traces; so many are free each month."""

    region: str
    as_of: str  # year and month
    recorded: float
    recorded_free: int
    retrieved: float
    retrieved_free: int

    @property
    def words(self) -> str:
        """Where and when they held."""
        return f"Prices of {self.region}, {self.as_of}, from the AWS X-Ray pricing page."

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


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """What tracing takes in each task of a service."""

    service: str
    memory: int  # MiB reserved
    cpu: int  # units reserved, 1024 a vCPU; 0: it shares what the task has
    task_memory: str  # MiB, of the whole task
    task_cpu: str  # units
    grows_from: str = ""  # the size before, where the plan changes it: "512 CPU, 1024 MiB"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What tracing takes in tasks and, a month, in traces and US dollars; empty where nothing is traced."""

    requests: float  # a month, of pages
    sidecars: Sequence[Sidecar] = ()  # in the order of the stacks
    rates: Mapping[str, float] = field(default_factory=dict)  # 0-1, by service that begins traces
    left_out: Sequence[str] = ()  # services that begin traces at a rate that is not known, or is none
    traces: Traces = Traces(least=0, most=0)

    @property
    def words(self) -> str:
        """One sentence, or two; "" where no trace begins."""
        missing = " and ".join(self.left_out)
        if not self.rates:
            return f"How many traces come is not known: {missing} have no known rate." if missing else ""
        rates = " and ".join(f"{rate:.0%}" for rate in sorted(set(self.rates.values())))
        without = f" Without {missing}, whose rate is not known." if missing else ""
        return (
            f"A month with {self.requests:,.0f} requests, sampled at {rates}: {self.traces.least:,.0f} to "
            f"{self.traces.most:,.0f} traces, {self.least_price:,.2f} to {self.most_price:,.2f} US dollars.{without}"
        )

    @property
    def least_price(self) -> float:
        """US dollars."""
        return PRICES.cost(self.traces.least)

    @property
    def most_price(self) -> float:
        """US dollars."""
        return PRICES.cost(self.traces.most)

    def to_json(self) -> dict[str, Any]:
        """The shape used in every ``--json`` document."""
        return {
            "requests": self.requests,
            "sidecars": [asdict(each) for each in self.sidecars],
            "rates": dict(self.rates),
            "leftOut": list(self.left_out),
            "traces": asdict(self.traces),
            "price": {"currency": "USD", "least": self.least_price, "most": self.most_price, "asOf": PRICES.as_of},
        }


def estimate(stacks: Sequence[Stack], names: Names, requests: float) -> Estimate:
    """What the plan's tracing takes with so many page requests a month.

    The gateway begins a trace with each request; so does each call of a service whose application does not pass the
    trace header on, as the workshop's do not. What is not known yet is left out.
    """
    traced = [task for stack in stacks for task in tasks(stack, names) if task.traced]
    beginning = {task.stack.service: task for task in traced if _begun(task)}
    known = {service: rate for service, task in beginning.items() if (rate := _rate(task, names)) is not None}
    monthly = [_monthly(requests, rate, beginning[service]) for service, rate in known.items()]
    return Estimate(
        requests=requests,
        sidecars=[_sidecar(task) for task in traced if task.sidecar],
        rates=known,
        left_out=[service for service in beginning if service not in known],
        traces=Traces(least=sum(each.least for each in monthly), most=sum(each.most for each in monthly)),
    )


def _monthly(requests: float, rate: float, task: Task) -> Traces:
    return monthly_traces(requests, rate, per_request=_begun(task), envoys=_envoys(task.stack))


def _begun(task: Task) -> int:
    """How many traces one request begins at a task's Envoy: as the first behind a load balancer, and by its calls."""
    balanced = [
        mapped(balancer).get("containerName")
        for service in _inputs(task.stack, _SERVICE)
        for balancer in listed(service.get("loadBalancers"))
    ]
    return int(task.names.envoy in balanced) + _calls(task)


def _calls(task: Task) -> int:
    """The backends of a task's Envoy: in the bootstrap that it is given, else in App Mesh."""
    if told := bootstrap(task.envoy):
        return [mapped(each).get("traffic_direction") for each in listed(told.get("listeners"))].count("OUTBOUND")
    return sum(len(listed(mapped(each.get("spec")).get("backends"))) for each in _inputs(task.stack, VIRTUAL_NODE))


def _envoys(stack: Stack) -> int:
    """The most tasks that a stack's service may have."""
    wanted = [number(each.get("desiredCount")) for each in _inputs(stack, _SERVICE)]
    allowed = [number(each.get("maxCapacity")) for each in _inputs(stack, _SCALING)]
    return int(max(filter(None, [*wanted, *allowed]), default=1))


def _inputs(stack: Stack, token: str) -> Iterator[Mapping[str, Any]]:
    return (resource.inputs for resource in stack.resources if resource.type == token)


def _rate(task: Task, names: Names) -> float | None:
    given = variables(task.envoy).get(names.rate) or str(DEFAULT_RATE)
    try:
        rate = float(text(given) or "nan")
    except ValueError:
        return None
    return rate if 0 <= rate <= 1 else None


def _sidecar(task: Task) -> Sidecar:
    sidecar = mapped(task.sidecar)
    memory, cpu = (number(sidecar.get(key)) for key in ("memoryReservation", "cpu"))
    definition = next(each for each in task.stack.resources if (each.type, each.name) == (TASK_DEFINITION, task.name))
    sizes = {key: text(definition.inputs.get(key)) or "?" for key in ("cpu", "memory")}
    before = {**sizes, **_before(task)}
    return Sidecar(
        service=task.stack.service,
        memory=int(memory or number(sidecar.get("memory")) or 0),
        cpu=int(cpu or 0),
        task_memory=sizes["memory"],
        task_cpu=sizes["cpu"],
        grows_from="" if before == sizes else f"{before['cpu']} CPU, {before['memory']} MiB",
    )


def _before(task: Task) -> dict[str, str]:
    """The size that the plan takes away."""
    changed = (
        difference
        for step in task.stack.changes
        if (step.type, step.name) == (TASK_DEFINITION, task.name)
        for difference in step.differences
    )
    return {each.path: str(each.before) for each in changed if each.path in ("cpu", "memory")}
