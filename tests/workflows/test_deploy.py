"""deploy.yml: its steps, run as they stand. What deploy.py itself does is tests/engine's business."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.runner import Job, Runner, plain_environment, workflow

VARIABLES = {
    "vars.AWS_REGION": "eu-west-1",
    "vars.AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/deploys",
    "vars.PULUMI_BACKEND_URL": "s3://state",
}
SECRETS = {"secrets.PULUMI_ACCESS_TOKEN": "", "secrets.PULUMI_CONFIG_PASSPHRASE": "tell nobody"}
PYTHON = """\
#!/bin/sh
echo "$@" > asked
echo "$PULUMI_BACKEND_URL $PULUMI_CONFIG_PASSPHRASE" >> asked
echo "Deploying …" >&2
echo '{"outcome": "as told"}'
exit %d
"""


def configured(folder: Path, **variables: str) -> Job:
    values = {name: variables.get(name.removeprefix("vars."), value) for name, value in VARIABLES.items()}
    return Runner(folder, plain_environment()).run("deploy", "configured", where=folder, values=values)


def deployed(folder: Path, code: int) -> Job:
    """Run the job with a program that exits with `code`."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON % code, encoding="utf-8")
    python.chmod(0o755)
    runner = Runner(folder, plain_environment())
    values = {**VARIABLES, **SECRETS, "steps.python.outputs.python-path": "python3"}
    return runner.run("deploy", "deploy", where=folder, values=values, leave_out={"Set up the project"})


def test_with_all_variables_set_it_deploys(tmp_path: Path) -> None:
    """Without a word."""
    done = configured(tmp_path)

    assert (done.code, done.log, done.outputs) == (0, "", {"variables.deploy": "true"})


def test_without_variables_nothing_is_deployed_and_a_notice_names_them(tmp_path: Path) -> None:
    """A repository that only wants previews has no failed runs."""
    done = configured(tmp_path, AWS_ROLE_ARN="", PULUMI_BACKEND_URL="")

    assert (done.code, done.outputs) == (0, {})
    assert done.log == (
        "::notice title=Nothing was deployed::Not set in this repository's variables: AWS_ROLE_ARN PULUMI_BACKEND_URL. "
        "See docs/pull-requests.md.\n"
    )
    assert workflow("deploy")["jobs"]["deploy"]["if"] == "needs.configured.outputs.deploy == 'true'"


@pytest.mark.parametrize("code", [0, 3])
def test_the_outcome_is_in_the_summary_and_the_job_ends_as_the_program_did(tmp_path: Path, code: int) -> None:
    """What is committed is deployed to the backend of the variables, without a question."""
    done = deployed(tmp_path, code)

    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked == ["automation/deploy.py --env prod --yes --json", "s3://state tell nobody"]
    assert done.code == code
    assert done.log == "Deploying …\n"
    heading, document = done.summary.split("\n", 1)
    assert heading == f"## Deployment of prod: exit code {code}"
    assert json.loads(document.removeprefix("```json\n").removesuffix("```\n")) == {"outcome": "as told"}


def test_rights_are_held_by_the_job_behind_the_approval_alone() -> None:
    """And its secrets by the one step that needs them; runs wait for each other rather than cancel."""
    document = workflow("deploy")
    job = document["jobs"]["deploy"]

    def secret(step: Any) -> bool:
        return "secrets." in json.dumps(step)

    assert (document["permissions"], document["jobs"]["configured"]["permissions"]) == ({}, {})
    assert (job["environment"], job["permissions"]) == ("production", {"contents": "read", "id-token": "write"})
    assert [step["name"] for step in job["steps"] if secret(step)] == ["Deploy"]
    assert document["concurrency"] == {"group": "deploy", "cancel-in-progress": False}
