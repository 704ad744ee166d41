"""The plan of all stacks, made side by side by the engine without touching anything."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from automation import plan
from automation.errors import EngineError
from automation.events import Change, Progress
from automation.run import Row
from automation.session import Session

_MOST_PREVIEWS = 4  # a preview takes 100-200 MB in the engine, the plugin and the program together


def foresee(session: Session) -> dict[str, list[Change]]:
    """What deploying the stacks as configured would change, by service. Raises `UsageError` for an undeployed stack."""
    environment = session.environment
    for step in session.steps:
        environment.files.settings(step.service, {"aws:region": environment.region})
    plan.require_existing(session.steps, session.engine.stacks(), environment.name)
    return foresee_rows(session, [Row(step=step) for step in session.steps], {})


def foresee_rows(
    session: Session, rows: Sequence[Row], wanted: Mapping[str, str], *, refresh: bool = False
) -> dict[str, list[Change]]:
    """The same with `wanted` configuration (full keys) in place of what the stacks' files say.

    With `refresh`, compared with what AWS really has instead of with Pulumi's state.
    """
    folder = session.environment.runs / "previews"

    def preview(row: Row) -> list[Change]:
        service = row.step.service
        file = session.environment.files.write_changed(service, wanted, folder / f"Pulumi.{row.step.stack}.yaml")
        progress = Progress()
        if session.cancelled.is_set():
            return []
        update = session.engine.preview(row.step.stack, progress, file, refresh=refresh)
        if update.problem is not None and not session.cancelled.is_set():
            detail = "\n".join(progress.errors) or update.problem
            message = f"The plan of '{service}' could not be made; nothing was changed.\n{detail}"
            raise EngineError(message, next_command=f"python automation/status.py{session.environment.option}")
        row.progress.planned = progress.steps
        return list(progress.changes.values())

    session.say(f"Working out the plan of {', '.join(row.step.service for row in rows)} …")
    with ThreadPoolExecutor(max_workers=min(_MOST_PREVIEWS, session.parallel)) as pool:
        plans = list(pool.map(preview, rows))
    return {row.step.service: changes for row, changes in zip(rows, plans, strict=True)}
