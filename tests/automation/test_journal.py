"""One run at a time, a record of each, and take-over from the dead."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.errors import LockedError, UsageError
from automation.journal import exclusive

_HOLD = """
import sys
from pathlib import Path
from automation.journal import exclusive
with exclusive(Path(sys.argv[1]), "python automation/enable.py") as (journal, dead):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the environment `local`."""
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path / "local")],
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_second_run_is_told_who_holds_the_environment(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    """The error names the owner's process and start time."""
    pattern = rf"holds environment 'local': 'python automation/enable.py', process {holder.pid}, started \d{{4}}-"
    with pytest.raises(LockedError, match=pattern), exclusive(tmp_path / "local", "x"):
        pytest.fail("two runs at once")


def test_a_lock_left_by_a_killed_process_is_taken_over(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    """GIVEN the owner was killed WHEN the next run starts THEN it holds the lock and knows whose it was."""
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with exclusive(tmp_path / "local", "again") as (_journal, dead):
        assert dead is not None
        assert dead.pid == holder.pid


def test_a_lock_given_back_properly_leaves_no_trace(tmp_path: Path) -> None:
    """A run that ended is nobody's dead owner."""
    with exclusive(tmp_path / "local", "first"):
        pass
    with exclusive(tmp_path / "local", "second") as (_journal, dead):
        assert dead is None


def test_each_line_of_the_journal_is_on_disk_at_once(tmp_path: Path) -> None:
    """What was written before a kill can be read after it."""
    with exclusive(tmp_path / "local", "first") as (journal, _dead):
        journal.write("stack-started", stack="local-crystal")
        (file,) = (tmp_path / "local" / "runs").glob("*.jsonl")
        lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["event"], line.get("stack")) for line in lines] == [
        ("run-started", None),
        ("stack-started", "local-crystal"),
    ]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A read-only or full disk is one clear error, before anything was changed."""
    (tmp_path / "file").write_text("in the way")
    expected = r"Cannot write to .*file/local: Not a directory"
    with pytest.raises(UsageError, match=expected), exclusive(tmp_path / "file" / "local", "x"):
        pytest.fail("it must not get here")


def test_a_run_that_ends_in_an_error_says_so(tmp_path: Path) -> None:
    """It is not taken for one that was killed."""
    with pytest.raises(UsageError), exclusive(tmp_path / "local", "x"):
        raise UsageError("No.")
    (file,) = (tmp_path / "local" / "runs").glob("*.jsonl")
    last = json.loads(file.read_text().splitlines()[-1])
    assert (last["event"], last["exitCode"], last["summary"]) == ("run-ended", 2, "No.")


def test_only_the_last_200_runs_are_kept(tmp_path: Path) -> None:
    """The oldest goes when a new one begins."""
    folder = tmp_path / "local" / "runs"
    folder.mkdir(parents=True)
    for number in range(205):
        (folder / f"20000101T000000-{number:03}.jsonl").touch()
    with exclusive(tmp_path / "local", "x") as (journal, _dead):
        kept = sorted(file.stem for file in folder.glob("*.jsonl"))
    assert len(kept) == 200
    assert (kept[0], kept[-1]) == ("20000101T000000-006", journal.id)
