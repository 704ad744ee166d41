"""The workflows under what the field checks workflows with, and the one rule that neither tool sees."""

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import NoReturn

import pytest

from tests.workflows.documents import write_matrix
from tests.workflows.runner import WORKFLOWS

ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
ROOT = WORKFLOWS.parents[1]


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The one on PATH, else one built by Go."""
    found = shutil.which("actionlint")
    if found:
        return found
    if not shutil.which("go"):
        _lacking("neither actionlint nor Go, to build it, is on PATH")
    folder = tmp_path_factory.mktemp("actionlint")
    env = {**os.environ, "GOBIN": str(folder)}
    built = subprocess.run(["go", "install", ACTIONLINT], env=env, capture_output=True, text=True, check=False)
    if built.returncode:
        _lacking(f"Go can't build {ACTIONLINT}: {built.stderr.strip().rpartition(chr(10))[2]}")
    return str(folder / "actionlint")


@pytest.fixture(scope="module")
def zizmor() -> str:
    """The one beside this Python, else on PATH."""
    beside = Path(sys.executable).parent
    found = shutil.which("zizmor", path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    return found or _lacking("zizmor is not installed: make setup-dev")


def _lacking(reason: str) -> NoReturn:
    if "CI" in os.environ:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module", params=["our own", "docs/ci-matrix.md"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Workflows: those of this repository, and those that a document shows."""
    return WORKFLOWS if request.param == "our own" else write_matrix(tmp_path_factory.mktemp("repository"))


def test_actionlint_finds_nothing(actionlint: str, folder: Path) -> None:
    """Syntax, expressions, names of inputs and outputs, and the scripts where shellcheck is on hand."""
    files = sorted(folder.glob("*.yml"))
    done = subprocess.run([actionlint, "-no-color", *files], capture_output=True, text=True, check=False)

    assert (done.stdout, done.returncode) == ("", 0)
    assert {file.stem for file in files} in ({"deploy", "preview", "preview-comment"}, {"fleet", "stack"})


def test_zizmor_finds_nothing(zizmor: str, folder: Path) -> None:
    """Injection, rights, credentials left behind, actions that are not pinned."""
    command = [zizmor, "--offline", "--persona=pedantic", "--no-progress", "--color=never", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout


def test_every_action_is_pinned_once_and_says_its_version(tmp_path: Path) -> None:
    """One commit and one version for each, in all workflows; those of a repository are called by their path."""
    pins = defaultdict(set)
    for file in [*WORKFLOWS.glob("*.yml"), *write_matrix(tmp_path).glob("*.yml")]:
        for used in re.findall(r"uses: ([^.].*)", file.read_text(encoding="utf-8")):
            pin = re.fullmatch(r"([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", used)
            assert pin, used
            pins[pin[1]].add(pin.groups()[1:])

    assert dict.fromkeys(pins, 1) == {action: len(found) for action, found in pins.items()}
