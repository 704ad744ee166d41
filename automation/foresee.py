"""The plan of all stacks, made by the engine without touching anything.

A stack is planned with the outputs that its prerequisites will have. What those do not know before they are deployed is
not known here either: no value is invented.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from automation import display
from automation.bootstraps import refusals
from automation.differences import known
from automation.engine import Update
from automation.errors import EngineError
from automation.events import Progress
from automation.forecast import SECRET, Change, Difference, Forecast, Resource, StackForecast, Unknown
from automation.run import Outcome, Row, State, execute
from automation.session import Session
from automation.steps import Step

_MOST_PREVIEWS = 4  # a preview takes 100-200 MB in the engine, the plugin and the program together

Outputs = Mapping[str, Any]


def foresee_rows(
    session: Session, rows: Sequence[Row], wanted: Mapping[str, str], *, refresh: bool = False
) -> dict[str, list[Change]]:
    """What deploying the stacks with `wanted` configuration (full keys) would change, by service; all side by side.

    With `refresh`, compared with what AWS really has instead of with Pulumi's state. Raises `EngineError` where a plan
    cannot be made, or the real Envoy would refuse a bootstrap in it.
    """

    def preview(row: Row) -> Update | None:
        file = _configuration(session, row, wanted)
        if session.cancelled.is_set():
            return None
        with session.timed("preview", row.step.service):
            return session.engine.preview(row.step.stack, Progress(), file, refresh=refresh)

    session.say(f"Working out the plan of {', '.join(row.step.service for row in rows)} …")
    with ThreadPoolExecutor(max_workers=_parallel(session)) as pool:
        updates = list(pool.map(preview, rows))
    plans = {}
    for row, update in zip(rows, updates, strict=True):
        if update is not None and update.problem is not None and not session.cancelled.is_set():
            detail = "\n".join(update.progress.errors) or update.problem
            message = f"The plan of '{row.step.service}' could not be made; nothing was changed.\n{detail}"
            raise EngineError(message, next_command=f"python automation/status.py{session.environment.option}")
        for refusal in refusals(update.progress.resources.values()) if update else ():
            message = f"Envoy would not start in '{row.step.service}'; nothing was changed. {refusal}"
            raise EngineError(message, next_command="python -m pytest tests/services/test_own_mesh.py")
        row.progress.planned = update.progress.steps if update else None
        plans[row.step.service] = list(update.progress.changes.values()) if update else []
    return plans


def forecast(session: Session, base: str = "") -> Forecast:
    """What deploying the stacks as configured would change, property by property; a plan that fails is part of it.

    Stacks are planned in the order of deployment. `base` names the revision that is deployed where `session` looks.
    """
    rows = [Row(step=step) for step in session.steps]
    wanted = {"aws:region": session.environment.region}
    outputs: dict[str, Outputs] = {}  # that a stack which changes will have, by service
    stacks: dict[str, StackForecast] = {}

    def preview(row: Row) -> Outcome:
        step = row.step
        foreseen = {need: outputs[need] for need in step.needs if need in outputs}
        update = session.engine.foresee(step.stack, row.progress, _configuration(session, row, wanted), foreseen)
        stacks[step.service] = stack_forecast(step, update, foreseen)
        if update.problem is not None:
            return Outcome(state=State.CANCELLED if session.cancelled.is_set() else State.FAILED, reason=update.problem)
        # A stack that stays as it is is read as it is, secrets included.
        if update.progress.changes:
            outputs[step.service] = _without_secrets(known(update.progress.outputs))
        return Outcome(state=State.DONE if update.progress.changes else State.UNCHANGED)

    session.say(f"Working out the plan of {', '.join(row.step.service for row in rows)} …")
    board = display.Board(session.console, rows)
    with board.shown():
        execute(rows, preview, parallel=_parallel(session), observe=board.changed, cancelled=session.cancelled)
    return Forecast(
        environment=session.environment.name,
        base=base,
        stacks=[stacks.get(row.step.service) or _without_plan(row, session) for row in rows],
    )


def _configuration(session: Session, row: Row, wanted: Mapping[str, str]) -> Path:
    file = session.environment.runs / "previews" / f"Pulumi.{row.step.stack}.yaml"
    return session.environment.files.write_changed(row.step.service, wanted, file)


def _parallel(session: Session) -> int:
    return min(_MOST_PREVIEWS, session.parallel)


def _without_plan(row: Row, session: Session) -> StackForecast:
    step = row.step
    if not row.cause:
        return StackForecast(service=step.service, stack=step.stack, problem="interrupted")
    cause = f"{session.environment.name}-{row.cause}"
    return StackForecast(
        service=step.service,
        stack=step.stack,
        waits_for=(cause,),
        problem=f"No plan can be made: it hangs on {cause}, which has none.",
    )


def stack_forecast(step: Step, update: Update, foreseen: Collection[str]) -> StackForecast:
    """What an engine's plan says of one stack; `foreseen` are the services whose outputs it was given."""
    progress = update.progress
    environment = step.stack.removesuffix(step.service)
    waiting = dict(_waiting(update, {service: f"{environment}{service}" for service in foreseen}))
    changes = {urn: _change(each, waiting.get(urn, {})) for urn, each in progress.changes.items()}
    resources = {urn: _resource(each, waiting.get(urn, {})) for urn, each in progress.resources.items()}
    return StackForecast(
        service=step.service,
        stack=step.stack,
        changes=list(changes.values()),
        resources=list(resources.values()),
        unchanged=len(resources) - sum(change.op != "delete" for change in changes.values()),
        waits_for=sorted(
            {stack for properties in waiting.values() for stacks in properties.values() for stack in stacks}
        ),
        problem="\n".join(progress.errors) or update.problem or "",
    )


def _waiting(update: Update, stacks: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Sequence[str]]]]:
    """By URN, the properties that hang on what another stack does not know yet, and those stacks.

    `stacks` has the name of the stack for each service whose outputs were foreseen: of such a one, only what is not
    known depends on the reference to it (see `Neighbour`).
    """
    for urn, properties in update.dependencies.items():
        waiting = {name: _stacks_of(sources, stacks) for name, sources in properties.items()}
        if any(waiting.values()):
            yield urn, {name: found for name, found in waiting.items() if found}


def _stacks_of(sources: Sequence[str], stacks: Mapping[str, str]) -> list[str]:
    references = {urn.rpartition("::")[2] for urn in sources if "::pulumi:pulumi:StackReference::" in urn}
    return sorted(stacks[service] for service in references if service in stacks)


def _change(change: Change, waiting: Mapping[str, Sequence[str]]) -> Change:
    def told(difference: Difference) -> Difference:
        top = difference.path.partition(".")[0].partition("[")[0]
        return replace(difference, after=_later(difference.after, waiting[top])) if top in waiting else difference

    return replace(change, differences=tuple(map(told, change.differences)))


def _resource(resource: Resource, waiting: Mapping[str, Sequence[str]]) -> Resource:
    inputs = {key: _later(each, waiting[key]) if key in waiting else each for key, each in resource.inputs.items()}
    return replace(resource, inputs=inputs)


def _later(value: Any, stacks: Sequence[str]) -> Any:
    if isinstance(value, Unknown):
        return Unknown(after=" and ".join(stacks))
    if isinstance(value, Mapping):
        return {key: _later(each, stacks) for key, each in value.items()}
    return [_later(each, stacks) for each in value] if isinstance(value, list) else value


def _without_secrets(outputs: Any) -> Any:
    """What the engine does not tell is not known."""
    if isinstance(outputs, Mapping):
        return {key: _without_secrets(each) for key, each in outputs.items()}
    if isinstance(outputs, list):
        return [_without_secrets(each) for each in outputs]
    return Unknown() if outputs == SECRET else outputs
