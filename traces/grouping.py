"""Groups of traces, as the console's list makes them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from traces.model import State, TraceSummary


@dataclass(frozen=True, kw_only=True)
class UrlGroup:
    """The traces of one URL."""

    url: str  # "" for traces that X-Ray knows no URL of
    traces: int
    average: float  # response time in seconds
    counts: Counter[State]


def by_url(traces: Iterable[TraceSummary]) -> Sequence[UrlGroup]:
    """Return the groups, the largest first."""
    members: dict[str, list[TraceSummary]] = {}
    for trace in traces:
        members.setdefault(trace.url, []).append(trace)
    groups = [
        UrlGroup(
            url=url,
            traces=len(found),
            average=sum(trace.response_time for trace in found) / len(found),
            counts=Counter(trace.state for trace in found),
        )
        for url, found in members.items()
    ]
    return sorted(groups, key=lambda group: (-group.traces, group.url))
