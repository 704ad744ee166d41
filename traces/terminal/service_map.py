"""The service map as a tree of calls from the clients down, and a table of the services."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from traces.model import CLIENT, Key, Node, ServiceMap, Statistics
from traces.names import label
from traces.terminal import words

_CALLS, _SERVICES = "calls, as the callers saw them", "services, as they saw themselves"
_BAR = 12  # cells
_NAMES_AT_LEAST = 20
_NUMBERS = 46  # cells that the columns of numbers take, with the gaps between them
_ABOVE = " ↑"
_DOTS = "·•●"  # a service's size: little, some, much of the traffic

_Row = tuple[Text, Statistics | None]


def service_map(shown: ServiceMap, width: int) -> RenderableType:
    """Show who called whom, how often, how long it took and how it ended."""
    heading = Text.assemble(("Service map", "bold"), f"  {words.span(shown.start, shown.end)}")
    if not shown.nodes:
        return Group(heading, Text("No traces in this range."))
    calls, services = list(_tree(shown)), list(_by_traffic(shown))
    longest = max(len(name) for name in (_CALLS, _SERVICES, *(name.plain for name, _ in (*calls, *services))))
    names = min(longest, max(_NAMES_AT_LEAST, width - _NUMBERS))
    bar = _BAR if width >= names + _NUMBERS + _BAR else 0
    parts: list[RenderableType] = [heading, Text(), _table(_CALLS, calls, shown, names, bar), Text()]
    if any(name.plain.endswith(_ABOVE) for name, _ in calls):
        parts[-1:] = [Text(f"{_ABOVE.strip()} its own calls are told above", style="dim"), Text()]
    return Group(*parts, _table(_SERVICES, services, shown, names, bar))


def _table(title: str, rows: Sequence[_Row], shown: ServiceMap, names: int, bar: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(title, min_width=names, overflow="fold")
    for heading in ("average", "traces/min", *words.HEADING.values()):
        table.add_column(heading, justify="right", no_wrap=True)
    if bar:
        table.add_column("", no_wrap=True)
    for name, statistics in rows:
        table.add_row(name, *(_cells(statistics, shown.minutes, bar) if statistics else ()))
    return table


def _cells(statistics: Statistics, minutes: float, bar: int) -> list[str | Text]:
    average = words.duration(statistics.average if statistics.total else None)
    cells: list[str | Text] = [average, words.rate(statistics.total / minutes), *words.shares(statistics)]
    return [*cells, words.bar(statistics, bar)] if bar else cells


def _by_traffic(shown: ServiceMap) -> Iterator[_Row]:
    counted = [(node, node.statistics) for node in shown.nodes.values() if node.statistics]
    most = max((statistics.total for _, statistics in counted), default=0) or 1
    for node, statistics in sorted(counted, key=lambda pair: (-pair[1].total, pair[0].key)):
        dot = _DOTS[min(len(_DOTS) - 1, len(_DOTS) * statistics.total // most)]
        yield Text.assemble((f"{dot} ", _health(statistics)), (node.key.name, "bold"), _kind(shown, node)), statistics


def _kind(shown: ServiceMap, node: Node) -> str:
    """Tell the type where the name alone would stand for two services."""
    same = [key for key in shown.nodes if key.name == node.key.name and key.type != CLIENT]
    return f" ({node.key.type})" if len(same) > 1 else ""


def _health(statistics: Statistics) -> str:
    """Return the colour of the worst that happened to a service."""
    happened = [state for state, number in words.counts(statistics) if number]
    return words.STYLE[happened[-1]] if happened else "dim"


def _tree(shown: ServiceMap) -> Iterator[_Row]:
    """Yield a row for each caller at the top and for each call below it, with what the caller saw."""
    called = {target for source, target in shown.edges if source != target}
    order = sorted(shown.nodes, key=lambda key: (key.type != CLIENT, -len(shown.reached(key)), key))
    told: set[Key] = set()
    # After those whom nobody calls there may be circles left; each begins where most is reached.
    for top in (*(key for key in order if key not in called), *order):
        if top not in told:
            told.add(top)
            yield Text(label(top), style="bold"), None
            yield from _below(shown, top, "", told)


def _below(shown: ServiceMap, source: Key, indent: str, told: set[Key]) -> Iterator[_Row]:
    edges = [edge for edge in shown.edges.values() if edge.source == source]
    for edge in sorted(edges, key=lambda edge: (edge.target != source, -edge.statistics.total, edge.target)):
        edges.remove(edge)
        branch, deeper = ("├─ ", "│  ") if edges else ("└─ ", "   ")
        name = "↺ itself" if edge.target == source else label(edge.target) + (_ABOVE if edge.target in told else "")
        yield Text.assemble((indent + branch, "dim"), name), edge.statistics
        if edge.target not in told:
            told.add(edge.target)
            yield from _below(shown, edge.target, indent + deeper, told)
