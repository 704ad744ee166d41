"""The list of traces: groups by URL as in the console, then the traces, the newest first."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from traces.grouping import by_url
from traces.model import State, TraceSummary
from traces.ranges import Range
from traces.terminal import words

_COUNTED: tuple[State, ...] = ("ok", "throttle", "error", "fault")
_LONG: dict[State, str] = {"ok": "OK", "throttle": "Throttled", "error": "Errors", "fault": "Faults"}
_FIRST_LINE = "{:<35}  {:>4}  {:<6}  {:<18}  {:>7}"
_ONE_LINE = 140  # columns from which a trace has room on one line


def listing(traces: Sequence[TraceSummary], asked: Range, *, limit: int, now: float, width: int) -> RenderableType:
    """Show all traces by URL, and each of the newest `limit`; `now` (seconds since the epoch) gives their age."""
    told = f"  {len(traces)} in {words.span(asked.start, asked.end)}"
    heading = Text.assemble(("Traces", "bold"), told)
    if not traces:
        return Group(heading)
    newest = traces[:limit]
    parts: list[RenderableType] = [heading, Text(), _groups(traces, width)]
    if newest:
        parts += [Text(), _lines(newest, now) if width >= _ONE_LINE else _pairs_of_lines(newest, now)]
    if len(traces) > len(newest):
        parts.append(
            Text(f"{len(newest)} of {len(traces)} traces listed; --limit {len(traces)} lists all", style="dim")
        )
    return Group(*parts)


def _groups(traces: Sequence[TraceSummary], width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("by URL", overflow="fold")
    counted = _LONG if width >= words.WIDE else words.HEADING
    for heading in ("average", "share", *(counted[state] for state in _COUNTED)):
        table.add_column(heading, justify="right", no_wrap=True)
    for group in by_url(traces):
        counts = (
            Text(str(group.counts[state] or "-"), style=words.STYLE[state] if group.counts[state] else "dim")
            for state in _COUNTED
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
    table.add_column("URL", overflow="fold")
    table.add_column("client IP", no_wrap=True)
    table.add_column("annotations", justify="right", no_wrap=True)
    for trace in traces:
        table.add_row(
            trace.id,
            words.age(now - trace.start),
            trace.method or "-",
            Text(_response(trace), style=words.STYLE[trace.state]),
            words.duration(trace.response_time),
            trace.url,
            trace.client_ip,
            str(len(trace.annotations)),
        )
    return table


def _pairs_of_lines(traces: Sequence[TraceSummary], now: float) -> Text:
    """Put URL, client and annotations under the rest."""
    lines = [Text(f"{'ID':<35}  {'age':>4}  {'method':<6}  {'response':<18}  {'time':>7}", style="dim")]
    for trace in traces:
        response = f"{_response(trace):<18}", words.STYLE[trace.state]
        start = f"{trace.id:<35}  {words.age(now - trace.start):>4}  {trace.method or '-':<6}  "
        lines.append(Text.assemble(start, response, f"  {words.duration(trace.response_time):>7}"))
        rest = filter(None, (trace.url, trace.client_ip, f"{len(trace.annotations)} annotations"))
        lines.append(Text(f"  {'  '.join(rest)}", style="dim"))
    return Text("\n", overflow="fold").join(lines)


def _response(trace: TraceSummary) -> str:
    return f"{trace.status or '-'} {words.WORD[trace.state]}{' partial' if trace.partial else ''}"
