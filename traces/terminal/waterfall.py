"""One trace: when each segment began, how long it took, how it ended, and what it tells about itself."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from traces.model import Segment, Trace
from traces.terminal import words

_NUMBERS = 42  # cells that number, start, duration and status take, with the gaps
_NAMES_AT_LEAST, _BAR_AT_LEAST = 20, 12

# What a segment's own line tells already, or what is only X-Ray's bookkeeping.
_TOLD = {"id", "trace_id", "parent_id", "name", "start_time", "end_time", "http", "origin", "namespace", "type", "aws"}
_TOLD |= {"error", "fault", "throttle", "inferred", "annotations", "in_progress"}


def waterfall(trace: Trace, width: int) -> RenderableType:
    """Show a trace's segments under who called them, then each one's details."""
    rows = list(trace.walk())
    started = words.moment(trace.start)
    heading = Text.assemble(
        ("Trace ", "bold"),
        (trace.id, "bold"),
        f"\n{started:%Y-%m-%d %H:%M:%S}.{started:%f}"[:-3],
        f" {started:%Z}, {words.duration(trace.duration)}, {len(rows)} segments",
    )
    parts: list[RenderableType] = [heading, Text(), _table(trace, rows, width), Text()]
    if lost := [root for root in trace.roots if root.parent]:
        parts += [_unknown_callers(lost), Text()]
    parts += [_details(number, segment) for number, (_, segment) in enumerate(rows, start=1)]
    return Group(*parts)


def _table(trace: Trace, rows: Sequence[tuple[int, Segment]], width: int) -> Table:
    names = max(len(segment.name) + 2 * depth for depth, segment in rows)
    bar = max(_BAR_AT_LEAST, width - _NUMBERS - max(_NAMES_AT_LEAST, names))
    end = max(segment.end or segment.start for _, segment in rows)
    length = max(trace.duration, end - trace.start)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("segment", overflow="fold")
    table.add_column("start", justify="right", no_wrap=True)
    table.add_column("duration", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column(_scale(length, bar), no_wrap=True, min_width=bar)
    for number, (depth, segment) in enumerate(rows, start=1):
        open_ended = segment.end is None
        table.add_row(
            str(number),
            Text("  " * depth + segment.name, style="dim" if segment.inferred else ""),
            words.duration(segment.start - trace.start),
            "running" if open_ended else words.duration((segment.end or 0) - segment.start),
            _status(segment),
            _bar(segment, trace.start, length, bar),
        )
    return table


def _scale(length: float, width: int) -> str:
    return "0" + words.duration(length).rjust(width - 1)


def _bar(segment: Segment, start: float, length: float, width: int) -> Text:
    """Draw when it was: from its start to its end; of an open one, an arrow to the end."""
    cell = length / width or 1.0
    first = min(width - 1, int((segment.start - start) / cell))
    end = start + length if segment.end is None else segment.end
    cells = max(1, min(width - first, round((end - segment.start) / cell)))
    drawn = "░" * (cells - 1) + "▸" if segment.end is None else "█" * cells
    return Text(" " * first + drawn, style=words.STYLE[segment.state])


def _status(segment: Segment) -> Text:
    code = "" if segment.status is None else f"{segment.status} "
    return Text(f"{code}{words.WORD[segment.state]}", style=words.STYLE[segment.state])


def _unknown_callers(roots: Sequence[Segment]) -> Text:
    lines = [f"{root.name} was called by segment {root.parent}, which X-Ray has not received." for root in roots]
    return Text("\n".join(lines), style="yellow")


def _details(number: int, segment: Segment) -> RenderableType:
    kind = ", ".join(filter(None, (segment.type, "inferred by X-Ray" if segment.inferred else "")))
    heading = Text.assemble((f"{number} {segment.name}", "bold"), f"  {kind}  " if kind else "  ", (segment.id, "dim"))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _facts(segment):
        if value:
            grid.add_row(name, Text(value))
    return Group(heading, Padding(grid, (0, 0, 0, 3)))


def _facts(segment: Segment) -> Iterator[tuple[str, str]]:
    """Yield a line for what was asked, for the annotations, for each part of `aws`, and for all else there is."""
    document = segment.document
    request = _mapping(_mapping(document.get("http")).get("request"))
    said = [segment.method, segment.url]
    said += [
        f"{word} {request[key]}" for word, key in (("from", "client_ip"), ("by", "user_agent")) if request.get(key)
    ]
    yield "request", " ".join(filter(None, said))
    yield "annotations", _pairs(_mapping(document.get("annotations")))
    for name, part in _mapping(document.get("aws")).items():
        yield f"aws.{name}", _pairs(part) if isinstance(part, dict) else _text(part)
    for name in sorted(document.keys() - _TOLD):
        yield name, _text(document[name])


def _pairs(values: Mapping[str, Any]) -> str:
    return "  ".join(f"{name}={_text(value)}" for name, value in values.items())


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
