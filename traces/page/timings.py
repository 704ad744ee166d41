"""How long each service and each call took in one trace, so that a range on a service's histogram finds its traces."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from traces.model import CLIENT, Key, Segment, Trace


class Timings(NamedTuple):
    """Durations in seconds, of all segments that are a service's own and of all calls between two services."""

    nodes: Mapping[Key, Sequence[float]]
    edges: Mapping[tuple[Key, Key], Sequence[float]]


def timings(trace: Trace, nodes: Container[Key], edges: Container[tuple[Key, Key]]) -> Timings:
    """Measure a trace as the map does: a node by its own segments, an edge by the caller's segment, network included.

    Segments that are no node of the map belong to the service above them. A client sees what its service answers.
    """
    own: dict[Key, list[float]] = defaultdict(list)
    calls: dict[tuple[Key, Key], list[float]] = defaultdict(list)
    open_: list[tuple[Segment, Segment | None, Key | None]] = [(root, None, None) for root in trace.roots]
    while open_:
        segment, parent, caller = open_.pop()
        key = Key(segment.name, segment.type)
        service = key if key in nodes else caller
        if service is key:
            own[key].append(_seconds(segment))
            call = (caller or Key(key.name, CLIENT), key)
            if call in edges:
                calls[call].append(_seconds(parent or segment))
        open_.extend((child, segment, service) for child in segment.children)
    return Timings(own, calls)


def _seconds(segment: Segment) -> float:
    return 0.0 if segment.end is None else segment.end - segment.start
