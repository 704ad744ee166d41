"""A review as JSON. Durations are seconds, times ISO 8601 in UTC, and names those of the model in camel case."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from traces import comparing, latency
from traces.comparing import Comparison, Shift
from traces.grouping import by_url
from traces.latency import PERCENTILES
from traces.model import Edge, Histogram, Key, Node, Segment, ServiceMap, Statistics, Trace, TraceSummary

_JSON = dict[str, Any]


def span(start: float, end: float) -> _JSON:
    """Return a range of time."""
    return {"start": _time(start), "end": _time(end)}


def service_map(shown: ServiceMap) -> _JSON:
    """Return nodes (clients among them, whose type is ``client``) and edges."""
    return {
        **span(shown.start, shown.end),
        "nodes": [node(one, shown.minutes) for one in shown.nodes.values()],
        "edges": [edge(one, shown.minutes) for one in shown.edges.values()],
    }


def node(shown: Node, minutes: float) -> _JSON:
    """Return a node; of clients, `statistics` is null."""
    return {
        **_key(shown.key),
        "root": shown.root,
        "statistics": _statistics(shown.statistics, minutes) if shown.statistics else None,
        "latency": distribution(latency.of_node(shown)),
    }


def edge(shown: Edge, minutes: float) -> _JSON:
    """Return an edge; its latency is the caller's, network included."""
    return {
        **_ends((shown.source, shown.target)),
        "statistics": _statistics(shown.statistics, minutes),
        "latency": distribution(latency.of_edge(shown)),
    }


def distribution(histogram: Histogram) -> _JSON:
    """Return percentiles (null without responses) and X-Ray's histogram."""
    return {
        "responses": latency.count(histogram),
        **{f"p{percent}": latency.percentile(histogram, percent) for percent in PERCENTILES},
        "histogram": [{"seconds": bucket.seconds, "count": bucket.count} for bucket in histogram],
    }


def listing(traces: Sequence[TraceSummary], limit: int) -> _JSON:
    """Return the groups of all traces, and the newest `limit` of them."""
    groups = [
        {
            "url": group.url,
            "traces": group.traces,
            "share": group.traces / len(traces),
            "averageResponseTime": group.average,
            "counts": {state: group.counts[state] for state in ("ok", "throttle", "error", "fault")},
        }
        for group in by_url(traces)
    ]
    return {"count": len(traces), "groups": groups, "traces": [_summary(trace) for trace in traces[:limit]]}


def trace(shown: Trace) -> _JSON:
    """Return a trace as the tree of its segments."""
    return {
        "id": shown.id,
        "start": _time(shown.start),
        "duration": shown.duration,
        "limitExceeded": shown.limit_exceeded,
        "missingParents": [root.parent for root in shown.roots if root.parent],
        "segments": [_segment(root, shown.start) for root in shown.roots],
    }


def comparison(shown: Comparison) -> _JSON:
    """Return what changed."""
    entry = shown.entry_shift
    return {
        "before": span(shown.before.start, shown.before.end),
        "after": span(shown.after.start, shown.after.end),
        "newNodes": [_key(key) for key in shown.new_nodes],
        "lostNodes": [_key(key) for key in shown.lost_nodes],
        "newEdges": [_ends(ends) for ends in shown.new_edges],
        "lostEdges": [_ends(ends) for ends in shown.lost_edges],
        "shifts": [_shift(shift, shown) for shift in shown.shifts],
        "entry": _shift(entry, shown) if entry else None,
    }


def _shift(shift: Shift, shown: Comparison) -> _JSON:
    sides = (("before", shift.before, shown.before), ("after", shift.after, shown.after))
    return {
        **_key(shift.key),
        **{
            side: {
                "tracesPerMinute": comparing.rate(part, shift.key),
                "responses": latency.count(histogram),
                **{f"p{percent}": latency.percentile(histogram, percent) for percent in PERCENTILES},
            }
            for side, histogram, part in sides
        },
        "fewResponses": shift.is_thin,
    }


def _summary(trace: TraceSummary) -> _JSON:
    return {
        "id": trace.id,
        "start": _time(trace.start),
        "duration": trace.duration,
        "responseTime": trace.response_time,
        "state": trace.state,
        "partial": trace.partial,
        "method": trace.method,
        "url": trace.url,
        "status": trace.status,
        "userAgent": trace.user_agent,
        "clientIp": trace.client_ip,
        "services": [_key(key) for key in trace.services],
        "annotations": {name: list(values) for name, values in trace.annotations.items()},
    }


def _segment(segment: Segment, origin: float) -> _JSON:
    return {
        "id": segment.id,
        "parent": segment.parent or None,
        "name": segment.name,
        "type": segment.type,
        "offset": segment.start - origin,
        "duration": None if segment.end is None else segment.end - segment.start,
        "state": segment.state,
        "method": segment.method,
        "url": segment.url,
        "status": segment.status,
        "inferred": segment.inferred,
        "document": dict(segment.document),
        "segments": [_segment(child, origin) for child in segment.children],
    }


def _statistics(counted: Statistics, minutes: float) -> _JSON:
    counts: Mapping[str, int] = {
        "ok": counted.ok,
        "error": counted.error,
        "throttle": counted.throttle,
        "fault": counted.fault,
    }
    return {
        "total": counted.total,
        "tracesPerMinute": counted.total / minutes,
        "average": counted.average if counted.total else None,
        "counts": counts,
        "shares": {state: number / counted.total if counted.total else 0.0 for state, number in counts.items()},
    }


def _key(key: Key) -> _JSON:
    return {"name": key.name, "type": key.type}


def _ends(ends: tuple[Key, Key]) -> _JSON:
    return {"source": _key(ends[0]), "target": _key(ends[1])}


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
