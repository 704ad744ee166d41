"""Waves, and what a run goes on with: over a fake engine, with AWS's answers given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from automation import flip, resume, verify
from automation.cli import Shared
from automation.errors import ExitCode, UsageError
from automation.forecast import Change
from automation.proof import Proof
from automation.report import Report
from automation.resume import Earlier, take_over
from automation.review import provable
from automation.run import Row, State
from automation.session import Session
from automation.verify import Running, Target
from automation.wish import Wish
from tests.automation.fakes import FLAG, GRAPH, FakeEngine, fake_session, rows
from tests.automation.test_hops import FLEET
from tests.automation.test_retries import STAYING

WISH = Wish(tracing=True, skip_preview=True)
WANTED = {FLAG: "true"}

Faked = tuple[Session, FakeEngine]


class Aws:
    """What verification and review say, and what they were asked."""

    def __init__(self) -> None:
        self.problems: dict[str, tuple[str, ...]] = {}  # by service
        self.lost: set[str] = set()  # hops that are not traced
        self.lost_revisions: set[str] = set()  # services that run another one than was deployed
        self.verified: list[list[str]] = []
        self.looked_for: list[list[str]] = []

    def wait(self, targets: Sequence[Target], *_: object, **__: object) -> dict[str, Running]:
        self.verified.append([target.service for target in targets])
        return {target.service: Running(problems=self.problems.get(target.service, ())) for target in targets}

    def look(self, targets: Sequence[Target], _aws: object) -> dict[str, Running]:
        return {
            target.service: Running(
                task_definition="" if target.service in self.lost_revisions else target.task_definition,
                flag=True,
                sidecar=True,
                policy=True,
            )
            for target in targets
        }

    def review(self, _session: Session, report: Report, _requests: int | None) -> None:
        wanted = provable(FLEET, report)
        self.looked_for.append([hop.words for hop in wanted])
        report.proof = Proof(seen={hop: int(hop.words not in self.lost) for hop in wanted})


@pytest.fixture
def faked(tmp_path: Path) -> Iterator[Faked]:
    with fake_session(tmp_path) as (session, engine):
        engine.outputs = FLEET
        yield session, engine


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    made = Aws()
    monkeypatch.setattr(verify, "wait", made.wait)
    monkeypatch.setattr(resume, "look", made.look)
    monkeypatch.setattr(flip, "review", made.review)
    monkeypatch.setattr(flip, "outputs", _traced_so_far)
    return made


def _traced_so_far(session: Session) -> Mapping[str, Mapping[str, Any]]:
    """The fleet's outputs; services whose configuration has no flag are not traced."""
    files = session.environment.files
    return {name: {**found, "tracing": FLAG in files.read(name)} for name, found in FLEET.items()}


def waved(session: Session, wave: str, **wish: Any) -> Report:
    report = Report(command="enable", environment="local", traced=list(FLEET), rows=rows())
    wished = Wish(tracing=True, skip_preview=True, wave=wave, **wish)
    aws = verify.Aws(region="us-east-1")
    flip._waves(session, report, wished, WANTED, lambda of, rows: flip._verify(session, of, rows, wished, aws))
    return report


def test_each_wave_is_verified_before_the_next_begins(faked: Faked, aws: Aws) -> None:
    """One after the other; without --wave it is all of them at once."""
    session, engine = faked
    report = waved(session, "1,2,rest")
    assert report.exit_code is ExitCode.DONE
    assert aws.verified == [["platform"], ["crystal", "nodejs"], ["frontend"]]
    assert [call.removeprefix("up local-") for call in engine.calls] == ["platform", "crystal", "nodejs", "frontend"]
    assert sorted(report.verification) == sorted(FLEET)


def test_a_wave_that_aws_does_not_run_is_the_last(faked: Faked, aws: Aws) -> None:
    """Exit 3; what comes after it is not touched."""
    session, engine = faked
    aws.problems["crystal"] = ("ECS rolled back",)
    report = waved(session, "2,rest")
    assert report.exit_code is ExitCode.NOT_VERIFIED
    assert engine.calls == ["up local-platform", "up local-crystal"]
    assert "AWS does not run what was deployed: crystal" in report.summary()
    assert "Wave 1 of 2 (platform, crystal) is not good" in report.summary()
    assert [row.state for row in report.rows[2:]] == [State.BLOCKED] * 2


def test_a_wave_whose_calls_are_not_traced_is_the_last_and_the_call_is_named(faked: Faked, aws: Aws) -> None:
    """GIVEN an earlier wave closes a call between traced services WHEN it is not seen THEN exit 3 names it."""
    session, engine = faked
    engine.configure("local-frontend", {FLAG: "true"})
    aws.lost = {"frontend → crystal"}
    report = waved(session, "1,1,rest")
    assert aws.looked_for == [["platform → frontend"], ["platform → frontend", "frontend → crystal"]]
    assert report.exit_code is ExitCode.NOT_VERIFIED
    assert "not every call is traced: frontend → crystal" in report.summary()
    assert engine.calls == ["up local-platform", "up local-crystal"]


def test_a_failed_stack_ends_its_wave_and_the_run(faked: Faked, aws: Aws) -> None:
    """A failure is a failure: exit 1."""
    session, engine = faked
    engine.problems["local-crystal"] = [STAYING["denied"]]
    report = waved(session, "2,rest")
    assert report.exit_code is ExitCode.STACK_FAILED
    assert [row.state for row in report.rows] == [State.DONE, State.FAILED, State.BLOCKED, State.BLOCKED]
    assert aws.verified == [["platform"]]


@pytest.mark.parametrize(
    ("how", "nodejs"), [("continue", State.DONE), ("stop", State.BLOCKED), ("rollback", State.BLOCKED)]
)
@pytest.mark.usefixtures("aws")
def test_what_begins_after_a_failure(faked: Faked, how: str, nodejs: State) -> None:
    """GIVEN crystal fails THEN nodejs, which does not need it, is deployed only where the run is to continue."""
    session, engine = faked
    engine.problems["local-crystal"] = [STAYING["denied"]]
    report = waved(session, "", on_failure=how)
    assert [row.state for row in report.rows] == [State.DONE, State.FAILED, nodejs, State.BLOCKED]
    assert report.rows[3].cause == "crystal"


def earlier(**succeeded: str) -> Earlier:
    before = {"crystal": {FLAG: "false"}}
    begun = datetime(2026, 11, 23, tzinfo=UTC)
    return Earlier(id="a", begun=begun, services=(), settings={}, waves="", succeeded=succeeded, before=before)


def resumed(session: Session, **succeeded: str) -> list[Row]:
    report = Report(command="enable", environment="local", rows=rows(), traced=list(GRAPH))
    take_over(session, report, WANTED, earlier(**succeeded), verify.Aws(region="us-east-1"))
    return list(report.rows)


def test_what_succeeded_and_is_still_configured_so_is_not_done_again(faked: Faked, aws: Aws) -> None:
    """The journal's word, the configuration's and that of AWS: all are needed."""
    session, engine = faked
    aws.lost_revisions = {"crystal"}
    for service in ("platform", "crystal", "nodejs"):
        engine.configure(f"local-{service}", WANTED)
    files = session.environment.files
    same = {service: files.fingerprint(service) for service in ("platform", "crystal", "nodejs")}
    engine.configure("local-nodejs", {"ecs-tracing:cpu": "512"})
    made = resumed(session, **same)
    assert [row.state for row in made] == [State.UNCHANGED, State.WAITING, State.WAITING, State.WAITING]
    assert made[0].reason == "done by run a"
    assert made[1].before == {FLAG: "false"}


@pytest.mark.usefixtures("aws")
def test_what_was_switched_back_in_between_is_done_again(faked: Faked) -> None:
    """GIVEN the configuration is no longer what the run wished THEN the stack is deployed."""
    session, engine = faked
    engine.configure("local-platform", {FLAG: "false"})
    made = resumed(session, platform=session.environment.files.fingerprint("platform"))
    assert made[0].state is State.WAITING


def test_a_resumed_run_takes_no_other_services_or_settings(faked: Faked) -> None:
    """They are those of the run that it continues."""
    del faked
    shared = Shared(environment="local", as_json=False, yes=True, parallel=None, services=("crystal",))
    with pytest.raises(UsageError, match="takes services and settings from the run that it continues, not cry"):
        flip._continued(shared, WISH)


def test_what_is_left_of_a_run_is_deployed_against_what_aws_has() -> None:
    """Pulumi believes its state, which a run that died may not have written: without a refresh that would stay so."""
    assert not WISH.how.refresh
    assert Wish(tracing=True, earlier=earlier()).how.refresh


def test_task_definitions_bear_the_run_that_replaces_them(faked: Faked) -> None:
    """GIVEN a plan in which one is replaced, while another stack only follows, THEN the other keeps its tag."""
    session, engine = faked
    replaced = Change(op="replace", type="aws:ecs/taskDefinition:TaskDefinition", name="crystal-task")
    other = replace(replaced, op="update", type="aws:ecs/service:Service")
    report = Report(command="enable", environment="local", rows=rows())
    report.plan = {"platform": [], "crystal": [replaced], "nodejs": [other], "frontend": []}
    flip._deploy(session, report, WISH, WANTED)

    assert engine.tagged == {"local-crystal": session.run}


def test_without_a_plan_they_do_so_where_the_configuration_changes(faked: Faked) -> None:
    """A second run changes no tag."""
    session, engine = faked
    flip._deploy(session, Report(command="enable", environment="local", rows=rows()), WISH, WANTED)
    first, engine.tagged = engine.tagged, {}
    flip._deploy(session, Report(command="enable", environment="local", rows=rows()), WISH, WANTED)

    assert first == {row.step.stack: session.run for row in rows()}
    assert engine.tagged == {}
