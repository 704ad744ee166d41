"""A review as compact JSON: columns instead of rows, each text once, times as whole numbers; `data.js` reads it.

The index (map and lists) is read when the page opens. Segments come in chunks, read when one of their traces is opened,
so that opening the page takes no longer for having them.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

from traces.model import Histogram, Key, Node, Segment, ServiceMap, State, Statistics, Trace, TraceSummary
from traces.page.timings import timings

if TYPE_CHECKING:
    from traces.report import Review

CHUNK = 200  # traces; their segments are about 500 kB of JSON, read in a few milliseconds
_STATES: tuple[State, ...] = get_args(State)

_Call = tuple[Key, Key]
_Item = Key | _Call
# Places, in the page's lists, of the map's nodes and edges: nodes first, edges after them.
_Places = Mapping[_Item, int]


class _Texts:
    """Every text once; elsewhere stands its place in the table."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))

    def table(self) -> list[str]:
        return list(self._places)


def index(review: "Review") -> str:
    """Return what the page needs to open: both maps as one, and the list of traces of each."""
    sets = [review, *([review.before] if review.before else [])]
    maps = [each.map for each in sets]
    edges = sorted({call for map_ in maps for call in map_.edges})
    nodes = sorted({key for map_ in maps for key in map_.nodes} | {key for call in edges for key in call})
    items: list[_Item] = [*nodes, *edges]
    places = {item: place for place, item in enumerate(items)}
    texts = _Texts()
    return _json(
        {
            "states": _STATES,
            "chunk": CHUNK,
            "nodes": [[key.name, key.type, [_node(map_, key) for map_ in maps]] for key in nodes],
            "edges": [[*(places[key] for key in call), [_edge(map_, call) for map_ in maps]] for call in edges],
            "sets": [_set(each, places, texts) for each in sets],
            "texts": texts.table(),  # last: it is complete only now
        }
    )


def chunks(review: "Review") -> Iterator[str]:
    """Yield the segments of the traces as listed, `CHUNK` traces at a time; null where a trace has none."""
    if not review.details:
        return
    for first in range(0, len(review.traces), CHUNK):
        texts = _Texts()
        listed = review.traces[first : first + CHUNK]
        traces = [_trace(review.details[each.id], texts) if each.id in review.details else None for each in listed]
        yield _json({"traces": traces, "texts": texts.table()})


def _set(review: "Review", places: _Places, texts: _Texts) -> dict[str, Any]:
    return {
        "title": review.title,
        "notes": review.notes,
        "start": review.map.start,
        "end": review.map.end,
        "detailed": bool(review.details),
        "traces": {name: [*map(column, review.traces)] for name, column in _columns(review, places, texts).items()},
    }


def _columns(review: "Review", places: _Places, texts: _Texts) -> Mapping[str, Callable[[TraceSummary], object]]:
    """Return how each column of the list is made: starts in ms since the range began, durations in µs."""

    def annotation(name: str, values: tuple[str | float | bool, ...]) -> list[str | float | bool]:
        return [texts.place(name), *map(_finite, values)]

    return {
        "id": lambda each: each.id,
        "start": lambda each: round((each.start - review.map.start) * 1e3),
        "duration": lambda each: _micros(each.duration),
        "response": lambda each: _micros(each.response_time),
        "state": lambda each: _STATES.index(each.state),
        "partial": lambda each: int(each.partial),
        "method": lambda each: texts.place(each.method),
        "url": lambda each: texts.place(each.url),
        "status": lambda each: each.status,
        "agent": lambda each: texts.place(each.user_agent),
        "ip": lambda each: texts.place(each.client_ip),
        "services": lambda each: [places[key] for key in each.services if key in places],
        "annotations": lambda each: [annotation(*item) for item in each.annotations.items()],
        "timings": lambda each: _timings(review, each, places),
    }


def _timings(review: "Review", summary: TraceSummary, places: _Places) -> list[int] | None:
    """Return place and µs, place and µs, … of one trace; None where its segments are not there."""
    trace = review.details.get(summary.id)
    if trace is None:
        return None
    measured = timings(trace, places.keys())
    return [
        number
        for item, durations in measured.items()
        for seconds in durations
        for number in (places[item], _micros(seconds))
    ]


def _node(map_: ServiceMap, key: Key) -> list[Any] | None:
    """Return [root, statistics, histogram], or None where the map has no such node."""
    node = map_.nodes.get(key)
    if node is None:
        if not any(key in call for call in map_.edges):
            return None
        node = Node(key=key, statistics=None)  # told by its edges only
    statistics = None if node.statistics is None else _statistics(node.statistics)
    return [int(node.root), statistics, _histogram(node.durations or node.responses)]


def _edge(map_: ServiceMap, call: _Call) -> list[Any] | None:
    """Return [statistics, histogram], or None where the map has no such edge."""
    edge = map_.edges.get(call)
    return None if edge is None else [_statistics(edge.statistics), _histogram(edge.responses)]


def _statistics(statistics: Statistics) -> list[float]:
    return [*(getattr(statistics, state) for state in _STATES), statistics.total, statistics.response_time]


def _histogram(buckets: Histogram) -> list[float]:
    return [number for bucket in buckets for number in (bucket.seconds, bucket.count)]


def _trace(trace: Trace, texts: _Texts) -> list[Any]:
    rows = [_segment(depth, segment, trace.start, texts) for depth, segment in trace.walk()]
    return [_micros(trace.duration), int(trace.limit_exceeded), rows]


def _segment(depth: int, segment: Segment, start: float, texts: _Texts) -> list[Any]:
    """Return one row of a waterfall. The document stays text: shown as it is, numbers of any size and all."""
    return [
        depth,
        segment.id,
        segment.parent,
        texts.place(segment.name),
        texts.place(segment.type),
        _micros(segment.start - start),
        None if segment.end is None else _micros(segment.end - segment.start),
        _STATES.index(segment.state),
        texts.place(segment.method),
        texts.place(segment.url),
        segment.status,
        int(segment.inferred),
        json.dumps(segment.document, ensure_ascii=False, indent=2),
    ]


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)


def _finite(value: str | float) -> str | float:
    """Return a value that JSON can carry; infinity is told in words."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _json(content: Mapping[str, Any]) -> str:
    """Return JSON in ASCII: half characters (lone surrogates) survive as escapes."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False)
