"""Set-ups that run at the same time, are killed, or are run by hand."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pulumicli.machine import Machine

BUILDING = "Pulumi CLI 3.200.0, step 2 of 2: building it (about 3 min on two cores) …\n"
WAITING = "Another set-up is installing the Pulumi CLI; waiting for it (up to 5 min) …\n"


@pytest.fixture
def gate(machine: Machine, tmp_path: Path) -> Path:
    """A `go` whose build waits until somebody writes to this pipe."""
    pipe = tmp_path / "gate"
    os.mkfifo(pipe)
    machine.install_go(before_build=f'cat "{pipe}" > "{tmp_path}/opened"')
    return pipe


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """The processes that a test has started; none outlives it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Read progress until the process says the line; fail if it ends without."""
    assert process.stderr is not None
    assert line in iter(process.stderr.readline, ""), f"it never said: {line}"


def test_two_set_ups_at_once_build_once(machine: Machine, gate: Path, started: list[subprocess.Popen[str]]) -> None:
    """The second says that it waits, and both end with the same copy."""
    first = machine.start()
    started.append(first)
    wait_for(first, BUILDING)
    second = machine.start()
    started.append(second)
    wait_for(second, WAITING)

    gate.write_text("go on")
    answers = [process.communicate()[0] for process in (first, second)]

    assert answers == [f"{machine.built}\n"] * 2
    assert machine.go_calls.count("build") == 1


def test_a_killed_set_up_leaves_nothing_that_the_next_one_uses(
    machine: Machine, gate: Path, started: list[subprocess.Popen[str]]
) -> None:
    """After SIGKILL in the middle of a build the next set-up builds afresh and clears away what was left."""
    killed = machine.start()
    started.append(killed)
    wait_for(killed, BUILDING)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert len(list(machine.cache.glob(".partial-*"))) == 1

    following = machine.start()
    started.append(following)
    wait_for(following, BUILDING)
    gate.write_text("go on")

    assert following.communicate()[0] == f"{machine.built}\n"
    assert list(machine.cache.glob(".partial-*")) == []


def test_ctrl_c_ends_a_set_up_without_a_traceback(
    machine: Machine, gate: Path, started: list[subprocess.Popen[str]]
) -> None:
    """Exit code 130, one line, nothing half-made in the cache."""
    interrupted = machine.start()
    started.append(interrupted)
    wait_for(interrupted, BUILDING)
    os.killpg(interrupted.pid, signal.SIGINT)
    _, stderr = interrupted.communicate()

    assert stderr == "Interrupted; nothing half-made is kept. Run the same command again.\n"
    assert interrupted.returncode == 130
    assert [path.name for path in machine.cache.iterdir()] == ["pulumi.lock"]
    assert gate.exists()


def test_by_hand_the_path_goes_to_stdout_and_progress_to_stderr(machine: Machine) -> None:
    """`python -m pulumicli` can stand in a shell's $(…)."""
    machine.install_go()
    process = machine.start()
    stdout, stderr = process.communicate()

    assert (stdout, process.returncode) == (f"{machine.built}\n", 0)
    assert stderr.endswith(BUILDING)


def test_by_hand_what_is_missing_ends_with_exit_code_2(machine: Machine) -> None:
    """Without Go and network the message alone is shown, and the code says: something is missing."""
    process = machine.start()
    stdout, stderr = process.communicate()

    assert (stdout, process.returncode) == ("", 2)
    assert "\nThere is no Pulumi CLI 3.200.0 or newer, and none can be made:\n" in stderr
    assert "Traceback" not in stderr


def test_help_teaches_by_example() -> None:
    """`--help` shows the line that puts the CLI on PATH."""
    machine_help = subprocess.run(
        [sys.executable, "-m", "pulumicli", "--help"], capture_output=True, check=True, text=True
    )
    assert 'PATH="$(dirname "$(python -m pulumicli)"):$PATH"' in machine_help.stdout
