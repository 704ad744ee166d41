"""The list of traces: groups by URL as in the console, then the traces, the newest first."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from traces.grouping import by_url
from traces.model import TraceSummary
from traces.ranges import Range
from traces.terminal import words

_SEVERAL_LINES = 120  # columns below which a trace takes two lines


def listing(traces: Sequence[TraceSummary], asked: Range, *, limit: int, now: float, width: int) -> RenderableType:
    """Show all traces by URL, and each of the newest `limit`; `now` (seconds since the epoch) gives their age."""
    told = f"  {len(traces)} in {words.span(asked.start, asked.end)}"
    heading = Text.assemble(("Traces", "bold"), told)
    if not traces:
        return Group(heading)
    newest = traces[:limit]
    parts: list[RenderableType] = [heading, Text(), _groups(traces)]
    if newest:
        make = _lines if width >= _SEVERAL_LINES else _pairs_of_lines
        parts += [Text(), make(newest, now)]
    if len(traces) > len(newest):
        parts.append(
            Text(f"{len(newest)} of {len(traces)} traces listed; --limit {len(traces)} lists all", style="dim")
        )
    return Group(*parts)


def _groups(traces: Sequence[TraceSummary]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("by URL", overflow="fold", ratio=1)
    for heading in ("average", "share", "OK", "Throttled", "Errors", "Faults"):
        table.add_column(heading, justify="right", no_wrap=True)
    for group in by_url(traces):
        counts = (
            Text(str(group.counts[state] or "-"), style=words.STYLE[state] if group.counts[state] else "dim")
            for state in ("ok", "throttle", "error", "fault")
        )
        average = words.duration(group.average)
        table.add_row(group.url or "(no URL)", average, words.share(group.traces, len(traces)), *counts)
    return table


def _lines(traces: Sequence[TraceSummary], now: float) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("ID", no_wrap=True)
    table.add_column("age", justify="right", no_wrap=True)
    table.add_column("method", no_wrap=True)
    table.add_column("response", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("URL", overflow="fold", ratio=1)
    table.add_column("client IP", no_wrap=True)
    table.add_column("annot.", justify="right", no_wrap=True)
    for trace in traces:
        table.add_row(*_start(trace, now), trace.url, trace.client_ip, str(len(trace.annotations)))
    return table


def _pairs_of_lines(traces: Sequence[TraceSummary], now: float) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("ID", overflow="fold", ratio=1)
    table.add_column("age", justify="right", no_wrap=True)
    table.add_column("method", no_wrap=True)
    table.add_column("response", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    for trace in traces:
        identity, *others = _start(trace, now)
        rest = [trace.url, trace.client_ip and f"from {trace.client_ip}", f"{len(trace.annotations)} annotations"]
        table.add_row(Text(f"{identity}\n  {'  '.join(filter(None, rest))}"), *others)
    return table


def _start(trace: TraceSummary, now: float) -> list[str | Text]:
    response = f"{trace.status or '-'} {words.WORD[trace.state]}{', partial' if trace.partial else ''}"
    return [
        trace.id,
        words.age(now - trace.start),
        trace.method or "-",
        Text(response, style=words.STYLE[trace.state]),
        words.duration(trace.response_time),
    ]
