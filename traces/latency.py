"""What a histogram of response times says: percentiles, and bins that a person can read."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from traces.model import Edge, Histogram, Node

PERCENTILES = (50, 90, 99)

EPSILON = 1e-9  # 0.006 / 0.002 is a hair below 3

# Responses that are nearly alike need no bins of less than such a part of what they take.
_FINEST = 50
_STEPS = (1.0, 2.0, 5.0, 10.0)


class Bin(NamedTuple):
    """So many `responses` took from `low` until just before `high` seconds; the last of a tail has no end."""

    low: float
    high: float
    responses: int


def of_node(node: Node) -> Histogram:
    """Return what the service itself took."""
    return node.durations or node.responses


def of_edge(edge: Edge) -> Histogram:
    """Return what the caller waited, network included."""
    return edge.responses


def count(histogram: Histogram) -> int:
    """Return how many responses a histogram holds."""
    return sum(bucket.count for bucket in histogram)


def percentile(histogram: Histogram, percent: float) -> float | None:
    """Return the seconds within which so many percent of the responses came; None of an empty histogram."""
    needed, seen = count(histogram) * percent / 100, 0
    for bucket in histogram:
        seen += bucket.count
        if seen >= needed:
            return bucket.seconds
    return None


def bins(histogram: Histogram, most: int) -> Sequence[Bin]:
    """Sort the responses into at most `most` bins of one round width.

    A long tail is cut where its last hundredth begins: what took longer is the last bin's.
    """
    if not histogram:
        return ()
    low, high = histogram[0].seconds, histogram[-1].seconds
    p99 = percentile(histogram, 99) or high
    top = p99 if high > 2 * p99 else high
    width = _round_width(max((top - low) / max(1, most - 2), top / _FINEST))
    first = math.floor(low / width + EPSILON)
    last = math.floor(top / width + EPSILON)
    counts = [0] * (last - first + 1)
    longer = 0
    for bucket in histogram:
        at = math.floor(bucket.seconds / width + EPSILON)
        if at <= last:
            counts[at - first] += bucket.count
        else:
            longer += bucket.count
    made = [Bin((first + at) * width, (first + at + 1) * width, number) for at, number in enumerate(counts)]
    return [*made, Bin((last + 1) * width, math.inf, longer)] if longer else made


def _round_width(least: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not below `least`, nor below a tenth of a millisecond."""
    least = max(least, 1e-4)
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - EPSILON))
