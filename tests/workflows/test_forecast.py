"""From a pull request to the comment on it: both workflows' steps, run as they stand, with the real engine."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.checkout import Checkout
from tests.engine.committed import commit, configure, git
from tests.workflows.runner import PULL_REQUEST, Runner, plain_environment

MARKER = "<!-- ecs-tracing preview: prod -->\n"

pytestmark = pytest.mark.engine


@pytest.fixture
def workspace(checkout: Checkout, tmp_path: Path) -> Path:
    """What actions/checkout leaves: the merge and its parents, no history, on no branch."""
    commit(checkout)
    git(checkout, "checkout", "--quiet", "-b", "traced")
    configure(checkout, tracing=True)
    git(checkout, "commit", "--quiet", "--all", "--message", "Tracing, everywhere")
    git(checkout, "checkout", "--quiet", "main")
    git(checkout, "merge", "--quiet", "--no-ff", "--message", "merge", "traced")
    folder = tmp_path / "workspace"
    for arguments in (
        ["init", "--quiet", str(folder)],
        ["-C", str(folder), "fetch", "--quiet", "--depth=2", f"file://{checkout.root}", "main"],
        ["-C", str(folder), "checkout", "--quiet", "--detach", "FETCH_HEAD"],
    ):
        subprocess.run(["git", *arguments], check=True)
    (folder / ".git" / "info" / "exclude").write_text(".venv\n", encoding="utf-8")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def test_a_merge_is_forecast_in_a_comment(workspace: Path, tmp_path: Path) -> None:
    """With all that the steps say but the packages' installation; the checkout is as it was afterwards."""
    runner = Runner(tmp_path / "runner", plain_environment())
    done = runner.run("preview", "preview", where=workspace, values=PULL_REQUEST, leave_out={"Set up the project"})

    assert done.code == 0, done.log
    text = (runner.temp / "preview.md").read_text(encoding="utf-8")
    assert text.startswith(MARKER)
    assert "AWSXRayDaemonWriteAccess" in text
    assert done.summary == text
    status = subprocess.run(["git", "status", "--porcelain"], cwd=workspace, check=True, capture_output=True, text=True)
    assert status.stdout == ""
