"""A run that is killed, and one that is interrupted, leave nothing behind."""

import os
import signal

import pytest

from automation.errors import ExitCode
from tests.engine.checkout import Checkout
from tests.engine.inventory import orphans
from tests.engine.kill_rehearsal import Rehearsal

pytestmark = pytest.mark.engine


def test_a_killed_deployment_is_finished_by_the_next_run(checkout: Checkout) -> None:
    """SIGKILL of the run, which began with nothing; `python -m tests.engine.kill_rehearsal --deployments` does more."""
    rehearsal = Rehearsal(checkout)

    ended = rehearsal.strike("run", rehearsal.when_ended(1))

    assert ended == -signal.SIGKILL
    assert rehearsal.judge("run", ended) == ""


def test_a_flip_is_resumed_after_aws_itself_was_killed(deployed: Checkout) -> None:
    """SIGKILL of the embedded AWS; `python -m tests.engine.kill_rehearsal` kills all parts at random moments."""
    rehearsal = Rehearsal(deployed)

    ended = rehearsal.strike("aws", rehearsal.when_ended(1))

    assert ended == ExitCode.STACK_FAILED
    assert rehearsal.judge("aws", ended) == ""


def test_ctrl_c_cancels_the_engines_and_exits_130(deployed: Checkout) -> None:
    """GIVEN stacks at work WHEN interrupted THEN nothing is orphaned, and a rerun completes the flip."""
    deployed.script("disable", "--yes", "--skip-preview")
    process = deployed.popen("automation/enable.py", "--yes", "--skip-preview")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("platform: running"):
            os.kill(process.pid, signal.SIGINT)
            break
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, out + err
    assert "Interrupted" in out
    assert "Traceback" not in out + err
    assert orphans(deployed) == set()
    deployed.script("enable", "--yes", "--skip-preview")
