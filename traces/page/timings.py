"""How long each service and each call took in one trace, so that a range on a service's histogram finds its traces."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence

from traces.model import CLIENT, Key, Segment, Trace

Item = Key | tuple[Key, Key]  # a node or an edge


def timings(trace: Trace, known: Container[Item]) -> Mapping[Item, Sequence[float]]:
    """Measure a trace as the map does, in seconds: a node by its own segments, an edge by its caller's.

    Only what is `known` to the map is measured: other segments belong to the service above them. A client waits as long
    as the service that it calls.
    """
    found: dict[Item, list[float]] = defaultdict(list)
    open_: list[tuple[Segment, Segment | None, Key | None]] = [(root, None, None) for root in trace.roots]
    while open_:
        segment, parent, caller = open_.pop()
        key = Key(segment.name, segment.type)
        service = key if key in known else caller
        if service is key:
            found[key].append(_seconds(segment))
            call = (caller or Key(key.name, CLIENT), key)
            if call in known:
                found[call].append(_seconds(parent or segment))
        open_.extend((child, segment, service) for child in segment.children)
    return found


def _seconds(segment: Segment) -> float:
    return 0.0 if segment.end is None else segment.end - segment.start
