"""What journals say afterwards, whatever became of the run that wrote them, and what --resume takes from them."""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from automation import runs
from automation.errors import UsageError
from automation.resume import earlier

BEGUN = datetime(2026, 11, 23, 12, tzinfo=UTC)
FLAG = "ecs-tracing:tracing"
WISHED = {"event": "wished", "services": ["platform", "crystal"], "settings": {"samplingRate": "1"}, "waves": ""}


def journal(folder: Path, name: str, *lines: dict[str, Any], command: str = "enable", after: int = 0) -> Path:
    """A run's journal that begins so many minutes after the first; a line each second."""
    start = {"event": "run-started", "command": f"python automation/{command}.py --yes", "pid": 1, "started": name}
    file = folder / "runs" / f"{name}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    times = (BEGUN + timedelta(minutes=after, seconds=number) for number in range(100))
    timed = [json.dumps({"time": next(times).isoformat(), **line}) for line in (start, *lines)]
    file.write_text("\n".join(timed) + "\n")
    return file


def ended(code: int, **facts: Any) -> dict[str, Any]:
    return {"event": "run-ended", "exitCode": code, "summary": "so it ended", **facts}


def stack(service: str, outcome: str, *, before: str | None = None) -> list[dict[str, Any]]:
    named = {"service": service, "stack": f"local-{service}"}
    begun = {"event": "stack-started", **named, "before": {FLAG: before}, "wanted": {FLAG: "true"}}
    return [
        begun,
        {"event": "stack-ended", **named, "outcome": outcome, "applied": {}, "configuration": f"of {service}"},
    ]


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    """GIVEN a run killed while it wrote THEN all that it had written before is there, and it counts as killed."""
    file = journal(tmp_path, "a", WISHED, *stack("platform", "done"))
    with file.open("a") as torn:
        torn.write('{"time": "2026-11-23T12:00:09+00:00", "event": "stack-sta')
    (run,) = runs.every(tmp_path)
    assert (run.outcome, run.succeeded, run.seconds) == ("killed", {"platform": "of platform"}, None)


def test_an_empty_journal_is_no_run(tmp_path: Path) -> None:
    """It was killed before it had begun."""
    journal(tmp_path, "a").write_text("")
    assert runs.every(tmp_path) == []


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        ([ended(0)], "done"),
        ([ended(0, declined=True)], "declined"),
        ([ended(1)], "failed"),
        ([ended(2)], "refused"),
        ([ended(3)], "not verified"),
        ([ended(130)], "interrupted"),
        ([], "killed"),
    ],
)
def test_each_end_has_its_word(tmp_path: Path, end: list[dict[str, Any]], outcome: str) -> None:
    """As the exit code was."""
    journal(tmp_path, "a", *end)
    (run,) = runs.every(tmp_path)
    assert run.outcome == outcome


def test_a_run_at_work_is_not_taken_for_a_killed_one(tmp_path: Path) -> None:
    """Its owner's process is alive, and is the one that wrote it."""
    file = journal(tmp_path, "a")
    start = json.loads(file.read_text()) | {"pid": os.getpid(), "time": datetime.now(UTC).isoformat()}
    file.write_text(json.dumps(start))
    (tmp_path / "owner.json").write_text(json.dumps({"started": "a"}))
    (run,) = runs.every(tmp_path)
    assert run.outcome == "running"


def test_what_aws_does_not_run_or_was_taken_back_has_not_succeeded(tmp_path: Path) -> None:
    """Only the rest need not be done again."""
    verified = {"event": "verified", "problems": {"platform": [], "crystal": ["ECS rolled back"], "nodejs": []}}
    undone = {"event": "rollback-started", "service": "nodejs"}
    flipped = [line for service in ("platform", "crystal", "nodejs") for line in stack(service, "done")]
    journal(tmp_path, "a", *flipped, *stack("frontend", "failed"), verified, undone, ended(3))
    (run,) = runs.every(tmp_path)
    assert run.succeeded == {"platform": "of platform"}


def test_a_failed_run_is_continued_with_its_wish(tmp_path: Path) -> None:
    """Services, settings, what succeeded and what was overwritten; refused and declined runs after it do not count."""
    journal(tmp_path, "a", WISHED, *stack("platform", "done"), *stack("crystal", "failed", before="false"), ended(1))
    journal(tmp_path, "b", ended(2), after=1)
    journal(tmp_path, "c", ended(0, declined=True), command="disable", after=2)
    found = earlier(tmp_path, "enable", "local")
    assert (found.id, found.services, found.settings) == ("a", ["platform", "crystal"], {"samplingRate": "1"})
    assert found.succeeded == {"platform": "of platform"}
    assert found.before["crystal"] == {FLAG: "false"}


@pytest.mark.parametrize(
    ("given", "message", "following"),
    [
        (None, "there was no run in environment 'prod' yet", "python automation/enable.py --env prod"),
        (("enable", [WISHED, ended(0)]), "came to its end", "python automation/history.py --env prod"),
        (
            ("disable", [WISHED, ended(1)]),
            "There is no enable to resume: the last run (a, disable, failed)",
            "python automation/disable.py --resume --env prod",
        ),
        (("migrate", [ended(1)]), "goes on when it is called again", "python automation/migrate.py --yes"),
        (("enable", [ended(1)]), "ended before it began", "python automation/enable.py --yes"),
    ],
    ids=["no run", "a good one", "another command", "a migration", "nothing wished"],
)
def test_nothing_to_resume_is_said_with_the_next_command(
    tmp_path: Path, given: tuple[str, list[dict[str, Any]]] | None, message: str, following: str
) -> None:
    """Exit code 2, and how to get on."""
    if given:
        journal(tmp_path, "a", *given[1], command=given[0])
    with pytest.raises(UsageError, match=re.escape(message)) as refused:
        earlier(tmp_path, "enable", "prod")
    assert refused.value.next_command == following
