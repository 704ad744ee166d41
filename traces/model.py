"""What a review of traces is about: the service map, the list of traces, and one trace in detail.

Made from X-Ray's answers by `traces.fetch`, shown by the views. Times are seconds since the epoch (UTC), durations
seconds, counts those of X-Ray's SummaryStatistics. Source of the shapes: the X-Ray API reference (GetServiceGraph,
GetTraceSummaries, BatchGetTraces) and the segment document format of the X-Ray developer guide.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

State = Literal["ok", "error", "throttle", "fault"]  # green, yellow (4xx), purple (429), red (5xx)
CLIENT = "client"  # the type of the nodes that stand for callers nobody traces
RUN = "ecs-tracing-run"  # the name under which runs of the automation are traced


@dataclass(frozen=True, order=True, slots=True)
class Bucket:
    """One entry of a histogram: so many responses took about so long."""

    seconds: float
    count: int


Histogram = tuple[Bucket, ...]  # sorted by seconds, no value twice


class Key(NamedTuple):
    """What makes a node of the map the same one in two answers; X-Ray's reference ids hold for one answer only."""

    name: str  # such as ecs-mesh/frontend; a client has the name of what it calls
    type: str  # such as AWS::AppMesh::Proxy, or `CLIENT`; "" where X-Ray tells none


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Responses of a node, or those that came back over an edge, sorted by how they ended."""

    ok: int = 0
    error: int = 0  # 4xx, without the throttled
    throttle: int = 0  # 429
    fault: int = 0  # 5xx
    total: int = 0
    response_time: float = 0.0  # sum, in seconds

    @property
    def average(self) -> float:
        """Return the mean response time in seconds; 0 without responses."""
        return self.response_time / self.total if self.total else 0.0


@dataclass(frozen=True, kw_only=True)
class Node:
    """A service on the map."""

    key: Key
    statistics: Statistics | None  # None: X-Ray counts nothing for it, as for clients
    durations: Histogram = ()  # of its own work, as the service saw it
    responses: Histogram = ()  # likewise, where X-Ray tells both; what its callers saw is on the edges
    root: bool = False


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Calls from one node to another, as the caller saw them: network included."""

    source: Key
    target: Key
    statistics: Statistics
    responses: Histogram = ()


@dataclass(frozen=True, kw_only=True)
class ServiceMap:
    """Who called whom in a range of time."""

    start: float
    end: float
    nodes: Mapping[Key, Node]
    edges: Mapping[tuple[Key, Key], Edge]

    @property
    def minutes(self) -> float:
        """Return the length of the range in minutes."""
        return (self.end - self.start) / 60

    def reached(self, key: Key) -> set[Key]:
        """Return the node and all that its calls lead to."""
        reached, ahead = {key}, [key]
        while ahead:
            current = ahead.pop()
            new = {target for source, target in self.edges if source == current} - reached
            reached |= new
            ahead += new
        return reached


@dataclass(frozen=True, kw_only=True)
class TraceSummary:
    """A trace in the list."""

    id: str  # 1-<8 hex>-<24 hex>
    start: float
    duration: float  # from the first segment's start to the last one's end
    response_time: float  # of the root segment
    state: State
    partial: bool = False
    method: str = ""
    url: str = ""
    status: int | None = None
    user_agent: str = ""
    client_ip: str = ""
    services: tuple[Key, ...] = ()
    annotations: Mapping[str, tuple[str | float | bool, ...]] = field(default_factory=dict)

    @property
    def is_run(self) -> bool:
        """Whether it is a run of this program, and no traffic."""
        return any(key.name == RUN for key in self.services)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A segment of a trace, or a subsegment, with what it called below it."""

    id: str
    parent: str  # id of the segment that called it, in whatever document; "" at the root
    name: str
    type: str  # its origin, or namespace for a subsegment
    start: float
    end: float | None  # None: in progress when it was read
    state: State
    method: str = ""
    url: str = ""
    status: int | None = None
    inferred: bool = False
    children: tuple["Segment", ...] = ()  # by start; those of other documents that name it as their parent included
    document: Mapping[str, Any] = field(default_factory=dict)  # as X-Ray gave it, without the subsegments

    def walk(self, depth: int = 0) -> Iterator[tuple[int, "Segment"]]:
        """Yield it and all below it, each with its depth, in the order of a waterfall."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A trace in detail."""

    id: str
    start: float
    duration: float
    roots: tuple[Segment, ...]  # by start; more than one where a parent was never received
    limit_exceeded: bool = False  # X-Ray dropped segments of it

    def walk(self) -> Iterator[tuple[int, Segment]]:
        """Yield every segment with its depth, in the order of a waterfall."""
        for root in self.roots:
            yield from root.walk()
