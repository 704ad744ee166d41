"""A run that is killed, and one that is interrupted, leave nothing behind."""

import os
import signal

import pytest

from tests.engine.checkout import Checkout
from tests.engine.inventory import orphans
from tests.engine.kill_rehearsal import rehearse

pytestmark = pytest.mark.engine


def test_a_killed_deployment_is_finished_by_the_next_run(checkout: Checkout) -> None:
    """SIGKILL of the run, which began with nothing; `python -m tests.engine.kill_rehearsal --deployments` does more."""
    assert rehearse(checkout, ["run"], seed=4, deployment=True) == []


def test_a_flip_is_resumed_after_aws_itself_was_killed(checkout: Checkout) -> None:
    """SIGKILL of the embedded AWS; `python -m tests.engine.kill_rehearsal` kills engines and their plugins, too."""
    assert rehearse(checkout, ["aws"], seed=4) == []


def test_ctrl_c_cancels_the_engines_and_exits_130(checkout: Checkout) -> None:
    """GIVEN stacks at work WHEN interrupted THEN nothing is orphaned, and a rerun completes the flip."""
    checkout.script("disable", "--yes", "--skip-preview")
    process = checkout.popen("automation/enable.py", "--yes", "--skip-preview")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("platform: running"):
            os.kill(process.pid, signal.SIGINT)
            break
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, out + err
    assert "Interrupted" in out
    assert "Traceback" not in out + err
    assert orphans(checkout) == set()
    checkout.script("enable", "--yes", "--skip-preview")
