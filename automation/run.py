"""The scheduler: each stack starts the moment its own prerequisites are done; a failure stops only its dependents."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import StrEnum

from automation.events import Progress
from automation.steps import Step


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


class Turn:
    """What an action that was begun ahead of its row's prerequisites waits for."""

    def __init__(self) -> None:
        self._known = threading.Event()
        self._comes = False

    def settle(self, *, comes: bool) -> None:
        """Let those who wait know."""
        self._comes = comes
        self._known.set()

    def wait(self) -> bool:
        """True once the prerequisites are done; False once they never will be."""
        self._known.wait()
        return self._comes


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
    turn: Turn | None = None  # of one that was begun ahead
    before: Mapping[str, str | None] = field(default_factory=dict)  # what the run overwrote of its configuration

    def is_its_turn(self) -> bool:
        """Wait until its prerequisites are done; False where they never will be."""
        return self.turn is None or self.turn.wait()

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
    ahead: bool = False,
) -> None:
    """Run `action` on every row in dependency order, at most `parallel` at a time, until all rows are final.

    Rows that are final already count as done. With `stop` nothing starts any more once a row has failed. With `ahead`
    as many again are begun while their prerequisites run: the action gets ready, then waits for the row's turn.
    An exception of the action is a bug or a usage error: the other stacks are finished first, then it is raised.
    `observe` is called from this thread only, after each change of a row's state.
    """
    crash: BaseException | None = None
    by_service = {row.step.service: row for row in rows}
    with ThreadPoolExecutor(max_workers=2 * parallel if ahead else parallel, thread_name_prefix="stack") as pool:
        work = _Work(pool=pool, action=action, parallel=parallel, ahead=parallel if ahead else 0)
        while True:
            failed = next((row for row in rows if stop and row.state is State.FAILED), None)
            for row in rows:
                if row.state is State.WAITING and _settle(row, by_service, cancelled, crash, failed):
                    work.refuse(row)
                    observe(row)
            for row in rows:
                if row.state is State.WAITING and work.start(row, [by_service[need].state for need in row.step.needs]):
                    observe(row)
            if not work.running:
                break
            for row, error in work.ended():
                crash = crash or error
                observe(row)
    if crash is not None:
        raise crash


@dataclass(kw_only=True)
class _Work:
    """The actions that were begun and have not ended."""

    pool: Executor
    action: Action
    parallel: int
    ahead: int  # how many may be begun ahead of their turn
    running: dict[Future[Outcome], Row] = field(default_factory=dict)
    begun: dict[str, Future[Outcome]] = field(default_factory=dict)  # by service, ahead of their turn

    def start(self, row: Row, needs: Sequence[State]) -> bool:
        """Run a row whose prerequisites (their states) are done, or begin it ahead of that; says whether it runs."""
        service = row.step.service
        if all(state.is_good for state in needs) and len(self.running) < self.parallel:
            row.state, row.started = State.RUNNING, time.monotonic()
            if row.turn:
                row.turn.settle(comes=True)
            self.running[self.begun.pop(service) if service in self.begun else self._submit(row)] = row
            return True
        near = all(state.is_good or state is State.RUNNING for state in needs)
        if near and service not in self.begun and len(self.begun) < self.ahead:
            row.turn = Turn()
            self.begun[service] = self._submit(row)
        return False

    def refuse(self, row: Row) -> None:
        """Let an action that was begun ahead know that its turn does not come."""
        if row.turn:
            row.turn.settle(comes=False)
        self.begun.pop(row.step.service, None)

    def ended(self) -> Iterator[tuple[Row, BaseException | None]]:
        """Wait for some to end; yields their rows, final now, and what was raised."""
        for future in wait(self.running, return_when=FIRST_COMPLETED).done:
            row = self.running.pop(future)
            row.ended = time.monotonic()
            error = future.exception()
            if error is None:
                row.state, row.reason = future.result().state, future.result().reason
            else:
                row.state, row.reason = State.FAILED, str(error)
            yield row, error

    def _submit(self, row: Row) -> Future[Outcome]:
        return self.pool.submit(self.action, row)


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
