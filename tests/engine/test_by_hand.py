"""The plain Pulumi CLI in stacks that the scripts created."""

import json
from typing import Any

import pytest

from tests.engine.checkout import Checkout

pytestmark = pytest.mark.engine


def operations(output: str) -> dict[str, int]:
    """The change summary of a `--json` preview, without what stays the same."""
    summary: dict[str, int] = json.loads(output)["changeSummary"]
    return {op: count for op, count in summary.items() if op != "same"}


def resource(checkout: Checkout, stack: str, token: str) -> dict[str, Any]:
    exported = json.loads(checkout.pulumi("stack", "export", "--stack", stack).stdout)
    found = [r for r in exported["deployment"]["resources"] if r["type"] == token]
    return dict(found[0])


def test_refresh_finds_nothing_when_nothing_changed(deployed: Checkout) -> None:
    """Reading everything back gives what was written."""
    for service in ("platform", "crystal", "nodejs", "frontend"):
        deployed.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", f"local-{service}")


def test_the_flag_by_hand(deployed: Checkout) -> None:
    """`pulumi config set tracing true && pulumi up`, then back: previews are exact and end empty."""
    stack = ("--stack", "local-crystal")
    assert operations(deployed.pulumi("preview", "--json", *stack).stdout) == {}
    deployed.pulumi("config", "set", "tracing", "true", *stack)
    assert operations(deployed.pulumi("preview", "--json", *stack).stdout) == {"create": 1, "replace": 1, "update": 1}
    deployed.pulumi("up", "--yes", *stack)
    assert deployed.json("status", "crystal", "--no-drift")["services"]["crystal"]["flagDeployed"] is True
    deployed.pulumi("config", "set", "tracing", "false", *stack)
    deployed.pulumi("up", "--yes", "--skip-preview", *stack)
    assert operations(deployed.pulumi("preview", "--json", *stack).stdout) == {}


def test_a_change_behind_pulumis_back_is_drift_and_is_repaired(deployed: Checkout) -> None:
    """GIVEN somebody changes the log retention WHEN refreshed THEN exactly that shows, and `up` puts it back."""
    group = resource(deployed, "local-nodejs", "aws:cloudwatch/logGroup:LogGroup")["id"]
    logs = deployed.aws("logs")
    logs.put_retention_policy(logGroupName=group, retentionInDays=30)
    drift = deployed.json("status", "nodejs")["services"]["nodejs"]["drift"]
    assert [(change["op"], change["type"], change["properties"]) for change in drift] == [
        ("update", "aws:cloudwatch/logGroup:LogGroup", ["retentionInDays"])
    ]
    deployed.pulumi("refresh", "--yes", "--skip-preview", "--stack", "local-nodejs")
    deployed.pulumi("up", "--yes", "--skip-preview", "--stack", "local-nodejs")
    (described,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["retentionInDays"] == 7


def test_a_resource_can_be_imported(deployed: Checkout) -> None:
    """A log group made by hand comes under Pulumi's care with the id that the documentation names."""
    deployed.aws("logs").create_log_group(logGroupName="/by/hand")
    token, name = "aws:cloudwatch/logGroup:LogGroup", "by-hand"
    args = ("--yes", "--protect=false", "--stack", "local-crystal")
    text = deployed.pulumi("import", token, name, "/by/hand", *args).stdout
    assert "LogGroup" in text
    exported = json.loads(deployed.pulumi("stack", "export", "--stack", "local-crystal").stdout)["deployment"][
        "resources"
    ]
    assert "/by/hand" in {r["id"] for r in exported if r["type"] == token}
    assert operations(deployed.pulumi("preview", "--json", "--stack", "local-crystal").stdout) == {"delete": 1}
    deployed.pulumi("up", "--yes", "--skip-preview", "--stack", "local-crystal")


def test_a_stack_can_be_destroyed_and_made_again_by_hand(deployed: Checkout) -> None:
    """`pulumi destroy` then `pulumi up`; nothing of the service is left in between."""
    deployed.pulumi("destroy", "--yes", "--skip-preview", "--stack", "local-frontend")
    described = deployed.aws("ecs").describe_services(cluster="container-demo", services=["ecsdemo-frontend"])[
        "services"
    ]
    assert [service["status"] for service in described] in ([], ["INACTIVE"])
    deployed.pulumi("up", "--yes", "--skip-preview", "--stack", "local-frontend")
    assert deployed.json("enable", "frontend")["exitCode"] == 0
