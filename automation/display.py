"""What a person sees. Rendering is pure (rows, time and width in; text out); `Board` is the thin loop around it.

On a terminal: one live row a stack. Elsewhere: one plain line for each change of state. Never more than one writer.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from automation.advice import advice
from automation.errors import ExitCode
from automation.events import summarise
from automation.forecast import Change
from automation.hops import Hop
from automation.proof import Proof
from automation.report import Report
from automation.run import Row, State
from automation.verify import Running

_STYLE = {
    State.WAITING: "dim",
    State.RUNNING: "cyan",
    State.DONE: "green",
    State.UNCHANGED: "green",
    State.FAILED: "bold red",
    State.BLOCKED: "yellow",
    State.CANCELLED: "yellow",
}
_SIGN = {"create": "+", "update": "~", "replace": "+-", "delete": "-", "import": "="}
_SIGN_STYLE = {"create": "green", "update": "yellow", "replace": "bold red", "delete": "red", "import": "cyan"}

_WAITING_LINE_SECONDS = 15  # in a log, one line about the wait every so often

# A plan with more changes than this in one stack is told by type: nobody reads ninety lines to learn "all of it".
_LISTED_CHANGES = 8


def board(rows: Sequence[Row], now: float) -> Table:
    """One row a stack: state, resources done of planned, elapsed, what it is doing."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    # Fixed widths: only what a stack is doing may give way on a narrow terminal, and nothing jumps while it changes.
    table.add_column("stack", width=max(len(row.step.service) for row in rows), no_wrap=True)
    table.add_column("state", width=max(len(state) for state in State), no_wrap=True)
    table.add_column("resources", width=len("resources"), justify="right", no_wrap=True)
    table.add_column("time", width=len("1000.0 s"), justify="right", no_wrap=True)
    table.add_column("", ratio=1)
    for row in rows:
        table.add_row(
            row.step.service,
            Text(row.state, style=_STYLE[row.state]),
            _resources(row),
            f"{row.elapsed(now):.1f} s" if row.started is not None else "",
            Text(_doing(row), style="dim", no_wrap=True, overflow="ellipsis"),
        )
    return table


def line(row: Row, now: float) -> str:
    """The same for a log: ``platform: done, 91 resources, 8.1 s (create 90)``."""
    parts = [f"{row.step.service}: {row.state}"]
    if row.state.is_final and row.started is not None:
        parts += [f"{_resources(row)} resources", f"{row.elapsed(now):.1f} s"]
    return ", ".join(parts) + (f" ({_doing(row)})" if _doing(row) else "")


def plan(title: str, changes: Mapping[str, Sequence[Change]]) -> RenderableType:
    """The plan of all stacks, by service."""
    lines: list[RenderableType] = [Text(title, style="bold")]
    for service, listed in changes.items():
        counts = Counter(change.op for change in listed)
        lines.append(Text.assemble("  ", (f"{service:<10}", "bold"), summarise(counts)))
        details = Table.grid(padding=(0, 1))
        details.add_column(min_width=6, justify="right", no_wrap=True)
        details.add_column(overflow="fold")
        for sign, what in _details(listed):
            details.add_row(sign, what)
        if listed:
            lines.append(details)
    return Group(*lines)


def _details(changes: Sequence[Change]) -> Iterator[tuple[Text, Text]]:
    """Sign and description of each change, or of each kind of change where there are many."""
    if len(changes) > _LISTED_CHANGES:
        by_type = Counter((change.op, change.short_type) for change in changes)
        for op in dict.fromkeys(op for op, _ in by_type):
            kinds = [f"{kind} x{count}" if count > 1 else kind for (of, kind), count in by_type.items() if of == op]
            yield _sign(op), Text(", ".join(kinds))
        return
    for change in changes:
        properties = f"  [{', '.join(change.properties)}]" if change.properties else ""
        yield _sign(change.op), Text.assemble(f"{change.short_type} ", (change.name, "bold"), (properties, "dim"))


def _sign(op: str) -> Text:
    return Text(_SIGN.get(op, op), style=_SIGN_STYLE.get(op, ""))


def diagnostics(rows: Sequence[Row]) -> RenderableType:
    """The failed stacks' own errors, one stack after the other, never mixed."""
    lines: list[RenderableType] = []
    for row in rows:
        if row.state is State.FAILED:
            lines.append(Text(f"{row.step.service} failed:", style="bold red"))
            errors = row.progress.errors or [row.reason]
            lines.extend(Text(f"  {error}") for error in errors)
            if helpful := advice(row.step.stack, errors):
                lines.append(Text(f"  {helpful}", style="yellow"))
    return Group(*lines)


def status(rows: Mapping[str, Mapping[str, str]]) -> Table:
    """A table of words, by service; the first row names the columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("service", no_wrap=True)
    for column in next(iter(rows.values()), {}):
        table.add_column(column, overflow="fold")
    for service, cells in rows.items():
        table.add_row(service, *(Text(cell, style=_cell_style(cell)) for cell in cells.values()))
    return table


def verdict(service: str, running: Running) -> Text:
    """One line: what AWS runs, or what is wrong with it."""
    if running.problems:
        return Text.assemble((f"  {service:<10}", "bold red"), "; ".join(running.problems))
    tasks = f"{running.running} of {running.desired} tasks"
    traced = "traced" if running.flag else "not traced"
    return Text.assemble((f"  {service:<10}", "green"), f"{running.revision}, {tasks}, {traced}")


@contextmanager
def waiting(console: Console) -> Iterator[Callable[[Mapping[str, str]], None]]:
    """Yields what tells the user, every now and then, which services are still awaited and why."""
    begun = told = time.monotonic()
    status = console.status("")  # draws nothing where there is no terminal

    def tell(reasons: Mapping[str, str]) -> None:
        nonlocal told
        now = time.monotonic()
        awaited = "; ".join(f"{service}: {reason}" for service, reason in reasons.items())
        message = f"Waiting {now - begun:.0f} s for ECS: {awaited}"
        if console.is_terminal:
            status.update(Text(message))
        elif now - told >= _WAITING_LINE_SECONDS:
            told = now
            console.print(message, soft_wrap=True, highlight=False, markup=False)

    with status:
        yield tell


@contextmanager
def looking(console: Console) -> Iterator[Callable[[Mapping[Hop, int]], None]]:
    """Show which hops have been seen so far, on a terminal; elsewhere nothing until the end."""
    if not console.is_terminal:
        yield lambda _seen: None
        return
    with console.status("0 calls seen") as status:
        yield lambda seen: status.update(f"{sum(map(bool, seen.values()))} of {len(seen)} calls seen")


def proof(found: Proof) -> Text:
    """Which of the calls that the services declare were seen, and why the others were not."""
    width = max((len(hop.words) for hop in found.seen), default=0)
    lines = []
    for hop, number in found.seen.items():
        seen = (f"{number} traced", "green") if number else ("not traced", "red")
        lines.append(Text.assemble(f"  {hop.words:<{width}}  ", seen))
        if cause := found.causes.get(hop):
            lines.append(Text(f"    {cause.message}"))
            lines += [Text(f"    next: {cause.next_command}", style="dim")] if cause.next_command else []
    return Text("\n").join(lines)


def next_steps(report: Report, option: str) -> Text:
    """Where to look after a run, however it ended."""
    status = (f"python automation/status.py{option}", "flag, revision, sidecar, policy and drift of each service")
    again = f"python automation/{report.command}.py{option}"
    if report.exit_code is ExitCode.NOT_VERIFIED:
        steps = [status, (f"{again} --refresh", "deploy again, against what AWS really has")]
    elif report.exit_code is not ExitCode.DONE:
        steps = [status, (f"{again} --resume", "go on where this run ended")]
    else:
        other = "disable" if report.traced else "enable"
        steps = [
            status,
            (f"python automation/preview.py{option}", "what the next deployment would change"),
            (f"python automation/{other}.py{option}", f"turn tracing {'off' if report.traced else 'on'} again"),
        ]
        if report.traced:
            steps[1:1] = [
                (f"python automation/traces.py map{option}", "who calls whom; also latency, list, show, compare")
            ]
        if not option:
            steps.append(('eval "$(python -m localaws env)"', "then drive `pulumi` and `aws` by hand"))
    width = max(len(command) for command, _ in steps)
    return Text("Next:\n" + "\n".join(f"  {command:<{width}}  {what}" for command, what in steps))


class Board:
    """Shows a run as it goes, on a terminal or as plain lines."""

    def __init__(self, console: Console, rows: Sequence[Row]) -> None:
        self._console = console
        self._rows = rows

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw the board for as long as the block runs; it stays on the screen afterwards."""
        if not self._console.is_terminal:
            yield
            return
        draw = Live(
            get_renderable=lambda: board(self._rows, time.monotonic()), console=self._console, refresh_per_second=8
        )
        with draw:
            yield

    def changed(self, row: Row) -> None:
        """A row has a new state."""
        if not self._console.is_terminal and row.state is not State.WAITING:
            self._console.print(line(row, time.monotonic()), soft_wrap=True, highlight=False, markup=False)


def _resources(row: Row) -> str:
    if row.started is None:
        return ""
    done, planned = row.progress.done, row.progress.planned
    return f"{done}/{max(planned, done)}" if planned else str(done)


def _doing(row: Row) -> str:
    if row.state is State.RUNNING:
        return row.progress.current
    if row.state in (State.DONE, State.UNCHANGED):
        return summarise(row.progress.applied)
    return row.reason.partition("\n")[0]


def _cell_style(cell: str) -> str:
    word: Any = cell.partition(" ")[0]
    return {"on": "green", "yes": "green", "none": "green", "no": "yellow", "off": "yellow", "-": "dim"}.get(word, "")
