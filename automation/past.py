"""Earlier runs as a person sees them, and as JSON. Pure: journals in, tables out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from automation.events import summarise
from automation.runs import Run

_STYLE = {"done": "green", "failed": "bold red", "killed": "bold red", "not verified": "red", "running": "cyan"}

# Events about one stack, in words; what is about the whole run is told below.
_WORDS = {
    "stack-started": "begins",
    "stack-tried-again": "is tried again",
    "stack-placed": "has an engine on a worker",
    "stack-ended": "ends",
    "stack-kept": "is kept: done by the run that this one continues",
    "rollback-started": "rollback begins",
    "rollback-tried-again": "rollback is tried again",
    "rollback-ended": "rollback ends",
}


def listed(found: Sequence[Run]) -> Table:
    """One row a run."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("id", "begun (UTC)", "command"):
        table.add_column(column, no_wrap=True)
    table.add_column("services", overflow="fold")
    for column in ("outcome", "time"):
        table.add_column(column, no_wrap=True)
    for run in found:
        took = f"{run.seconds:.1f} s" if run.seconds is not None else "-"
        services = ", ".join(run.services) or "-"
        table.add_row(run.id, _when(run.begun), run.command, services, _outcome(run.outcome), took)
    return table


def told(run: Run) -> RenderableType:
    """One run, step by step, with seconds since its start."""
    steps = Table.grid(padding=(0, 2))
    steps.add_column(justify="right", no_wrap=True)
    steps.add_column(no_wrap=True)
    steps.add_column(overflow="fold")
    for line in run.lines:
        since = (datetime.fromisoformat(line["time"]) - run.begun).total_seconds()
        steps.add_row(f"{since:.1f} s", str(line.get("service", line.get("stack", ""))), Text(_happened(line)))
    title = Text.assemble((run.id, "bold"), f"  {_when(run.begun)} UTC  ", _outcome(run.outcome))
    return Group(title, Text(run.command_line), steps)


def run_to_json(run: Run) -> dict[str, Any]:
    """A run, for ``--json``."""
    return {
        "id": run.id,
        "begun": run.begun.isoformat(),
        "command": run.command,
        "commandLine": run.command_line,
        "services": run.services,
        "settings": dict(run.wish.get("settings", {})),
        "outcome": run.outcome,
        "exitCode": run.exit_code,
        "seconds": run.seconds,
        "summary": run.summary,
    }


def _happened(line: Mapping[str, Any]) -> str:
    event = str(line["event"])
    if event.endswith("-started") and event in _WORDS:
        return f"{_WORDS[event]}{_settings(line)}"
    if event.endswith("-ended") and event in _WORDS:
        outcome = line.get("outcome", "failed" if line.get("problem") else "done")
        return f"{_WORDS[event]}: {outcome} ({line.get('problem') or summarise(line.get('applied', {}))})"
    if event == "planned":
        return "planned: " + summarise({service: len(changes) for service, changes in line["changes"].items()})
    if event == "verified":
        wrong = [f"{service}: {'; '.join(each)}" for service, each in line["problems"].items() if each]
        return "verified: " + ("; ".join(wrong) or f"{', '.join(line['problems'])} as deployed")
    if event == "run-ended":
        return str(line["summary"])
    return {**_WORDS, "run-started": "the run begins"}.get(event, event) + (
        f": {line['problem']}" if line.get("problem") else ""
    )


def _settings(line: Mapping[str, Any]) -> str:
    """``: tracing false → true``."""
    before, wanted = line.get("before", {}), line.get("wanted", {})
    changes = [f"{key.rpartition(':')[2]} {_word(before.get(key))} → {_word(new)}" for key, new in wanted.items()]
    return f": {', '.join(changes)}" if changes else ""


def _word(value: str | None) -> str:
    return "(none)" if value is None else value


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _outcome(word: str) -> Text:
    return Text(word, style=_STYLE.get(word, "yellow"))
