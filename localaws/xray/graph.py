"""The service graph, and statistics over time: what all responses and calls of many traces come to.

What is counted belongs to the moment at which the response began, so that the numbers of windows side by side add up.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.xray.place import Place
from localaws.xray.trace import CLIENT, Call, Part, Service, State, Trace


@dataclass(slots=True)
class Tally:
    """Responses, counted. Times in seconds since the epoch."""

    start: float = float("inf")  # of the first
    end: float = float("-inf")  # of the last
    states: dict[State, int] = field(default_factory=lambda: dict.fromkeys(("ok", "error", "throttle", "fault"), 0))
    histogram: dict[float, int] = field(default_factory=dict)
    seconds: float = 0.0  # in all

    def see(self, part: Part) -> None:
        """Take note of when there was a response, or is to be."""
        self.start = min(self.start, part.start)
        self.end = max(self.end, part.start if part.end is None else part.end)

    def count(self, part: Part) -> None:
        """Count a response, once it is complete."""
        self.see(part)
        duration = part.duration
        if duration is not None:
            self.states[part.state] += 1
            # Three digits, so that a histogram stays short; AWS tells milliseconds, of which local calls take few.
            value = float(f"{duration:.3g}")
            self.histogram[value] = self.histogram.get(value, 0) + 1
            self.seconds += duration

    @property
    def span(self) -> dict[str, float]:
        """Return StartTime and EndTime as the API has them."""
        return {"StartTime": self.start, "EndTime": self.end}

    @property
    def statistics(self) -> dict[str, Any]:
        """Return the counts as the API has them: SummaryStatistics."""
        states = self.states
        errors = states["error"] + states["throttle"]
        return {
            "OkCount": states["ok"],
            "ErrorStatistics": {
                "ThrottleCount": states["throttle"],
                "OtherCount": states["error"],
                "TotalCount": errors,
            },
            "FaultStatistics": {"OtherCount": states["fault"], "TotalCount": states["fault"]},
            "TotalCount": sum(states.values()),
            "TotalResponseTime": round(self.seconds, 6),
        }

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Return the histogram as the API has it."""
        return [{"Value": value, "Count": self.histogram[value]} for value in sorted(self.histogram)]


@dataclass(slots=True)
class _Node:
    tally: Tally = field(default_factory=Tally)
    edges: defaultdict[Service, Tally] = field(default_factory=lambda: defaultdict(Tally))
    root: bool = False
    active: bool = False  # it sends segments of its own


def services(traces: Iterable[Trace], place: Place, start: float, end: float) -> list[dict[str, Any]]:
    """Return the graph of what began within [start, end), as the API has it.

    Clients have neither statistics nor an account. Each edge refers to the service it leads to.
    """
    nodes: defaultdict[Service, _Node] = defaultdict(_Node)
    for trace in traces:
        _add(nodes, trace, start, end)
    order = sorted(nodes, key=lambda service: (service.type != CLIENT, nodes[service].tally.start, service))
    numbers = {service: number for number, service in enumerate(order)}
    return [_described(service, nodes[service], numbers, place) for service in order]


def series(
    traces: Iterable[Trace],
    period: int,
    start: float,
    end: float,
    counted: Callable[[Trace], Iterable[Part]],
) -> dict[float, Tally]:
    """Return what was counted in each period (seconds) in which something began, in the order of time."""
    tallies: defaultdict[float, Tally] = defaultdict(Tally)
    for trace in traces:
        for part in counted(trace):
            if start <= part.start < end:
                tallies[part.start // period * period].count(part)
    return dict(sorted(tallies.items()))


def _add(nodes: defaultdict[Service, _Node], trace: Trace, start: float, end: float) -> None:
    for segment in trace.responses:
        if start <= segment.start < end:
            node = nodes[segment.service]
            node.tally.count(segment)
            node.root = node.root or segment.is_root
            node.active = node.active or not segment.inferred
    for call in trace.calls:
        if start <= call.record.start < end:
            _add_call(nodes, call)


def _add_call(nodes: defaultdict[Service, _Node], call: Call) -> None:
    source = nodes[call.source]
    source.edges[call.target].count(call.record)
    source.tally.see(call.record)
    # A response may begin just after the window that its call began in; an edge must not lead nowhere.
    nodes[call.target].tally.see(call.record)


def _described(service: Service, node: _Node, numbers: Mapping[Service, int], place: Place) -> dict[str, Any]:
    answer = {
        "ReferenceId": numbers[service],
        "Name": service.name,
        "Names": [service.name],
        **({"Type": service.type} if service.type else {}),
        "State": "active" if node.active else "unknown",
        **node.tally.span,
        "Edges": [_edge(numbers[target], tally) for target, tally in node.edges.items()],
    }
    if service.type == CLIENT:
        return answer
    return {
        **answer,
        **({"Root": True} if node.root else {}),
        "AccountId": place.account,
        "SummaryStatistics": node.tally.statistics,
        "DurationHistogram": node.tally.entries,
        "ResponseTimeHistogram": node.tally.entries,
    }


def _edge(number: int, tally: Tally) -> dict[str, Any]:
    return {
        "ReferenceId": number,
        **tally.span,
        "SummaryStatistics": tally.statistics,
        "ResponseTimeHistogram": tally.entries,
        "Aliases": [],
    }
