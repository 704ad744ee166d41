"""The scheduler: each stack starts the moment its own prerequisites are done; a failure stops only its dependents."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import StrEnum

from automation.events import Progress
from automation.plan import Step


class State(StrEnum):
    """Where a stack is in a run. The last five never change again."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    BLOCKED = "not run"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """True when the stack has nothing more to do."""
        return self not in (State.WAITING, State.RUNNING)

    @property
    def is_good(self) -> bool:
        """True when dependents may go on."""
        return self in (State.DONE, State.UNCHANGED)


@dataclass(kw_only=True)
class Row:
    """One stack in a run: what happened, why, and what caused it, each in its own field."""

    step: Step
    state: State = State.WAITING
    reason: str = ""  # why it failed, or what it could not run because of
    cause: str = ""  # the service whose failure blocked this one
    progress: Progress = field(default_factory=Progress)
    started: float | None = None  # monotonic seconds
    ended: float | None = None
    before: Mapping[str, str | None] = field(default_factory=dict)  # what the run overwrote of its configuration

    def elapsed(self, now: float) -> float:
        """Seconds of work so far."""
        return (self.ended or now) - self.started if self.started is not None else 0.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the action made of a stack."""

    state: State
    reason: str = ""


Action = Callable[[Row], Outcome]
Observer = Callable[[Row], None]


def execute(  # noqa: PLR0913 - each is a rule of its own, given by name
    rows: Sequence[Row],
    action: Action,
    *,
    parallel: int,
    observe: Observer,
    cancelled: threading.Event,
    stop: bool = False,
) -> None:
    """Run `action` on every row in dependency order, at most `parallel` at a time, until all rows are final.

    Rows that are final already count as done. With `stop` nothing starts any more once a row has failed.
    An exception of the action is a bug or a usage error: the other stacks are finished first, then it is raised.
    `observe` is called from this thread only, after each change of a row's state.
    """
    by_service = {row.step.service: row for row in rows}
    running: dict[Future[Outcome], Row] = {}
    crash: BaseException | None = None
    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="stack") as pool:
        while True:
            failed = next((row for row in rows if stop and row.state is State.FAILED), None)
            for row in rows:
                if row.state is State.WAITING and _settle(row, by_service, cancelled, crash, failed):
                    observe(row)
            for row in rows:
                ready = all(by_service[need].state.is_good for need in row.step.needs)
                if row.state is State.WAITING and ready and len(running) < parallel:
                    row.state, row.started = State.RUNNING, time.monotonic()
                    observe(row)
                    running[pool.submit(action, row)] = row
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                row = running.pop(future)
                row.ended = time.monotonic()
                error = future.exception()
                if error is None:
                    row.state, row.reason = future.result().state, future.result().reason
                else:
                    crash = crash or error
                    row.state, row.reason = State.FAILED, str(error)
                observe(row)
    if crash is not None:
        raise crash


def _settle(
    row: Row, rows: dict[str, Row], cancelled: threading.Event, crash: BaseException | None, failed: Row | None
) -> bool:
    """Give a waiting row its final state if it can no longer run; says whether it did."""
    if cancelled.is_set() or crash is not None:
        row.state, row.reason = State.CANCELLED, "the run was ended before its turn"
        return True
    for need in row.step.needs:
        blocker = rows[need]
        if blocker.state.is_final and not blocker.state.is_good:
            row.state, row.cause = State.BLOCKED, blocker.cause or need
            row.reason = f"'{row.cause}' {'was cancelled' if blocker.state is State.CANCELLED else 'failed'}"
            return True
    if failed is not None:
        row.state, row.cause, row.reason = State.BLOCKED, failed.step.service, f"'{failed.step.service}' failed"
        return True
    return False
