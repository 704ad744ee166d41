"""X-Ray's answers made into the model. Pure: nothing here calls AWS.

Sources: the X-Ray API reference (GetServiceGraph, GetTraceSummaries) as boto3 hands the answers over.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from traces.model import RUN, Bucket, Edge, Histogram, Key, Node, ServiceMap, State, Statistics, TraceSummary

_ID_TIME = slice(2, 10)  # of a trace id 1-58406520-a006649127e371903a2de979: seconds since the epoch, in hex


def service_map(services: Sequence[Mapping[str, Any]], start: float, end: float) -> ServiceMap:
    """Make a map of the services in all pages of one GetServiceGraph answer, without the runs of this program."""
    services = [service for service in services if service.get("Name") != RUN]
    keys = {service["ReferenceId"]: _key(service) for service in services}
    nodes = [_node(service) for service in services]
    edges = [
        _edge(_key(service), keys[edge["ReferenceId"]], edge)
        for service in services
        for edge in service.get("Edges", ())
        if edge["ReferenceId"] in keys
    ]
    return _joined(nodes, edges, start, end)


def merged(maps: Iterable[ServiceMap], start: float, end: float) -> ServiceMap:
    """Make one map of those of several windows: what has the same key is the same, its numbers are added up."""
    read = list(maps)
    nodes = [node for part in read for node in part.nodes.values()]
    return _joined(nodes, [edge for part in read for edge in part.edges.values()], start, end)


def _joined(nodes: Iterable[Node], edges: Iterable[Edge], start: float, end: float) -> ServiceMap:
    by_key: dict[Key, Node] = {}
    for node in nodes:
        known = by_key.get(node.key)
        by_key[node.key] = _add_nodes(known, node) if known else node
    by_ends: dict[tuple[Key, Key], Edge] = {}
    for edge in edges:
        ends = edge.source, edge.target
        by_ends[ends] = _add_edges(by_ends[ends], edge) if ends in by_ends else edge
    return ServiceMap(start=start, end=end, nodes=by_key, edges=by_ends)


def _add_nodes(one: Node, other: Node) -> Node:
    both = [node.statistics for node in (one, other) if node.statistics]
    return replace(
        one,
        statistics=_sum(both) if both else None,
        durations=_histogram([*one.durations, *other.durations]),
        responses=_histogram([*one.responses, *other.responses]),
        root=one.root or other.root,
    )


def _add_edges(one: Edge, other: Edge) -> Edge:
    responses = _histogram([*one.responses, *other.responses])
    return replace(one, statistics=_sum([one.statistics, other.statistics]), responses=responses)


def _sum(parts: Sequence[Statistics]) -> Statistics:
    return Statistics(
        ok=sum(part.ok for part in parts),
        error=sum(part.error for part in parts),
        throttle=sum(part.throttle for part in parts),
        fault=sum(part.fault for part in parts),
        total=sum(part.total for part in parts),
        response_time=sum(part.response_time for part in parts),
    )


def _key(service: Mapping[str, Any]) -> Key:
    return Key(service.get("Name", ""), service.get("Type", ""))


def _node(service: Mapping[str, Any]) -> Node:
    counted = service.get("SummaryStatistics")
    return Node(
        key=_key(service),
        statistics=_statistics(counted) if counted else None,
        durations=_histogram(_buckets(service.get("DurationHistogram", ()))),
        responses=_histogram(_buckets(service.get("ResponseTimeHistogram", ()))),
        root=bool(service.get("Root")),
    )


def _edge(source: Key, target: Key, edge: Mapping[str, Any]) -> Edge:
    responses = _histogram(_buckets(edge.get("ResponseTimeHistogram", ())))
    return Edge(
        source=source, target=target, statistics=_statistics(edge.get("SummaryStatistics", {})), responses=responses
    )


def _statistics(counted: Mapping[str, Any]) -> Statistics:
    errors = counted.get("ErrorStatistics", {})
    throttled = errors.get("ThrottleCount", 0)
    return Statistics(
        ok=counted.get("OkCount", 0),
        error=errors.get("TotalCount", 0) - throttled,  # the total holds the throttled
        throttle=throttled,
        fault=counted.get("FaultStatistics", {}).get("TotalCount", 0),
        total=counted.get("TotalCount", 0),
        response_time=counted.get("TotalResponseTime", 0.0),
    )


def _buckets(entries: Iterable[Mapping[str, Any]]) -> list[Bucket]:
    return [Bucket(entry.get("Value", 0.0), entry.get("Count", 0)) for entry in entries]


def _histogram(buckets: Iterable[Bucket]) -> Histogram:
    counts: Counter[float] = Counter()
    for bucket in buckets:
        counts[bucket.seconds] += bucket.count
    return tuple(Bucket(seconds, counts[seconds]) for seconds in sorted(counts))


def trace_summary(summary: Mapping[str, Any]) -> TraceSummary:
    """Make an entry of the list of traces."""
    http = summary.get("Http", {})
    started: datetime | None = summary.get("StartTime")
    return TraceSummary(
        id=summary["Id"],
        start=started.timestamp() if started else float(int(summary["Id"][_ID_TIME], 16)),
        duration=summary.get("Duration", 0.0),
        response_time=summary.get("ResponseTime", 0.0),
        state=_state(summary),
        partial=bool(summary.get("IsPartial")),
        method=http.get("HttpMethod", ""),
        url=http.get("HttpURL", ""),
        status=http.get("HttpStatus"),
        user_agent=http.get("UserAgent", ""),
        client_ip=http.get("ClientIp", ""),
        services=tuple(_key(service) for service in summary.get("ServiceIds", ())),
        annotations={
            name: tuple(_annotation(value["AnnotationValue"]) for value in values if value.get("AnnotationValue"))
            for name, values in summary.get("Annotations", {}).items()
        },
    )


def _state(summary: Mapping[str, Any]) -> State:
    if summary.get("HasFault"):
        return "fault"
    if summary.get("HasThrottle"):
        return "throttle"
    return "error" if summary.get("HasError") else "ok"


def _annotation(value: Mapping[str, Any]) -> str | float | bool:
    known: str | float | bool = next(iter(value.values()))
    return known
