"""destroy: delete what the stacks deployed, dependents first."""

from collections.abc import Sequence
from functools import partial

import click

from automation import display, runtrace
from automation.cli import Shared, finish
from automation.flip import confirm, run_rows
from automation.report import Report
from automation.run import Outcome, Row, State
from automation.session import GRAPH, Session, opened
from automation.state import without
from automation.steps import Step, for_destruction
from checks.moves import APP_MESH

forgetting = click.option(
    "--forget-app-mesh",
    is_flag=True,
    help="Where AWS has no App Mesh any more: take its objects out of Pulumi's state instead of deleting them.",
)


def run(shared: Shared, *, forget_app_mesh: bool) -> None:
    """The command: open a session, destroy, tell, exit."""
    console = shared.console
    with opened(shared, changes=True) as session:
        report = _destroy(session, shared, forget_app_mesh=forget_app_mesh)
        session.record("run-ended", exitCode=report.exit_code, summary=report.summary())
    console.print(display.diagnostics(report.rows))
    console.print(report.summary(), style="bold", soft_wrap=True)
    if not report.declined:
        runtrace.publish(session, [report], report.to_json())
    finish(shared, report.to_json(), report.exit_code)


def forget(session: Session, services: Sequence[str]) -> None:
    """Take App Mesh's objects out of Pulumi's state, where AWS has none any more that could be deleted."""
    for service in services:
        number = session.engine.rewrite(f"{session.environment.name}-{service}", partial(without, APP_MESH))
        if number:
            session.say(f"  {service}: {number} objects of App Mesh are forgotten, not deleted.")


def _destroy(session: Session, shared: Shared, *, forget_app_mesh: bool) -> Report:
    environment = session.environment
    report = Report(command="destroy", environment=environment.name)
    stacks = session.engine.stacks()
    steps = for_destruction(session.steps, GRAPH, session.deployed(stacks), environment.name)
    existing = [step for step in steps if step.stack in stacks]
    if not existing:
        session.say(f"Nothing is deployed in environment {environment.name}.")
        report.declined = True
        return report
    names = {step.service for step in existing}
    report.rows = [
        Row(step=Step(service=s.service, stack=s.stack, needs=tuple(n for n in s.needs if n in names)))
        for s in existing
    ]
    for row in report.rows:
        row.progress.planned = stacks[row.step.stack]
        session.say(f"  {row.step.service:<10} {stacks[row.step.stack]} resources")
    if not shared.yes and not confirm(session, f"Delete all of this in environment {environment.name}?"):
        report.declined, report.interrupted, report.rows = True, session.cancelled.is_set(), []
        return report

    if forget_app_mesh:
        forget(session, [row.step.service for row in report.rows])

    def destroy(row: Row) -> Outcome:
        session.record("stack-started", stack=row.step.stack)
        update = session.engine.destroy(row.step.stack, row.progress)
        session.record("stack-ended", stack=row.step.stack, problem=update.problem, applied=row.progress.applied)
        if update.problem is None:
            return Outcome(state=State.DONE)
        return Outcome(state=State.CANCELLED if session.cancelled.is_set() else State.FAILED, reason=update.problem)

    run_rows(session, report.rows, destroy)
    report.interrupted = session.cancelled.is_set()
    return report
