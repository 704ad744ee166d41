"""Response times of one service or call as a histogram, or of all on the map as a table."""

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from traces import latency
from traces.latency import PERCENTILES, Bin
from traces.model import CLIENT, Edge, Histogram, Node, ServiceMap
from traces.names import label
from traces.terminal import words

OF_NODE = "as the service itself saw it"
OF_EDGE = "as the caller saw it, network included"

_ROWS = 16
_BAR = 40  # cells of the longest bar, where there is room
_AROUND = 48  # cells beside the bar
_NUMBERS = 37  # cells that the table's columns of numbers take
_NAMES_AT_LEAST = 20
_EIGHTHS = " ▏▎▍▌▋▊▉"


def of_node(node: Node, shown: ServiceMap, width: int) -> RenderableType:
    """Show what a service took."""
    return _histogram(node.key.name, OF_NODE, latency.of_node(node), shown, width)


def of_edge(edge: Edge, shown: ServiceMap, width: int) -> RenderableType:
    """Show what calls from one service to another took."""
    title = f"{label(edge.source)} → {label(edge.target)}"
    return _histogram(title, OF_EDGE, latency.of_edge(edge), shown, width)


def of_all(shown: ServiceMap, width: int) -> RenderableType:
    """Show the percentiles of every service and every call."""
    heading = Text.assemble(("Latency", "bold"), f"  {words.span(shown.start, shown.end)}")
    if not shown.nodes:
        return Group(heading, Text("No traces in this range."))
    services = sorted((node for node in shown.nodes.values() if node.key.type != CLIENT), key=lambda node: node.key)
    calls = sorted(shown.edges.values(), key=lambda edge: (edge.source, edge.target))
    own = [(node.key.name, latency.of_node(node)) for node in services]
    called = [(f"{label(edge.source)} → {label(edge.target)}", latency.of_edge(edge)) for edge in calls]
    names = min(max(len(name) for name, _ in (*own, *called)), max(_NAMES_AT_LEAST, width - _NUMBERS))
    tables = (
        _table("services, as they saw themselves", own, names),
        _table("calls, as the callers saw them", called, names),
    )
    return Group(heading, Text(), tables[0], Text(), tables[1])


def _table(title: str, rows: Sequence[tuple[str, Histogram]], names: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column(title, min_width=names, overflow="fold")
    for heading in ("responses", *(f"p{percent}" for percent in PERCENTILES)):
        table.add_column(heading, justify="right", no_wrap=True, min_width=len("9.9 ms"))
    for name, histogram in rows:
        quantiles = (words.duration(latency.percentile(histogram, percent)) for percent in PERCENTILES)
        table.add_row(name, str(latency.count(histogram) or "-"), *quantiles)
    return table


def _histogram(title: str, seen: str, histogram: Histogram, shown: ServiceMap, width: int) -> RenderableType:
    total = latency.count(histogram)
    heading = Text.assemble(
        (title, "bold"), f"  {words.span(shown.start, shown.end)}\n", f"Response time {seen}; {total} responses"
    )
    if not total:
        return Group(heading, Text("No responses in this range."))
    marks = {percent: latency.percentile(histogram, percent) for percent in PERCENTILES}
    told = Text("   ").join(
        Text.assemble((f"p{percent} ", "dim"), (words.duration(seconds), "bold")) for percent, seconds in marks.items()
    )
    grid = Table.grid(padding=(0, 2, 0, 0))
    for justify in ("right", "left", "right", "left"):
        grid.add_column(justify=justify, no_wrap=True)
    bins = latency.bins(histogram, _ROWS)
    longest = max(one.responses for one in bins)
    for one in bins:
        inside = " ".join(
            f"◂ p{percent}" for percent, seconds in marks.items() if seconds is not None and _holds(one, seconds)
        )
        bar = _bar(one.responses / longest, min(_BAR, max(8, width - _AROUND)))
        grid.add_row(
            _limits(one), Text(bar, style="cyan"), words.share(one.responses, total), Text(inside, style="bold")
        )
    return Group(heading, told, Text(), grid)


def _holds(one: Bin, seconds: float) -> bool:
    return one.low <= seconds * (1 + latency.EPSILON) < one.high


def _limits(one: Bin) -> str:
    low = words.exact(one.low)
    if math.isinf(one.high):
        return f"{low} and more"
    high = words.exact(one.high)
    return f"{low.removesuffix(' ms') if high.endswith(' ms') else low} to {high}"


def _bar(part: float, width: int) -> str:
    eighths = max(1, round(part * width * 8)) if part else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
