"""deploy.yml: its steps, run as they stand; once with the real program, an embedded AWS being the account."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.engine.checkout import Checkout
from tests.workflows.runner import WORKFLOWS, Job, Runner, plain_environment, workflow, write_program

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
echo '%s'
exit %d
"""


def configured(folder: Path, **variables: str) -> Job:
    values = {name: variables.get(name.removeprefix("vars."), value) for name, value in VARIABLES.items()}
    return Runner(folder, plain_environment()).run("deploy", "configured", where=folder, values=values)


def deployed(folder: Path, where: Path, env: dict[str, str], **values: str) -> Job:
    values = {**VARIABLES, **SECRETS, "steps.python.outputs.python-path": "python3", **values}
    return Runner(folder, env).run("deploy", "deploy", where=where, values=values, leave_out={"Set up the project"})


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


@pytest.mark.parametrize(
    ("code", "document", "told"),
    [
        (0, '{"summary": "update 3; crystal is traced."}', "update 3; crystal is traced."),
        (2, '{"error": "There is no stack prod-crystal."}', "There is no stack prod-crystal."),
        (1, "", ""),
    ],
)
def test_the_outcome_is_in_the_summary_and_the_job_ends_as_the_program_did(
    tmp_path: Path, code: int, document: str, told: str
) -> None:
    """What is committed is deployed to the backend of the variables, without a question."""
    write_program(tmp_path / ".venv" / "bin" / "python", PYTHON % (document, code))
    done = deployed(tmp_path, tmp_path, plain_environment())

    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked == ["automation/deploy.py --env prod --yes --json", "s3://state tell nobody"]
    assert (done.code, done.log) == (code, "Deploying …\n")
    assert done.summary.splitlines() == [
        "## Deployment of prod",
        *told.splitlines(),
        "",
        f"<details><summary>Exit code {code}, and all that was done</summary>",
        "",
        "```json",
        document,
        "```",
        "",
        "</details>",
    ]


@pytest.mark.engine
def test_what_is_committed_is_deployed(checkout: Checkout, tmp_path: Path) -> None:
    """Tracing on for some and off for others, in one run; a second one changes nothing."""
    for service, tracing in (("platform", "true"), ("crystal", "false"), ("nodejs", "true"), ("frontend", "true")):
        file = checkout.root / "stacks" / f"Pulumi.prod-{service}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'config:\n  aws:region: eu-west-1\n  ecs-tracing:tracing: "{tracing}"\n', encoding="utf-8")
    env = {**plain_environment(), **checkout.shell}
    values = {"vars.PULUMI_BACKEND_URL": env["PULUMI_BACKEND_URL"], "secrets.PULUMI_CONFIG_PASSPHRASE": ""}
    first = deployed(tmp_path / "first", checkout.root, env, **values)
    second = deployed(tmp_path / "second", checkout.root, env, **values)

    assert (first.code, second.code) == (0, 0), first.log + second.log
    outcome = first.summary.splitlines()[1]
    assert "platform, nodejs and frontend are traced; crystal is not traced in environment prod" in outcome
    assert second.summary.splitlines()[1].startswith("Nothing to change: ")


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


def test_the_documentation_names_all_that_is_to_be_set() -> None:
    """Variables, secrets, the environment, and the check to require."""
    text = (WORKFLOWS.parents[1] / "docs" / "pull-requests.md").read_text(encoding="utf-8")
    used = re.findall(r"\b(?:vars|secrets)\.(\w+)", (WORKFLOWS / "deploy.yml").read_text(encoding="utf-8"))

    assert [name for name in used if f"set {name} " not in text and f"or {name}," not in text] == []
    assert f"`{workflow('deploy')['jobs']['deploy']['environment']}`" in text
    assert f"check *{workflow('preview')['jobs']['preview']['name']}*" in text
