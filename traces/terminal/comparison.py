"""Two ranges of time side by side: what is new, what is lost, and how the latencies moved."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from traces import latency
from traces.comparing import FEW_RESPONSES, Comparison, Shift, rate
from traces.latency import PERCENTILES
from traces.model import CLIENT, Key, ServiceMap
from traces.names import label
from traces.terminal import words

_SAME_SHARE = 0.05  # what differs by less is not coloured


def comparison(shown: Comparison) -> RenderableType:
    """Show what changed from `before` to `after`."""
    heading = Text.assemble(
        ("Before ", "bold"),
        _summary(shown.before),
        ("\nAfter  ", "bold"),
        _summary(shown.after),
    )
    parts: list[RenderableType] = [heading, Text(), _changes(shown), Text()]
    if shown.shifts:
        parts += [_shifts(shown.shifts)]
        if any(shift.is_thin for shift in shown.shifts):
            thin = f"~ fewer than {FEW_RESPONSES} responses before or after: p99 is then just about the slowest one"
            parts.append(Text(thin, style="dim"))
        parts.append(Text())
    return Group(*parts, *cost(shown))


def _summary(shown: ServiceMap) -> str:
    services = sum(key.type != CLIENT for key in shown.nodes)
    return f"{words.span(shown.start, shown.end)}: {services} services, {len(shown.edges)} edges"


def _changes(shown: Comparison) -> Text:
    lines = [
        *(("+", "green", _node(key)) for key in shown.new_nodes),
        *(("+", "green", f"edge    {_edge(ends)}") for ends in shown.new_edges),
        *(("-", "red", _node(key)) for key in shown.lost_nodes),
        *(("-", "red", f"edge    {_edge(ends)}") for ends in shown.lost_edges),
    ]
    if not lines:
        return Text("Same services and edges in both.")
    words_for = {"+": "new", "-": "lost"}
    return Text("\n").join(Text.assemble((f"{sign} {words_for[sign]:<5}", style), what) for sign, style, what in lines)


def _node(key: Key) -> str:
    return f"client of {key.name}" if key.type == CLIENT else f"service {key.name}"


def _edge(ends: tuple[Key, Key]) -> str:
    return f"{label(ends[0])} → {label(ends[1])}"


def _shifts(shifts: Sequence[Shift]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("the services' own latency", overflow="fold")
    table.add_column("", no_wrap=True)
    for heading in ("responses", *(f"p{percent}" for percent in PERCENTILES)):
        table.add_column(heading, justify="right", no_wrap=True)
    for shift in shifts:
        values = shift.percentiles()
        before = [words.duration(old) for old, _ in values.values()]
        table.add_row(shift.key.name, "before", str(latency.count(shift.before)), *before)
        after = [words.duration(new) for _, new in values.values()]
        table.add_row("", "after", str(latency.count(shift.after)), *after)
        moved = [_moved(old, new) for old, new in values.values()]
        if shift.is_thin:
            moved[-1] = Text.assemble("~ ", moved[-1])
        table.add_row("", "shift", "", *moved)
    return table


def _moved(old: float | None, new: float | None) -> Text:
    """``+0.4 ms``, with the colour of what it means where it is more than a few percent."""
    if old is None or new is None:
        return Text("-", style="dim")
    difference = new - old
    if not difference:
        return Text("0", style="dim")
    sign, style = ("+", "yellow") if difference > 0 else ("-", "green")
    told = f"{sign}{words.duration(abs(difference))}"
    return Text(told, style=style if abs(difference) > _SAME_SHARE * old else "dim")


def cost(shown: Comparison) -> Iterator[RenderableType]:
    """Say what tracing itself may cost, and why the numbers alone do not prove it."""
    yield Text("What tracing itself costs", style="bold")
    if shown.entry is None:
        yield Text("Neither range has requests of clients: nothing can be said.")
        return
    shift, name = shown.entry_shift, shown.entry.name
    if shift is None:
        missing = "before" if shown.entry not in shown.before.nodes else "after"
        yield Text(
            f"It cannot be told from X-Ray: {name}, where requests come in, has no traces in the range {missing}. "
            "Measure where both are seen, such as with a load generator or the load balancer's metrics."
        )
        return
    told = ", ".join(
        f"p{percent} {words.duration(old)} → {words.duration(new)} ({_moved(old, new).plain})"
        for percent, (old, new) in shift.percentiles().items()
    )
    yield Text(f"{name}, where requests come in: {told}.")
    yield Text("This is what changed, not yet what tracing changed. Before calling it tracing's cost, consider:")
    doubts = Table.grid(padding=(0, 1))
    for doubt in _doubts(shown, shift):
        doubts.add_row(" -", doubt)
    yield doubts


def _doubts(shown: Comparison, shift: Shift) -> Iterator[str]:
    yield (
        "X-Ray knows only requests that were traced: both sides paid for tracing. What untraced requests took, "
        "only a load generator or the load balancer's metrics can tell."
    )
    rates = [words.rate(rate(part, shift.key)) for part in (shown.before, shown.after)]
    yield f"Traces per minute: {rates[0]} before, {rates[1]} after. The load and the sampling rate change them alike."
    if shown.new_edges or shown.lost_edges:
        yield "The requests took other ways: edges are new or lost, so it is not the same work that is compared."
    yield "A deployment in one of the ranges brings cold starts and fewer tasks for a while."
    if shift.is_thin:
        counts = [latency.count(part) for part in (shift.before, shift.after)]
        yield f"{counts[0]} and {counts[1]} responses are few: single slow ones move the percentiles."
