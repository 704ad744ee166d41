"""The workflows of docs/ci-matrix.md: their steps, run as they stand."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import fleets
from tests.engine.checkout import Checkout
from tests.workflows.documents import MATRIX, ROOT, write_matrix
from tests.workflows.runner import Job, Runner, plain_environment, workflow, write_program

VALUES = {
    "inputs.stacks": "prod-crystal prod-prod-nodejs",
    "secrets.PULUMI_ACCESS_TOKEN": "",
    "secrets.PULUMI_CONFIG_PASSPHRASE": "",
    "steps.python.outputs.python-path": "python3",
    "vars.PULUMI_BACKEND_URL": "s3://state",
}
DEPLOYS = '#!/bin/sh\necho "$@" > asked\nexit 3\n'


def planned(root: Path, *arguments: str) -> str:
    """What ``plan.py --env prod ARGUMENTS…`` prints."""
    command = [sys.executable, "automation/plan.py", "--env", "prod", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def workflows(tmp_path: Path) -> Path:
    """The folder of the document's two workflows."""
    return write_matrix(tmp_path / "repository")


def ran(workflows: Path, name: str, job: str, where: Path, values: Mapping[str, str] = VALUES) -> Job:
    runner = Runner(where / "runner", plain_environment(), workflows)
    return runner.run(name, job, where=where, values=values, leave_out={"Set up the project"})


def test_the_document_shows_what_the_command_prints() -> None:
    """As text, and as JSON."""
    shown = re.search(r"    level  stack .*\n(?:    .*\n)+", MATRIX)
    assert shown
    (document,) = re.findall(r"```json\n(.*?)```", MATRIX, re.DOTALL)

    assert [f"    {line}".rstrip() for line in planned(ROOT).splitlines()] == shown[0].splitlines()
    assert json.loads(planned(ROOT, "--json")) == json.loads(document)


def test_the_matrices_are_the_levels_and_the_rest_is_one_job(workflows: Path, tmp_path: Path) -> None:
    """GIVEN a platform and a chain of five THEN three stacks lie above the three levels with a matrix."""
    clone = Checkout(tmp_path / "clone")
    (clone.root / "fleet.yaml").write_text(fleets.fleet("chain", 5), encoding="utf-8")
    done = ran(workflows, "fleet", "plan", clone.root)

    assert done.code == 0, done.log
    levels = json.loads(done.outputs["plan.levels"])
    assert levels == json.loads(planned(clone.root, "--json"))["levels"]
    assert done.outputs["plan.rest"] == "prod-svc-2 prod-svc-1 prod-svc-0"
    assert levels[3:] == [[stack] for stack in done.outputs["plan.rest"].split()]
    matrices = [
        job["strategy"]["matrix"]["stack"] for job in workflow("fleet", workflows)["jobs"].values() if "strategy" in job
    ]
    assert matrices == [f"${{{{ fromJSON(needs.plan.outputs.levels)[{index}] }}}}" for index in range(3)]


def test_each_level_waits_for_the_one_before(workflows: Path) -> None:
    """And is left out where the fleet has fewer."""
    jobs = workflow("fleet", workflows)["jobs"]
    expected = {
        "level-1": "plan",
        "level-2": ["plan", "level-1"],
        "level-3": ["plan", "level-2"],
        "rest": ["plan", "level-3"],
    }

    assert {name: job["needs"] for name, job in jobs.items() if name != "plan"} == expected
    for index in range(3):
        assert jobs[f"level-{index + 1}"]["if"] == f"fromJSON(needs.plan.outputs.levels)[{index}]"


def test_a_job_deploys_its_stacks_and_ends_as_the_program_did(workflows: Path, tmp_path: Path) -> None:
    """A stack's name means its service, also where that begins like the environment."""
    write_program(tmp_path / ".venv" / "bin" / "python", DEPLOYS)
    done = ran(workflows, "stack", "deploy", tmp_path)

    assert done.code == 3
    assert (tmp_path / "asked").read_text() == "automation/deploy.py crystal prod-nodejs --env prod --yes\n"
