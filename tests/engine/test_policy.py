"""The policy pack on the real engine, with the plain Pulumi CLI."""

import json
from typing import Any

import pytest

from tests.engine.checkout import Checkout

pytestmark = pytest.mark.engine

PACK = ("--policy-pack", "policy", "--stack", "local-crystal")
ERRORS = {
    "pinned-image": ("crystal-task", "Name a version, or a digest (@sha256:…)."),
    "tracing-policy": ("crystal-task", "Attach arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess to the task role."),
    "wildcard-iam": ("crystal-join-mesh", "List the actions that are used."),
}
WARNING = ("crystal-task", "Add xray with condition START to Envoy's dependsOn.")


def edit(checkout: Checkout, module: str, before: str, after: str) -> None:
    file = checkout.root / "services" / f"{module}.py"
    source = file.read_text()
    assert source.count(before) == 1, before
    file.write_text(source.replace(before, after))


def violations(output: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Level and policy → resource and fix, as the CLI lists them: three lines each, message and fix in the last."""
    lines = [line.strip() for line in output.splitlines()]
    heads = [(line.split(), lines[index + 2]) for index, line in enumerate(lines) if line.startswith("- [")]
    return {
        (level.strip("[]"), policy): (name.rstrip(")"), told.partition(". ")[2])
        for (_, level, policy, _, name), told in heads
    }


def resources(checkout: Checkout) -> dict[str, tuple[Any, Any]]:
    """Id and inputs of all that the stack has, by URN."""
    exported = json.loads(checkout.pulumi("stack", "export", "--stack", "local-crystal").stdout)
    return {each["urn"]: (each.get("id"), each.get("inputs")) for each in exported["deployment"]["resources"]}


@pytest.mark.parametrize("service", ["platform", "crystal"])
def test_the_repository_passes(deployed: Checkout, service: str) -> None:
    """Nothing is objected to: neither the load balancer's open port nor the image that is accepted."""
    shown = deployed.pulumi("preview", "--policy-pack", "policy", "--stack", f"local-{service}")
    assert violations(shown.stdout) == {}
    assert "✅ ecs-tracing" in shown.stdout


def test_violations_stop_previews_and_deployments(deployed: Checkout) -> None:
    """Each is told with its rule, resource and fix, also one that only the whole stack shows; nothing is changed.

    What is only a warning lets a deployment pass.
    """
    deployed.pulumi("config", "set", "tracing", "true", "--stack", "local-crystal")
    edit(deployed, "tracing", '*envoy.get("dependsOn", ()), _WAIT_FOR_SIDECAR', "")
    edit(deployed, "tracing", "(*contents.policies, POLICY_ARN)", "()")
    edit(deployed, "task", "appmesh:StreamAggregatedResources", "appmesh:*")
    edit(deployed, "images", "aws-appmesh-envoy:v1.29.12.1-prod", "aws-appmesh-envoy")
    shown = deployed.pulumi("preview", *PACK, exits=255)
    warning = {("advisory", "tracing-order-warning"): WARNING}
    assert violations(shown.stdout) == {("mandatory", rule): told for rule, told in ERRORS.items()} | warning

    before = resources(deployed)
    stopped = deployed.pulumi("up", "--yes", "--skip-preview", *PACK, exits=255)
    assert violations(stopped.stdout).keys() & {("mandatory", rule) for rule in ERRORS} != set()
    assert resources(deployed) == before

    edit(deployed, "tracing", "policies=()", "policies=(*contents.policies, POLICY_ARN)")
    edit(deployed, "task", "appmesh:*", "appmesh:StreamAggregatedResources")
    edit(deployed, "images", 'aws-appmesh-envoy"', 'aws-appmesh-envoy:v1.29.12.1-prod"')
    assert violations(deployed.pulumi("up", "--yes", "--skip-preview", *PACK).stdout) == warning
