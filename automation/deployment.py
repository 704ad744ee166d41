"""What is done with one stack: configure, deploy within a time, try again what may pass, and a record of it all."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from automation import mending, retries, verify
from automation.engine import Update
from automation.errors import EngineError
from automation.run import Outcome, Row, State
from automation.session import Session

TIMEOUT = 1800.0  # seconds; a load balancer and a rollout that ECS gives up take less than half of it together
GRACE = 30.0  # seconds that an interrupted engine has to finish what is in flight


@dataclass(frozen=True, kw_only=True)
class How:
    """How stacks are deployed."""

    refresh: bool = False
    timeout: float = TIMEOUT  # seconds, all tries together
    run: str = ""  # the id that the stack's task definition is tagged with; "": it keeps its tag
    doing: str = "stack"  # events of the journal: `<doing>-started`, `<doing>-tried-again`, `<doing>-ended`


def bring(session: Session, row: Row, values: Mapping[str, str | None], how: How, *, engine: bool) -> Outcome:
    """Write `values` (full keys, None: none) into a stack's configuration and, with `engine`, deploy it.

    It may be called ahead of the row's turn; where that does not come, the configuration is as before.
    """
    service, stack = row.step.service, row.step.stack
    facts = {"service": service, "stack": stack}
    before = session.environment.files.written(service, values)
    row.before = {**before, **row.before}
    session.record(f"{how.doing}-started", **facts, before=before, wanted=values)
    outcome = Outcome(state=State.UNCHANGED)
    try:
        _take_out(session, stack, values)
        given = _given(values)
        if engine:
            outcome = _deployed(session, row, given, how)
            if not row.is_its_turn():
                _put_back(session, stack, before)
                row.before = {}
                outcome = Outcome(state=State.BLOCKED)
        elif row.is_its_turn() and given:
            session.engine.configure(stack, given)
    except BaseException as error:
        session.record(f"{how.doing}-ended", **facts, outcome=State.FAILED, problem=str(error), applied={})
        raise
    session.record(
        f"{how.doing}-ended",
        **facts,
        outcome=outcome.state,
        problem=outcome.reason or None,
        applied=row.progress.applied,
        configuration=session.environment.files.fingerprint(service),
    )
    return outcome


def verified_as(session: Session, rows: Sequence[Row], traced: Collection[str]) -> list[verify.Target]:
    """What deployed rows are verified against; `traced` are the services whose tracing is meant to be on."""
    with ThreadPoolExecutor(max_workers=session.parallel) as pool:
        found = list(
            pool.map(lambda row: row.progress.outputs or session.engine.deployed(row.step.stack).outputs, rows)
        )
    return [
        verify.Target.from_outputs(row.step.service, outputs, tracing=row.step.service in traced)
        for row, outputs in zip(rows, found, strict=True)
    ]


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}


def _put_back(session: Session, stack: str, before: Mapping[str, str | None]) -> None:
    _take_out(session, stack, before)
    if given := _given(before):
        session.engine.configure(stack, given)


def _take_out(session: Session, stack: str, values: Mapping[str, str | None]) -> None:
    if absent := [key for key, value in values.items() if value is None]:
        session.engine.unset(stack, absent)


def _deployed(session: Session, row: Row, given: Mapping[str, str], how: How) -> Outcome:
    stack = row.step.stack
    with _limited(session, row, how.timeout) as expired:
        update = _tried(session, row, given, how, expired)
    if update.problem is None:
        if session.broken_since is not None:
            _mend(session, row, session.broken_since)
        return Outcome(state=State.DONE if row.progress.applied else State.UNCHANGED)
    if expired.is_set():
        problem = f"timed out after {how.timeout:g} s"
        row.progress.errors.insert(0, problem)
        _unlock(session, stack)
        return Outcome(state=State.FAILED, reason=problem)
    return Outcome(state=State.CANCELLED if session.cancelled.is_set() else State.FAILED, reason=update.problem)


def _tried(session: Session, row: Row, given: Mapping[str, str], how: How, expired: threading.Event) -> Update:
    """Deploy it, up to `retries.MOST_TRIES` times as long as what fails may pass."""
    service, stack, progress, begun = row.step.service, row.step.stack, row.progress, datetime.now(UTC)

    def up() -> Update:
        return session.engine.up(
            stack, progress, configured=given, refresh=how.refresh, turn=row.is_its_turn, run=how.run
        )

    pauses = retries.PAUSES_LOCAL if session.environment.is_local else retries.PAUSES
    for number, pause in enumerate(pauses, 2):
        update = up()
        problem = update.problem
        if problem is None or not retries.passes([problem, *progress.errors]):
            return update
        if expired.is_set() or session.cancelled.is_set():
            return update
        first = problem.partition("\n")[0]
        progress.current = f"try {number} of {retries.MOST_TRIES} in {pause:g} s: {first}"
        session.say(f"{service}: {progress.current}")
        session.record(f"{how.doing}-tried-again", service=service, stack=stack, number=number, problem=problem)
        if session.cancelled.wait(pause):
            return update
        session.broken_since = session.broken_since or begun
        if retries.died(problem):
            _unlock(session, stack)
        progress.begin_again()
    return up()


def _mend(session: Session, row: Row, since: datetime) -> None:
    """Clear away what an engine that died over the stack left in AWS; what can't be cleared away is no failure."""
    service = row.step.service
    aws = verify.Aws(region=session.environment.region)
    if session.environment.is_local:  # which, killed, may have forgotten that older revisions were deregistered
        since = datetime.min.replace(tzinfo=UTC)
    try:
        lost = mending.mend(session.engine, row.step.stack, aws.ecs, since)
    except (BotoCoreError, ClientError, EngineError) as error:
        session.say(f"{service}: what a dead engine left may still be there: {error}")
        return
    for arn in lost:
        session.say(f"{service}: {arn.rpartition('/')[2]} is deregistered: a dead engine had left it behind.")


def _unlock(session: Session, stack: str) -> None:
    with suppress(EngineError):
        session.engine.unlock(stack)


@contextmanager
def _limited(session: Session, row: Row, seconds: float) -> Iterator[threading.Event]:
    """End the stack's engine when the time from its turn on is up; yields what is set then."""
    expired, over = threading.Event(), threading.Event()
    stack = row.step.stack

    def watch() -> None:
        if not row.is_its_turn() or over.wait(seconds):
            return
        expired.set()
        while not over.is_set():  # the engine's process may only be about to start
            session.engine.end(stack, GRACE)
            over.wait(1)

    watching = threading.Thread(target=watch, name=f"time limit of {stack}", daemon=True)
    watching.start()
    try:
        yield expired
    finally:
        over.set()
        row.is_its_turn()
        watching.join()
