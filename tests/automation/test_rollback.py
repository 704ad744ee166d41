"""Taking a run back: exactly what it wrote, exactly where, dependents first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from automation.deployment import How, bring
from automation.rollback import roll_back
from automation.run import Row, State
from automation.session import Session
from tests.automation.fakes import FLAG, GRAPH, FakeEngine, fake_session, rows
from tests.automation.test_retries import STAYING

Faked = tuple[Session, FakeEngine]


@pytest.fixture
def faked(tmp_path: Path) -> Iterator[Faked]:
    with fake_session(tmp_path) as made:
        yield made


EVERYTHING = frozenset(GRAPH)


def config(folder: Path) -> dict[str, Any]:
    files = (folder / "stacks").glob("*.yaml")
    found = {file.stem.removeprefix("Pulumi.local-"): yaml.safe_load(file.read_text())["config"] for file in files}
    return {service: written for service, written in found.items() if written}


def flipped(session: Session, engine: FakeEngine, *, failing: str) -> list[Row]:
    """All four flipped, one after the other; the one fails, after which none begins."""
    engine.problems[f"local-{failing}"] = [STAYING["denied"]]
    made = rows()
    for row in made:
        row.started = 0.0
        row.state = bring(session, row, {FLAG: "true"}, How(), engine=True).state
        if row.state is State.FAILED:
            break
    engine.calls.clear()
    return made


def test_what_was_flipped_is_taken_back_dependents_first(faked: Faked, tmp_path: Path) -> None:
    """The failed one, too; what never began is not touched."""
    session, engine = faked
    made = flipped(session, engine, failing="nodejs")
    undone = roll_back(session, made, EVERYTHING, How())
    assert [(row.step.service, row.state) for row in undone] == [
        ("nodejs", State.DONE),
        ("crystal", State.DONE),
        ("platform", State.DONE),
    ]
    assert engine.calls[-1] == "up local-platform"
    assert sorted(engine.calls) == ["up local-crystal", "up local-nodejs", "up local-platform"]
    assert config(tmp_path) == {}


def test_each_setting_gets_its_old_value(faked: Faked, tmp_path: Path) -> None:
    """A value that was there comes back; one that was not is taken out."""
    session, engine = faked
    engine.configure("local-crystal", {FLAG: "false", "ecs-tracing:cpu": "512"})
    crystal = rows()[1]
    crystal.started = 0.0
    crystal.state = bring(session, crystal, {FLAG: "true", "ecs-tracing:samplingRate": "1"}, How(), engine=True).state
    roll_back(session, [crystal], EVERYTHING, How())
    assert config(tmp_path) == {"crystal": {FLAG: "false", "ecs-tracing:cpu": "512"}}


def test_one_that_cannot_be_taken_back_keeps_no_other_from_it(faked: Faked) -> None:
    """It is told with its reason."""
    session, engine = faked
    made = flipped(session, engine, failing="frontend")
    engine.problems["local-frontend"] = [STAYING["denied"]]
    undone = {row.step.service: (row.state, row.reason) for row in roll_back(session, made, EVERYTHING, How())}
    assert undone["frontend"] == (State.FAILED, STAYING["denied"])
    assert [undone[service][0] for service in ("platform", "crystal", "nodejs")] == [State.DONE] * 3


def test_a_stack_that_was_not_there_before_is_left(faked: Faked) -> None:
    """There is nothing that it could be taken back to."""
    session, engine = faked
    made = flipped(session, engine, failing="crystal")
    undone = roll_back(session, made, frozenset({"platform"}), How())
    assert [(row.step.service, row.state) for row in undone] == [("crystal", State.FAILED), ("platform", State.DONE)]
    assert "not deployed before" in undone[0].reason
    assert engine.calls == ["up local-platform"]


def test_a_stack_that_only_had_its_configuration_written_needs_no_engine(faked: Faked, tmp_path: Path) -> None:
    """What was unchanged in AWS stays so."""
    session, engine = faked
    crystal = rows()[1]
    crystal.started = 0.0
    crystal.state = bring(session, crystal, {FLAG: "false"}, How(), engine=False).state
    roll_back(session, [crystal], EVERYTHING, How())
    assert (engine.calls, config(tmp_path)) == ([], {})
