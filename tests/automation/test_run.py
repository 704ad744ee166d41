"""The scheduler: order, side by side, failures, cancellation."""

import threading

import pytest

from automation.run import Action, Outcome, Row, State, execute
from automation.steps import Step

DONE = Outcome(state=State.DONE)
FAILED = Outcome(state=State.FAILED, reason="AWS said no")


def four() -> list[Row]:
    graph = {"platform": (), "crystal": ("platform",), "nodejs": ("platform",), "frontend": ("crystal", "nodejs")}
    return [Row(step=Step(service=name, stack=f"local-{name}", needs=needs)) for name, needs in graph.items()]


def run(
    rows: list[Row], action: Action, *, parallel: int = 4, cancelled: threading.Event | None = None
) -> dict[str, State]:
    execute(rows, action, parallel=parallel, observe=lambda _row: None, cancelled=cancelled or threading.Event())
    return {row.step.service: row.state for row in rows}


def test_prerequisites_are_done_before_their_dependents_start() -> None:
    """GIVEN the four services WHEN they run THEN none starts before what it needs is done."""
    rows = four()
    by_name = {row.step.service: row for row in rows}

    def action(row: Row) -> Outcome:
        assert all(by_name[need].state is State.DONE for need in row.step.needs)
        return DONE

    assert set(run(rows, action).values()) == {State.DONE}


def test_independent_stacks_run_side_by_side() -> None:
    """Crystal and nodejs are at work at the same moment: each waits for the other before it ends."""
    meeting = threading.Barrier(2, timeout=10)

    def action(row: Row) -> Outcome:
        if row.step.service in ("crystal", "nodejs"):
            meeting.wait()
        return DONE

    assert set(run(four(), action).values()) == {State.DONE}


def test_a_stack_starts_without_waiting_for_its_siblings() -> None:
    """No barriers: a dependent of crystal alone is done while nodejs still works."""
    rows = [*four()[:3], Row(step=Step(service="ratings", stack="local-ratings", needs=("crystal",)))]
    ratings_done = threading.Event()

    def action(row: Row) -> Outcome:
        if row.step.service == "nodejs":
            assert ratings_done.wait(timeout=10)
        if row.step.service == "ratings":
            ratings_done.set()
        return DONE

    assert set(run(rows, action).values()) == {State.DONE}


def test_a_failure_stops_only_its_dependents_and_is_named_as_their_cause() -> None:
    """GIVEN crystal fails THEN nodejs is still deployed and frontend is not run because of crystal."""
    rows = four()
    states = run(rows, lambda row: FAILED if row.step.service == "crystal" else DONE)
    assert states == {
        "platform": State.DONE,
        "crystal": State.FAILED,
        "nodejs": State.DONE,
        "frontend": State.BLOCKED,
    }
    assert (rows[3].cause, rows[3].reason) == ("crystal", "'crystal' failed")


def test_the_first_cause_is_handed_down() -> None:
    """GIVEN the platform fails THEN frontend names the platform, not the services between them."""
    rows = four()
    run(rows, lambda _row: FAILED)
    assert [row.cause for row in rows] == ["", "platform", "platform", "platform"]


def test_never_more_stacks_at_once_than_allowed() -> None:
    """`--parallel 1` runs one after the other."""
    at_work, most, guard = 0, 0, threading.Lock()

    def action(_row: Row) -> Outcome:
        nonlocal at_work, most
        with guard:
            at_work += 1
            most = max(most, at_work)
        with guard:
            at_work -= 1
        return DONE

    run(four(), action, parallel=1)
    assert most == 1


def test_after_a_cancellation_nothing_new_starts() -> None:
    """GIVEN Ctrl-C while the platform is deployed THEN it is finished and the others are cancelled."""
    cancelled = threading.Event()

    def action(_row: Row) -> Outcome:
        cancelled.set()
        return DONE

    assert list(run(four(), action, cancelled=cancelled).values()) == [State.DONE, *[State.CANCELLED] * 3]


def test_a_bug_in_one_stack_lets_the_others_finish_and_is_raised() -> None:
    """An exception never hides: what runs is finished, then it surfaces."""
    rows = four()

    def action(row: Row) -> Outcome:
        if row.step.service == "crystal":
            raise ZeroDivisionError
        return DONE

    with pytest.raises(ZeroDivisionError):
        run(rows, action)
    assert rows[0].state is State.DONE
    assert all(row.state.is_final for row in rows)


def test_ahead_of_its_turn_a_row_is_begun_and_waits() -> None:
    """GIVEN a platform at work WHEN dependents are begun ahead THEN they get ready, and go on once it is done."""
    rows = four()[:2]
    ready = threading.Event()
    order: list[str] = []

    def action(row: Row) -> Outcome:
        if row.step.service == "crystal":
            ready.set()
        elif not ready.wait(timeout=10):
            return FAILED
        assert row.is_its_turn()
        order.append(row.step.service)
        return DONE

    execute(rows, action, parallel=1, observe=lambda _row: None, cancelled=threading.Event(), ahead=True)
    assert ["platform", "crystal"] == order


def test_a_row_that_was_begun_ahead_is_told_when_its_turn_never_comes() -> None:
    """GIVEN a dependent begun ahead WHEN its prerequisite fails THEN it does nothing, and is not run."""
    rows = four()[:2]
    ready = threading.Event()
    turns: list[bool] = []

    def action(row: Row) -> Outcome:
        if row.step.service == "platform":
            assert ready.wait(timeout=10)
            return FAILED
        ready.set()
        turns.append(row.is_its_turn())
        return DONE

    execute(rows, action, parallel=1, observe=lambda _row: None, cancelled=threading.Event(), ahead=True)
    assert [False] == turns
    assert [State.FAILED, State.BLOCKED] == [row.state for row in rows]
