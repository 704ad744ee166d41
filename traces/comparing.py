"""What changed on the map from one range of time to another."""

from collections.abc import Sequence
from dataclasses import dataclass

from traces import latency
from traces.latency import PERCENTILES
from traces.model import CLIENT, Histogram, Key, ServiceMap

# Of fewer responses than this, the 99th percentile is just the slowest one.
FEW_RESPONSES = 100


@dataclass(frozen=True, kw_only=True)
class Shift:
    """The latencies of one service before and after."""

    key: Key
    before: Histogram
    after: Histogram

    @property
    def is_thin(self) -> bool:
        """Return whether one of the two has too few responses for its 99th percentile to say much."""
        return min(latency.count(self.before), latency.count(self.after)) < FEW_RESPONSES

    def percentiles(self) -> dict[int, tuple[float | None, float | None]]:
        """Return seconds before and after, by percentile; None where there is no response."""
        return {
            percent: (latency.percentile(self.before, percent), latency.percentile(self.after, percent))
            for percent in PERCENTILES
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What changed. `entry` is where most requests of clients come in; None where no range has any."""

    before: ServiceMap
    after: ServiceMap
    new_nodes: Sequence[Key]
    lost_nodes: Sequence[Key]
    new_edges: Sequence[tuple[Key, Key]]
    lost_edges: Sequence[tuple[Key, Key]]
    shifts: Sequence[Shift]  # of the services that are on both maps
    entry: Key | None

    @property
    def entry_shift(self) -> Shift | None:
        """Return the latencies of the entry; None where it is not on both maps."""
        return next((shift for shift in self.shifts if shift.key == self.entry), None)


def compare(before: ServiceMap, after: ServiceMap) -> Comparison:
    """Compare two maps of the same environment."""
    both = sorted(key for key in before.nodes.keys() & after.nodes.keys() if key.type != CLIENT)
    shifts = [
        Shift(key=key, before=latency.of_node(before.nodes[key]), after=latency.of_node(after.nodes[key]))
        for key in both
    ]
    return Comparison(
        before=before,
        after=after,
        new_nodes=sorted(after.nodes.keys() - before.nodes.keys()),
        lost_nodes=sorted(before.nodes.keys() - after.nodes.keys()),
        new_edges=sorted(after.edges.keys() - before.edges.keys()),
        lost_edges=sorted(before.edges.keys() - after.edges.keys()),
        shifts=shifts,
        entry=entry(after) or entry(before),
    )


def entry(shown: ServiceMap) -> Key | None:
    """Return the service that reaches most others of those that clients call, by traffic where several do."""
    called = {edge.target: edge.statistics.total for edge in shown.edges.values() if edge.source.type == CLIENT}
    return max(called, key=lambda key: (len(shown.reached(key)), called[key], key), default=None)


def rate(shown: ServiceMap, key: Key) -> float:
    """Return a service's traces per minute; 0 where it is not on the map."""
    node = shown.nodes.get(key)
    return node.statistics.total / shown.minutes if node and node.statistics else 0.0
