"""One stack: written down before and after, tried again where that may help, ended when it takes too long."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation import retries, runs
from automation.deployment import How, bring
from automation.run import State, Turn
from automation.session import Session
from tests.automation.fakes import FLAG, FakeEngine, fake_session, rows
from tests.automation.test_retries import PASSING, STAYING

Faked = tuple[Session, FakeEngine]


@pytest.fixture
def faked(tmp_path: Path) -> Iterator[Faked]:
    with fake_session(tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "PAUSES_LOCAL", (0.0, 0.0))


def events(folder: Path) -> list[str]:
    (run,) = runs.every(folder)
    return [line["event"] for line in run.lines if "service" in line]


def test_the_journal_knows_a_step_before_it_happens(faked: Faked, tmp_path: Path) -> None:
    """What the configuration was, what it is to be and what came of it, each line on disk before the engine goes on."""
    session, engine = faked
    crystal = rows()[1]
    seen: list[list[str]] = []
    deploy = engine.up

    def up(*args: object, **given: object) -> object:
        seen.append(events(tmp_path))
        return deploy(*args, **given)  # type: ignore[arg-type]

    engine.up = up  # type: ignore[method-assign,assignment]
    outcome = bring(session, crystal, {FLAG: "true"}, How(), engine=True)
    assert outcome.state is State.DONE
    assert seen == [["stack-started"]]
    (run,) = runs.every(tmp_path)
    begun, ended = run.lines[1:]
    assert (begun["before"], begun["wanted"]) == ({FLAG: None}, {FLAG: "true"})
    assert (ended["outcome"], ended["applied"]) == ("done", {"update": 1})


def test_a_stumble_is_tried_again(faked: Faked, tmp_path: Path) -> None:
    """GIVEN AWS throttles twice THEN the third try ends well, and each is told and written down."""
    session, engine = faked
    engine.problems["local-crystal"] = [PASSING["throttled"], PASSING["reset"]]
    crystal = rows()[1]
    outcome = bring(session, crystal, {}, How(), engine=True)
    assert outcome.state is State.DONE
    assert crystal.progress.errors == []
    assert events(tmp_path) == ["stack-started", "stack-tried-again", "stack-tried-again", "stack-ended"]
    told = session.console.file.getvalue()  # type: ignore[attr-defined]
    assert "crystal: try 2 of 3" in told
    assert "crystal: try 3 of 3" in told


def test_three_tries_are_all(faked: Faked) -> None:
    """What does not pass in three tries has failed, with the last reason."""
    session, engine = faked
    engine.problems["local-crystal"] = [PASSING["5xx"]] * 4
    outcome = bring(session, rows()[1], {}, How(), engine=True)
    assert (outcome.state, outcome.reason) == (State.FAILED, PASSING["5xx"])
    assert engine.calls == ["up local-crystal"] * 3


def test_a_real_error_fails_at_once(faked: Faked) -> None:
    """Nobody waits for a right that is missing."""
    session, engine = faked
    engine.problems["local-crystal"] = [STAYING["denied"]]
    assert bring(session, rows()[1], {}, How(), engine=True).state is State.FAILED
    assert engine.calls == ["up local-crystal"]


def test_a_dead_engine_leaves_no_lock(faked: Faked) -> None:
    """GIVEN the engine was killed THEN its lock is taken away before the next try."""
    session, engine = faked
    engine.problems["local-crystal"] = [PASSING["engine killed"]]
    assert bring(session, rows()[1], {}, How(), engine=True).state is State.DONE
    assert engine.calls == ["up local-crystal", "unlock local-crystal", "up local-crystal"]


def test_nothing_is_tried_again_after_ctrl_c(faked: Faked) -> None:
    """GIVEN an interrupted run THEN a failure that would pass is cancelled, not repeated."""
    session, engine = faked
    engine.problems["local-crystal"] = [PASSING["reset"]]
    session.cancelled.set()
    assert bring(session, rows()[1], {}, How(), engine=True).state is State.CANCELLED
    assert engine.calls == ["up local-crystal"]


def test_a_stack_that_takes_too_long_is_ended(faked: Faked) -> None:
    """Its engine is ended, which is told first of all errors, and its lock is taken away."""
    session, engine = faked
    engine.hangs["local-crystal"] = threading.Event()
    crystal = rows()[1]
    outcome = bring(session, crystal, {}, How(timeout=0.01), engine=True)
    assert (outcome.state, outcome.reason) == (State.FAILED, "timed out after 0.01 s")
    assert crystal.progress.errors[0] == "timed out after 0.01 s"
    assert engine.calls[:2] == ["up local-crystal", "end local-crystal 30"]
    assert engine.calls[-1] == "unlock local-crystal"


def test_a_crash_is_written_down(faked: Faked, tmp_path: Path) -> None:
    """A bug surfaces, and the journal says that the step failed."""
    session, engine = faked

    def broken(*_args: object, **_given: object) -> None:
        raise ZeroDivisionError

    engine.up = broken  # type: ignore[method-assign,assignment]
    with pytest.raises(ZeroDivisionError):
        bring(session, rows()[1], {FLAG: "true"}, How(), engine=True)
    assert events(tmp_path) == ["stack-started", "stack-ended"]
    assert isinstance(engine, FakeEngine)


def test_where_its_turn_never_comes_the_configuration_is_as_before(faked: Faked) -> None:
    """GIVEN a stack begun ahead of its prerequisite WHEN that fails THEN nothing of it has changed."""
    session, engine = faked
    crystal = rows()[1]
    crystal.turn = Turn()
    crystal.turn.settle(comes=False)
    engine.configure(crystal.step.stack, {FLAG: "false"})
    assert bring(session, crystal, {FLAG: "true"}, How(), engine=True).state is State.BLOCKED
    assert {FLAG: "false"} == session.environment.files.written("crystal", [FLAG])
