"""`make setup` and the locks it installs from. The interpreter is a few lines of shell that notes what it is asked."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = """\
#!/bin/sh
case "$*" in
    -c*) exit {check} ;;
    --version) echo "Python 3.12.3" ;;
    "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python; echo venv >> calls ;;
    "-m pip install"*) echo "pip ${{*##* }}" >> calls; [ ! -e no-network ] ;;
    *) echo "$2" >> calls ;;
esac
"""
FIRST_TIME = ["venv", "pip requirements.txt", "compileall", "pulumicli"]


class Clone:
    """A checkout with nothing but what set-up needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bin = folder / "bin"
        self._bin.mkdir()
        for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
            shutil.copy(ROOT / name, folder)

    def install_python(self, name: str, *, new_enough: bool = True) -> None:
        """Put an interpreter on PATH that knows whether it is 3.11 or newer."""
        path = self._bin / name
        path.write_text(PYTHON.format(check=int(not new_enough)))
        path.chmod(0o755)

    def make(self, target: str) -> "subprocess.CompletedProcess[str]":
        """Run make; tools come from the usual folders, Python from here alone."""
        environment = {**os.environ, "PATH": f"{self._bin}:{self._tools()}"}
        return subprocess.run(
            ["make", target], capture_output=True, check=False, cwd=self.folder, env=environment, text=True
        )

    def calls(self) -> list[str]:
        """Return what Python was asked since the last look: modules run, and the file that pip installed from."""
        noted = self.folder / "calls"
        told = noted.read_text().splitlines() if noted.exists() else []
        noted.unlink(missing_ok=True)
        return told

    def _tools(self) -> Path:
        """Return a folder with the few commands that the recipes use, and no Python."""
        tools = self.folder / "tools"
        if not tools.exists():
            tools.mkdir()
            for name in ("echo", "sh", "touch", "rm", "mkdir", "cp", "find", "grep", "sed", "expand"):
                tools.joinpath(name).symlink_to(shutil.which(name) or "/bin/false")
            tools.joinpath("make").symlink_to(shutil.which("make") or "/bin/false")
        return tools


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_the_first_set_up_does_everything_and_the_second_next_to_nothing(clone: Clone) -> None:
    """Virtual environment, packages, CLI; afterwards only the CLI is looked at, without a word."""
    clone.install_python("python3.12")
    first = clone.make("setup")

    assert first.stdout.splitlines() == [
        "Virtual environment .venv with Python 3.12.3 (about 10 s) …",
        "Python packages (350 MB unpacked, about 2 min) …",
    ]
    assert clone.calls() == FIRST_TIME
    assert clone.make("setup").stdout == ""
    assert clone.calls() == ["pulumicli"]


def test_an_interrupted_set_up_is_taken_up_where_it_stopped(clone: Clone) -> None:
    """GIVEN pip was cut off WHEN set-up runs again THEN it installs again, into the same environment."""
    clone.install_python("python3.12")
    clone.folder.joinpath("no-network").touch()
    assert clone.make("setup").returncode != 0
    assert clone.calls() == FIRST_TIME[:2]
    clone.folder.joinpath("no-network").unlink()

    assert clone.make("setup").returncode == 0
    assert clone.calls() == FIRST_TIME[1:]


def test_an_environment_that_no_longer_runs_is_made_anew(clone: Clone) -> None:
    """As after an upgrade of the system's Python or a move of the checkout."""
    clone.install_python("python3.12")
    clone.make("setup")
    clone.calls()
    clone.folder.joinpath(".venv", "bin", "python").unlink()

    assert clone.make("setup").returncode == 0
    assert clone.calls() == FIRST_TIME


def test_changed_locks_are_installed(clone: Clone) -> None:
    """After a pull that brings other versions."""
    clone.install_python("python3.12")
    clone.make("setup")
    clone.calls()
    lock, stamp = clone.folder / "requirements.txt", clone.folder / ".venv" / ".runtime"
    os.utime(lock, ns=(stamp.stat().st_mtime_ns + 10**9,) * 2)

    assert clone.make("setup").returncode == 0
    assert clone.calls() == FIRST_TIME[1:]


def test_the_newest_python_that_will_do_is_taken(clone: Clone) -> None:
    """Older ones on PATH are passed over."""
    clone.install_python("python3.13", new_enough=False)
    clone.install_python("python3")

    assert clone.make("setup").returncode == 0
    assert clone.calls() == FIRST_TIME


def test_without_a_new_enough_python_the_command_that_installs_one_is_named(clone: Clone) -> None:
    """Nothing is made, and the message says what to do."""
    clone.install_python("python3", new_enough=False)
    made = clone.make("setup")

    assert made.returncode == 2
    assert "Python 3.11 or newer is needed, and none is on PATH." in made.stderr
    assert "sudo apt-get install python3 python3-venv" in made.stderr
    assert not clone.folder.joinpath(".venv").exists()


def test_help_lists_every_target(clone: Clone) -> None:
    """`make` alone teaches all commands."""
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    listed = {line.split()[0] for line in clone.make("help").stdout.partition("\n\n")[2].splitlines()}

    assert {"enable", "disable", "status", "preview", "destroy", "test", "lint", "types", "setup", "clean"} <= targets
    assert listed == targets


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dask.txt", "requirements-dev.txt"])
def test_locks_pin_everything_with_hashes_and_name_no_place(lock: str) -> None:
    """Exact versions, each with hashes; no registry's address, no folder of the machine that made them."""
    text = (ROOT / lock).read_text()
    pinned = re.findall(r"^[a-z0-9][\w.-]*==\S+ \\$", text, re.MULTILINE)

    assert pinned
    assert len(pinned) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE))
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert str(ROOT) not in text


def test_locks_hold_what_is_asked_for() -> None:
    """Every name of the .in files is in its lock."""
    for name in ("requirements", "requirements-dask", "requirements-dev"):
        asked = re.findall(r"^([A-Za-z][\w.-]*)", (ROOT / f"{name}.in").read_text(), re.MULTILINE)
        pinned = set(re.findall(r"^([a-z0-9][\w.-]*)==", (ROOT / f"{name}.txt").read_text(), re.MULTILINE))
        assert {wanted.lower() for wanted in asked} <= pinned


def test_the_engine_of_continuous_integration_runs_the_test_command() -> None:
    """`.ci/run` is the README's `make test` and nothing else."""
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "exec make test"
