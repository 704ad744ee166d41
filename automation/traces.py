"""Show what came of tracing: the service map, latencies, traces, and what changed from one range to another."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

import click
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from automation import around, cli, display, waiting
from automation.cli import Reading, finish, main, subcommand
from automation.environment import LOCAL, resolve
from automation.errors import AutomationError, ExitCode, UsageError
from traces import as_json, names, ranges, report, review
from traces.comparing import compare
from traces.errors import RequestError, ReviewError
from traces.fetch import XRay
from traces.ranges import DEFAULT_DURATION, Range
from traces.terminal import comparison, latency, listing, service_map, waterfall

EXAMPLES = """\
python automation/traces.py map                         who called whom in the last 10 min
python automation/traces.py latency --service frontend  how long the frontend took
python automation/traces.py list --filter 'fault'       traces with a 5xx
python automation/traces.py show TRACE_ID               one trace, segment by segment
python automation/traces.py COMMAND --help              more examples
"""
MAP_EXAMPLES = """\
python automation/traces.py map                                the last 10 min
python automation/traces.py map --last 6h
python automation/traces.py map --since 14:05 --until 14:15    by your clock
python automation/traces.py map --json | jq '.nodes[].statistics.average'
"""
LATENCY_EXAMPLES = """\
python automation/traces.py latency                            every service and call
python automation/traces.py latency --service frontend         as the service itself saw it
python automation/traces.py latency --edge frontend crystal    as the caller saw it, network included
python automation/traces.py latency --edge client frontend --last 2d
"""
LIST_EXAMPLES = """\
python automation/traces.py list --limit 10
python automation/traces.py list --filter 'service("ecs-mesh/frontend")'
python automation/traces.py list --filter 'responsetime > 0.5 AND http.method = "GET"'
python automation/traces.py list --filter 'annotation.direction = "egress"' --last 6h
python automation/traces.py list --json --limit 10000 | jq -r '.traces[].id'
"""
SHOW_EXAMPLES = """\
python automation/traces.py show 1-58406520-a006649127e371903a2de979
python automation/traces.py list --json | jq -r '.traces[].id' | xargs python automation/traces.py show
"""
COMPARE_EXAMPLES = """\
python automation/traces.py compare --before -30m..-20m --after -10m..now
python automation/traces.py compare --run 20261123T140455-812       one of those that history.py lists
python automation/traces.py compare --before 14:05..14:15 --after 14:20..14:30
python automation/traces.py compare --before 2026-03-30T14:00..2026-03-30T15:00 --after -1h..now
"""

REPORT_EXAMPLES = """\
python automation/traces.py report --html review.html
python automation/traces.py report --html review.html --last 6h --details 2000
python automation/traces.py report --html flip.html --before -30m..-20m --last 10m
"""
WAIT_EXAMPLES = """\
python automation/traces.py wait                        calls of the last 10 min count
python automation/traces.py wait --since -30s --timeout 120
python automation/traces.py wait --joined               is a request one trace from end to end?
python automation/traces.py wait --json | jq -r '.hops[] | select(.seen == 0).cause.message'
"""
DETAILS_HELP = "Traces with their waterfalls, the newest."

_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")

_Command = Callable[..., None]


class _Review(cli.Group):
    """Turns the errors of a review into those of the command line."""

    examples = EXAMPLES
    exit_codes = [  # noqa: RUF012 - constant, as in the class above
        (str(int(ExitCode.DONE)), "read in full"),
        (str(int(ExitCode.STACK_FAILED)), "X-Ray could not be read"),
        (str(int(ExitCode.BAD_USAGE)), "bad usage: a range, a name, a filter or a trace id"),
        (str(int(ExitCode.NOT_VERIFIED)), "read in part: what is missing is told"),
        (str(int(ExitCode.INTERRUPTED)), "interrupted"),
    ]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RequestError as error:
            usage = f"{cli.entry_name()} {ctx.invoked_subcommand} --help"
            raise UsageError(str(error), next_command=error.next_command or usage) from error
        except ReviewError as error:
            raise AutomationError(str(error), next_command=error.next_command) from error


@click.group(cls=_Review, no_args_is_help=False, context_settings={"max_content_width": 100})
def traces() -> None:
    """Show what X-Ray knows of an environment. Changes nothing.

    Ranges of time are the last 10 min unless told otherwise; times are read and shown in your time zone.
    """


def _in_range(function: _Command) -> _Command:
    """Give the options of a range."""
    last = f"Range up to --until: 30s, 10m, 6h, 2d.  [default: {DEFAULT_DURATION}]"
    since = "Start: 14:05, 2026-03-31T14:05, -30m."
    function = click.option("--until", metavar="TIME", help="End, written likewise.  [default: now]")(function)
    function = click.option("--since", metavar="TIME", help=since)(function)
    return click.option("--last", metavar="DURATION", help=last)(function)


@subcommand(traces, "map", MAP_EXAMPLES)
@_in_range
def show_map(given: Reading, **times: str | None) -> None:
    """Show who called whom, how often, and how it ended.

    E, T and F in a bar are responses with errors (4xx), throttled (429) and with faults (5xx).
    """
    asked = _asked(times)
    with _xray(given) as xray:
        fetched = xray.service_map(asked)
    view = service_map.service_map(fetched.value, given.console.width)
    empty = not fetched.value.nodes
    _end(given, "map", view, as_json.service_map(fetched.value), fetched.missing, empty=empty)


@subcommand(traces, "latency", LATENCY_EXAMPLES)
@click.option("--service", metavar="NAME", help="Of one service: its own latency.")
@click.option("--edge", nargs=2, metavar="FROM TO", help="Of the calls between two: the caller's, network included.")
@_in_range
def show_latency(given: Reading, *, service: str | None, edge: tuple[str, str] | None, **times: str | None) -> None:
    """Show how response times are spread: p50, p90, p99.

    Names may be short, such as `frontend` for `ecs-mesh/frontend`; `client` is whoever calls from outside.
    """
    if service and edge:
        raise RequestError("--service and --edge exclude each other: a service's latency is not that of a call to it.")
    asked = _asked(times)
    with _xray(given) as xray:
        fetched = xray.service_map(asked)
    shown, width = fetched.value, given.console.width
    view: RenderableType
    if service:
        node = names.service(shown, service)
        view, document = latency.of_node(node, shown, width), {"node": as_json.node(node, shown.minutes)}
    elif edge:
        call = names.call(shown, *edge)
        view, document = latency.of_edge(call, shown, width), {"edge": as_json.edge(call, shown.minutes)}
    else:
        view, document = latency.of_all(shown, width), as_json.service_map(shown)
    document = {**as_json.span(shown.start, shown.end), **document}
    _end(given, "latency", view, document, fetched.missing, empty=not shown.nodes)


@subcommand(traces, "list", LIST_EXAMPLES)
@click.option("--filter", "expression", default="", metavar="EXPRESSION", help="X-Ray filter expression.")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, metavar="N", help="Traces listed.")
@_in_range
def show_list(given: Reading, *, expression: str, limit: int, **times: str | None) -> None:
    """List traces by URL, then the newest one by one.

    Annotations and user agents are in the document of --json.
    """
    now, asked = datetime.now().astimezone().timestamp(), _asked(times)
    with _xray(given) as xray:
        fetched = xray.summaries(asked, expression)
    view = listing.listing(fetched.value, asked, limit=limit, now=now, width=given.console.width)
    document = {**as_json.span(*asked), "filter": expression, **as_json.listing(fetched.value, limit)}
    _end(given, "list", view, document, fetched.missing, empty=not fetched.value)


@subcommand(traces, "show", SHOW_EXAMPLES)
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
def show_trace(given: Reading, *, ids: tuple[str, ...]) -> None:
    """Show traces in detail, segment by segment."""
    for one in ids:
        if not _TRACE_ID.fullmatch(one):
            message = f"'{one}' is no trace id. They look like 1-58406520-a006649127e371903a2de979."
            raise RequestError(message, next_command=f"{cli.entry_name()} list")
    with _xray(given) as xray:
        fetched = xray.traces(ids)
    if not fetched.value:
        raise ReviewError(f"Nothing to show: {'; '.join(fetched.missing)}.", next_command=f"{cli.entry_name()} list")
    view = Group(*(waterfall.waterfall(trace, given.console.width) for trace in fetched.value))
    document = {"traces": [as_json.trace(trace) for trace in fetched.value]}
    _end(given, "show", view, document, fetched.missing)


@subcommand(traces, "compare", COMPARE_EXAMPLES)
@click.option("--before", metavar="RANGE", help="FROM..TO, such as 14:05..14:15 or -30m..-20m.")
@click.option("--after", metavar="RANGE", help="Likewise.")
@click.option("--run", metavar="ID", help=f"{DEFAULT_DURATION} before a run began, and after it was verified.")
def show_comparison(given: Reading, *, before: str | None, after: str | None, run: str | None) -> None:
    """Show what changed between two ranges of time, or with a run.

    That is: services and calls that are new or lost, how latencies moved, and what of it tracing itself may cost.
    """
    now = datetime.now().astimezone()
    if run is None and before and after:
        asked = ranges.pair("--before", before, now), ranges.pair("--after", after, now)
    elif run is not None and not (before or after):
        asked = around.ranges_of(given, run, now)
    else:
        raise RequestError("Say what to compare: --before and --after, or --run alone.")
    with _xray(given) as xray:
        first, second = (xray.service_map(part) for part in asked)
    compared = compare(first.value, second.value)
    view, document = comparison.comparison(compared), as_json.comparison(compared)
    empty = not (first.value.nodes or second.value.nodes)
    _end(given, "compare", view, document, (*first.missing, *second.missing), empty=empty)


@subcommand(traces, "report", REPORT_EXAMPLES)
@click.option(
    "--html", "path", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The page."
)
@click.option("--before", metavar="RANGE", help="FROM..TO to compare with, such as -30m..-20m.")
@click.option("--filter", "expression", default="", metavar="EXPRESSION", help="X-Ray filter expression of the traces.")
@click.option("--details", type=click.IntRange(min=0), default=500, show_default=True, metavar="N", help=DETAILS_HELP)
@_in_range
def write_report(
    given: Reading, *, path: Path, before: str | None, expression: str, details: int, **times: str | None
) -> None:
    """Write a page with the map, the latencies, the traces and their waterfalls, to open in any browser.

    It is one file that fetches nothing, so it can be attached and kept.
    """
    asked = _asked(times)
    earlier = ranges.pair("--before", before, datetime.now().astimezone()) if before else None
    with _xray(given) as xray:
        made = review.gather(xray, given.environment, asked, expression=expression, details=details)
        if earlier:
            compared = review.gather(xray, given.environment, earlier, expression=expression)
            made = replace(made, before=compared, notes=(*made.notes, *compared.notes))
    try:
        size = report.write(path, made)
    except OSError as error:
        usage = f"{cli.entry_name()} report --html FILE"
        raise UsageError(f"{path} can't be written: {error.strerror}.", next_command=usage) from error
    what = f"{len(made.traces)} traces, {len(made.details)} of them in detail, {size / 1e6:.1f} MB"
    view = Text(f"{path.absolute().as_uri()}\n{what}")
    document = {**as_json.span(*asked), "file": str(path), "bytes": size, "traces": len(made.traces)}
    _end(given, "report", view, document, made.notes, empty=not made.map.nodes)


@subcommand(traces, "wait", WAIT_EXAMPLES)
@click.option("--timeout", type=click.FloatRange(min=0), default=60.0, show_default=True, metavar="SECONDS")
@click.option("--joined", is_flag=True, help="Count only calls in one trace with the gateway's.")
@_in_range
def wait_for_calls(given: Reading, *, timeout: float, joined: bool, **times: str | None) -> None:
    """Wait until every call that the deployed services declare has been traced.

    What is still missing then is named with its likeliest cause, found by looking at ECS, IAM, the logs and X-Ray.
    """
    asked = _asked(times)
    found = waiting.wait(given, since=asked.start, timeout=timeout, joined=joined)
    given.console.print(display.proof(found), soft_wrap=True)
    document = {"command": "traces wait", "environment": given.environment, **as_json.span(*asked)}
    code = ExitCode.DONE if found.holds else ExitCode.NOT_VERIFIED
    finish(given, {**document, "hops": found.to_json()}, code)


def _asked(times: Mapping[str, str | None]) -> Range:
    return ranges.spoken(times["since"], times["until"], times["last"], datetime.now().astimezone())


@contextmanager
def _xray(given: Reading) -> Iterator[XRay]:
    """The environment's X-Ray; on a terminal, stderr shows how far it is read."""
    errors = Console(stderr=True, highlight=False)
    environment = resolve(given.environment, lambda message: errors.print(message, markup=False, soft_wrap=True))
    columns = TextColumn("Reading {task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        task = bars.add_task("X-Ray", visible=False)

        def tell(what: str, done: int, of: int) -> None:
            bars.update(task, description=what, completed=done, total=of, visible=of > 1)

        yield XRay.of(environment.region, tell)


def _end(  # noqa: PLR0913 - all that a command has to say
    given: Reading,
    name: str,
    view: RenderableType,
    document: Mapping[str, Any],
    missing: Sequence[str],
    *,
    empty: bool = False,
) -> None:
    """Show what was read, and what was not; end the process."""
    console = given.console
    if not given.as_json:
        console.print(view)
        if empty:
            console.print(_where_to_look(given), soft_wrap=True)
    if missing:
        told = "".join(f"\n  {what}" for what in missing)
        console.print(Text.assemble(("Not all could be read:", "bold yellow"), told), soft_wrap=True)
    head = {"command": f"traces {name}", "environment": given.environment}
    whole = {**head, "complete": not missing, "missing": list(missing), **document}
    finish(given, whole, ExitCode.NOT_VERIFIED if missing else ExitCode.DONE)


def _where_to_look(given: Reading) -> str:
    option = "" if given.environment == LOCAL else f" --env {given.environment}"
    return (
        "Next:\n"
        f"  python automation/traces.py map{option} --last 6h  look further back\n"
        f"  python automation/status.py{option}                is tracing on?"
    )


if __name__ == "__main__":
    main(traces)
