"""history.py as a user calls it, on journals alone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from automation import history
from automation.cli import main
from tests.automation.test_runs import WISHED, ended, journal, stack

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a failed run and a good one after it."""
    folder = tmp_path / ".runs" / "local"
    failed = {**stack("crystal", "failed")[1], "problem": "AccessDenied"}
    journal(folder, "first", WISHED, *stack("platform", "done", before="false"), failed, ended(1))
    journal(folder, "second", WISHED, ended(0), command="disable", after=1)
    monkeypatch.setattr(history, "folder_of", lambda name: tmp_path / ".runs" / name)
    return folder


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["automation/history.py", *args])
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as end:
        main(history.history)
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


@pytest.mark.usefixtures("environment")
def test_runs_are_listed_newest_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Id, time in UTC, command, services, outcome, duration."""
    code, out, _ = told(monkeypatch, capsys)
    assert code == 0
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["second", "2026-11-23", "12:01:00", "disable", "platform,", "crystal", "done", "2.0", "s"],
        ["first", "2026-11-23", "12:00:00", "enable", "platform,", "crystal", "failed", "5.0", "s"],
    ]
    documents: Any = json.loads(told(monkeypatch, capsys, "--json")[1])
    assert [(run["id"], run["exitCode"]) for run in documents["runs"]] == [("second", 0), ("first", 1)]


@pytest.mark.usefixtures("environment")
def test_one_run_is_told_step_by_step(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What each stack's configuration was and was to be, and what came of it."""
    code, out, _ = told(monkeypatch, capsys, "show", "first")
    assert code == 0
    assert "begins: tracing false → true" in out
    assert "ends: failed (AccessDenied)" in out
    document: Any = json.loads(told(monkeypatch, capsys, "show", "LAST", "--json")[1])
    assert (document["id"], document["steps"][-1]["event"]) == ("second", "run-ended")


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("show", "third"), "There is no run 'third' in environment 'local'"),
        (("show", "first", "--env", "prod"), "There is no run 'first' in environment 'prod'"),
        (("show",), "neither nothing nor 'show ID'"),
        (("--env", "../local"), "not a valid environment name"),
    ],
)
def test_what_is_not_there_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], message: str
) -> None:
    """One error with the next command."""
    code, _, err = told(monkeypatch, capsys, *args)
    assert code == 2
    assert message in err
    assert "next: python automation/history.py" in err


def test_neither_pulumi_nor_an_aws_is_needed() -> None:
    """Reading files takes no engine, no SDK and no embedded AWS: none of them is loaded."""
    asked = "import sys, automation.history; print({'pulumi', 'boto3', 'localaws', 'services'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=True, capture_output=True, text=True)
    assert result.stdout == "set()\n"
