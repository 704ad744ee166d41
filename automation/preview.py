"""Show what the next deployment of each stack would change. Changes nothing."""

import sys
from collections.abc import Mapping
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
    from automation.start import use_project_python

    use_project_python()

import click

from automation import steps
from automation.against import deployed_base
from automation.cli import Shared, command, finish, main
from automation.comment import render
from automation.engine import load_program
from automation.environment import detached, resolve
from automation.errors import EngineError, ExitCode, UsageError
from automation.forecast import Forecast, StackForecast
from automation.foresee import forecast
from automation.outlook import Outlook
from automation.session import Session, opened

EXAMPLES = """\
python automation/preview.py                      all four, on the embedded AWS
python automation/preview.py crystal              one service
python automation/preview.py --detailed-exitcode  exit 5 when anything would change
python automation/preview.py --against main       what merging would change: no account, no credentials
python automation/preview.py --env prod --against main --markdown comment.md   for a pull request
python automation/preview.py --env prod --json    a real account, for machines
"""


@command(EXAMPLES)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 5 when there are changes.")
@click.option("--against", metavar="REF", help="Compare with this revision, deployed on an embedded AWS of its own.")
@click.option(
    "--markdown",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a comment for a pull request; also where a plan fails.",
)
@click.option(
    "--requests",
    type=click.FloatRange(min=0),
    default=1_000_000,
    show_default=True,
    metavar="N",
    help="Page requests a month, to estimate what their traces cost.",
)
def preview(
    shared: Shared, *, detailed_exitcode: bool, against: str | None, markdown: Path | None, requests: float
) -> None:
    """Show what deploying the stacks as configured would change, and what is wrong with it.

    Stacks are planned in the order of deployment, each with the outputs that the others will have; a value that only
    a deployment tells is shown as known after that stack. Nothing is changed. Exit 1 where a stack has no plan.
    """
    if markdown and not markdown.resolve().parent.is_dir():
        raise UsageError(
            f"--markdown: there is no folder {markdown.parent}.", next_command=f"mkdir -p {markdown.parent}"
        )
    outlook = Outlook.of(_foreseen(shared, against), requests)
    foreseen = outlook.forecast
    if markdown:
        markdown.write_text(render(foreseen, outlook.findings, outlook.estimate), encoding="utf-8")
    shared.console.print(outlook.shown(), soft_wrap=True)
    code = ExitCode.CHANGES_FOUND if foreseen.changed and detailed_exitcode else ExitCode.DONE
    finish(shared, {"command": "preview", **outlook.to_json()}, ExitCode.STACK_FAILED if foreseen.failed else code)


def _foreseen(shared: Shared, revision: str | None) -> Forecast:
    """The forecast, with reasons in the place of plans where the engine, AWS or the base does not go along."""
    find = (lambda name, _say: detached(name)) if revision else resolve
    with opened(shared, changes=False, find=find) as session:
        session.meanwhile(load_program)
        for step in session.steps:
            session.environment.files.settings(step.service, {"aws:region": session.environment.region})
        try:
            found = _against(session, revision) if revision else _as_deployed(session)
        except EngineError as error:
            found = _without_plans(session, revision, {}, str(error))
        if session.cancelled.is_set():
            raise click.Abort
        return found


def _as_deployed(session: Session) -> Forecast:
    """Against what is deployed in the environment."""
    steps.require_existing(session.steps, session.engine.stacks(), session.environment.name)
    return forecast(session)


def _against(session: Session, revision: str) -> Forecast:
    """Against a revision, without the environment; a base that does not deploy is part of the forecast."""
    with deployed_base(session, revision) as rows:
        failed = {row.step.service: row.reason for row in rows if not row.state.is_good}
        if not failed:
            return forecast(session, revision)
    reasons = {service: f"{revision} itself does not deploy: {reason}" for service, reason in failed.items()}
    return _without_plans(session, revision, reasons, f"{revision} does not deploy: see {', '.join(failed)}")


def _without_plans(session: Session, revision: str | None, reasons: Mapping[str, str], otherwise: str) -> Forecast:
    """No stack has a plan: for a reason of its own, by service, or for the one that there is `otherwise`."""
    stacks = [
        StackForecast(service=step.service, stack=step.stack, problem=reasons.get(step.service, otherwise))
        for step in session.steps
    ]
    return Forecast(environment=session.environment.name, base=revision or "", stacks=stacks)


if __name__ == "__main__":
    main(preview)
