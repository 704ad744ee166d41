"""--on-failure rollback: what a run wrote into configurations is taken back, and the stacks are deployed so."""

from collections.abc import Sequence
from dataclasses import replace

from automation import display
from automation.deployment import How, bring
from automation.run import Outcome, Row, State, execute
from automation.session import Session
from automation.steps import Step


def roll_back(session: Session, rows: Sequence[Row], existing: frozenset[str], how: How) -> list[Row]:
    """Take each stack that a run flipped, or tried to, back to the configuration that it had before.

    Dependents first; one that cannot be rolled back does not keep the others from it. `existing` are the services that
    were deployed before the run. Returns a row for each stack, with the reason where it failed.
    """
    begun = [row for row in rows if row.started is not None]
    back = [row for row in begun if row.before or row.state is State.FAILED]
    undone = {row.step.service: _row(row) for row in back}
    for row in back:
        mine = undone[row.step.service]
        if row.step.service not in existing:
            mine.state, mine.reason = State.FAILED, "it was not deployed before this run; destroy.py takes it away"
        elif not row.before:
            mine.state, mine.reason = State.FAILED, "its configuration was the same before this run"
    todo = [row for row in back if not undone[row.step.service].state.is_final]
    if todo:
        session.say(f"Rolling back {', '.join(row.step.service for row in reversed(todo))} …")
    changed = {row.step.service for row in todo if row.state is not State.UNCHANGED}

    how = replace(how, doing="rollback")

    def undo(row: Row) -> Outcome:
        service = row.step.service
        return bring(session, row, originals[service].before, how, engine=service in changed)

    originals = {row.step.service: row for row in todo}
    for layer in _layers(todo):
        shown = [undone[service] for service in layer]
        board = display.Board(session.console, shown)
        with board.shown():
            execute(shown, undo, parallel=session.parallel, observe=board.changed, cancelled=session.cancelled)
    return [undone[row.step.service] for row in reversed(back)]


def _row(row: Row) -> Row:
    return Row(step=Step(service=row.step.service, stack=row.step.stack, needs=()))


def _layers(rows: Sequence[Row]) -> list[list[str]]:
    """The rows' services, dependents before what they need."""
    left = list(rows)
    layers = []
    while left:
        needed = {need for row in left for need in row.step.needs}
        layers.append([row.step.service for row in left if row.step.service not in needed])
        left = [row for row in left if row.step.service in needed]
    return layers
