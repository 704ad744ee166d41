"""Show what the next deployment of each stack would change. Changes nothing."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

import click

from automation import display, plan
from automation.against import deployed_base
from automation.cli import Shared, command, finish, main
from automation.environment import detached
from automation.errors import ExitCode
from automation.forecast import Forecast, StackForecast
from automation.foresee import forecast
from automation.session import Session, opened

EXAMPLES = """\
python automation/preview.py                      all four, on the embedded AWS
python automation/preview.py crystal              one service
python automation/preview.py --detailed-exitcode  exit 5 when anything would change
python automation/preview.py --against main       what merging would change: no account, no credentials
python automation/preview.py --env prod --json    a real account, for machines
"""


@command(EXAMPLES)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 5 when there are changes.")
@click.option("--against", metavar="REF", help="Compare with this revision, deployed on an embedded AWS of its own.")
def preview(shared: Shared, *, detailed_exitcode: bool, against: str | None) -> None:
    """Show what deploying the stacks as configured would change."""
    foreseen = _against(shared, against) if against else _as_deployed(shared)
    title = f"Preview of environment {foreseen.environment}{f' against {against}' if against else ''}"
    shared.console.print(display.plan(title, {stack.service: stack.changes for stack in foreseen.stacks}))
    for stack in foreseen.stacks:
        if stack.problem:
            shared.console.print(f"{stack.service}: {stack.problem}", style="red", soft_wrap=True, markup=False)
    code = ExitCode.CHANGES_FOUND if foreseen.changed and detailed_exitcode else ExitCode.DONE
    document = {
        "command": "preview",
        "environment": foreseen.environment,
        "against": against,
        "changed": foreseen.changed,
        "stacks": [
            {
                "service": stack.service,
                "changes": [change.to_json() for change in stack.changes],
                "unchanged": stack.unchanged,
                "problem": stack.problem or None,
            }
            for stack in foreseen.stacks
        ],
    }
    finish(shared, document, ExitCode.STACK_FAILED if foreseen.failed else code)


def _as_deployed(shared: Shared) -> Forecast:
    """Against what is deployed in the environment."""
    with opened(shared, changes=False) as session:
        _check(session)
        plan.require_existing(session.steps, session.engine.stacks(), session.environment.name)
        return forecast(session)


def _against(shared: Shared, revision: str) -> Forecast:
    """Against a revision, without the environment; a base that does not deploy is part of the forecast."""
    with opened(shared, changes=False, find=lambda name, _say: detached(name)) as session:
        _check(session)
        with deployed_base(session, revision) as rows:
            failed = [row for row in rows if not row.state.is_good]
            if not failed:
                return forecast(session, revision)
            problems = [
                StackForecast(
                    service=row.step.service,
                    stack=row.step.stack,
                    problem=f"{revision} itself does not deploy: {row.reason}",
                )
                for row in failed
            ]
            return Forecast(environment=session.environment.name, base=revision, stacks=problems)


def _check(session: Session) -> None:
    for step in session.steps:
        session.environment.files.settings(step.service, {"aws:region": session.environment.region})


if __name__ == "__main__":
    main(preview)
