"""Tell which stacks can be done at the same time, for pipelines that run a job for each stack."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

import click
from rich.table import Table

from automation import selection
from automation.cli import Reading, finish, main, reader, selecting
from automation.environment import detached
from automation.errors import ExitCode
from automation.steps import Graph, Step, for_destruction, levels, select

EXAMPLES = """\
python automation/plan.py                          level after level, all services
python automation/plan.py --env prod tag:team-a    some of them; what they need besides is to be deployed already
python automation/plan.py --env prod --changed-since HEAD^1
python automation/plan.py --reverse                as destroy.py takes them down
python automation/plan.py --json | jq --compact-output '.levels[]'
"""
EXIT_CODES = [
    (str(int(ExitCode.DONE)), "told"),
    (str(int(ExitCode.BAD_USAGE)), "there is no such service, revision or environment"),
]


@reader(EXAMPLES, EXIT_CODES)
@selecting
@click.option("--reverse", is_flag=True, help="In the order of a destruction: dependents first.")
def plan(given: Reading, *, services: tuple[str, ...], changed_since: str | None, reverse: bool) -> None:
    """Tell the stacks level after level: those of one need only stacks of earlier ones, so all can be done at once.

    It reads the fleet and nothing else: no AWS, no Pulumi, no credentials. Changes nothing.
    """
    environment = detached(given.environment).name
    graph = Graph()
    chosen = selection.chosen(services, changed_since, environment)
    steps = select(graph, chosen, environment) if chosen else ()
    if reverse:
        steps = for_destruction(steps, graph, (), environment)
    found = levels(steps)
    if not given.as_json:
        given.console.print(_told(found, environment) if found else "No stack is selected.")
    finish(given, _to_json(found, environment, reverse=reverse), ExitCode.DONE)


def _told(found: Sequence[Sequence[Step]], environment: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("level", justify="right")
    table.add_column("stack", no_wrap=True)
    table.add_column("needs", overflow="fold")
    for number, steps in enumerate(found, 1):
        for index, step in enumerate(steps):
            table.add_row("" if index else str(number), step.stack, ", ".join(_stacks(step, environment)) or "-")
    return table


def _to_json(found: Sequence[Sequence[Step]], environment: str, *, reverse: bool) -> dict[str, Any]:
    return {
        "command": "plan",
        "environment": environment,
        "reverse": reverse,
        "levels": [[step.stack for step in steps] for steps in found],
        "stacks": [
            {
                "stack": step.stack,
                "service": step.service,
                "level": number,
                "needs": _stacks(step, environment),
            }
            for number, steps in enumerate(found, 1)
            for step in steps
        ],
    }


def _stacks(step: Step, environment: str) -> list[str]:
    return [f"{environment}-{need}" for need in step.needs]


if __name__ == "__main__":
    main(plan)
