"""The plan of all stacks, made side by side by the engine without touching anything."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from automation.engine import Update
from automation.errors import EngineError
from automation.events import Progress
from automation.forecast import Change, Forecast, StackForecast
from automation.run import Row
from automation.session import Session

_MOST_PREVIEWS = 4  # a preview takes 100-200 MB in the engine, the plugin and the program together


def foresee_rows(
    session: Session, rows: Sequence[Row], wanted: Mapping[str, str], *, refresh: bool = False
) -> dict[str, list[Change]]:
    """What deploying the stacks with `wanted` configuration (full keys) would change, by service.

    With `refresh`, compared with what AWS really has instead of with Pulumi's state. Raises `EngineError` where a plan
    cannot be made.
    """
    plans = {}
    for row, update in zip(rows, _previews(session, rows, wanted, refresh=refresh), strict=True):
        if update is not None and update.problem is not None and not session.cancelled.is_set():
            detail = "\n".join(update.progress.errors) or update.problem
            message = f"The plan of '{row.step.service}' could not be made; nothing was changed.\n{detail}"
            raise EngineError(message, next_command=f"python automation/status.py{session.environment.option}")
        row.progress.planned = update.progress.steps if update else None
        plans[row.step.service] = list(update.progress.changes.values()) if update else []
    return plans


def forecast(session: Session, base: str = "") -> Forecast:
    """What deploying the stacks as configured would change, property by property; a plan that fails is part of it.

    `base` names the revision that is deployed where `session` looks.
    """
    rows = [Row(step=step) for step in session.steps]
    updates = _previews(session, rows, {"aws:region": session.environment.region}, refresh=False)
    return Forecast(
        environment=session.environment.name,
        base=base,
        stacks=[_stack(row, update) for row, update in zip(rows, updates, strict=True)],
    )


def _previews(
    session: Session, rows: Sequence[Row], wanted: Mapping[str, str], *, refresh: bool
) -> list[Update | None]:
    """One preview a row, in their order; None where it was interrupted before."""
    folder = session.environment.runs / "previews"

    def preview(row: Row) -> Update | None:
        file = session.environment.files.write_changed(
            row.step.service, wanted, folder / f"Pulumi.{row.step.stack}.yaml"
        )
        if session.cancelled.is_set():
            return None
        return session.engine.preview(row.step.stack, Progress(), file, refresh=refresh)

    session.say(f"Working out the plan of {', '.join(row.step.service for row in rows)} …")
    with ThreadPoolExecutor(max_workers=min(_MOST_PREVIEWS, session.parallel)) as pool:
        return list(pool.map(preview, rows))


def _stack(row: Row, update: Update | None) -> StackForecast:
    if update is None:
        return StackForecast(service=row.step.service, stack=row.step.stack, problem="interrupted")
    progress = update.progress
    changed = list(progress.changes.values())
    return StackForecast(
        service=row.step.service,
        stack=row.step.stack,
        changes=changed,
        resources=list(progress.resources.values()),
        unchanged=len(progress.resources) - sum(change.op != "delete" for change in changed),
        problem="\n".join(progress.errors) or update.problem or "",
    )
