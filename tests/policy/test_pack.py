"""The policy pack: all rules are in it, and each says what it says in a preview."""

import inspect
import json
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi_policy import (
    EnforcementLevel,
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

import checks
from automation.forecast import Resource, StackForecast
from checks.model import Finding
from checks.plan import check
from policy.pack import policies
from services import images
from tests.checks.plans import NAMES, TASK, VARIANTS, everything, own, resource

ROOT = Path(__file__).parents[2]
# About steps, or what is between stacks: policies see neither.
OF_PREVIEWS = {"stateful-replacement", "tracing-hop", "mesh-in-one-go"}
LEVELS = {"error": EnforcementLevel.MANDATORY, "warning": EnforcementLevel.ADVISORY}

Judge = Callable[[StackForecast], set[tuple[str, EnforcementLevel | None, str, str]]]


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    """What the pack says of a plan: policy, level, message, and the resource that is shown with it."""

    def judged(plan: StackForecast) -> set[tuple[str, EnforcementLevel | None, str, str]]:
        monkeypatch.setattr(pulumi, "get_stack", lambda: f"prod-{plan.service}")
        said = set()
        for policy in policies():
            for urn, message in _reports(policy, plan):
                said.add((policy.name, policy.enforcement_level, message, urn.rpartition("::")[2]))
        return said

    return judged


def _reports(policy: Any, plan: StackForecast) -> Iterator[tuple[str, str]]:
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])  # noqa: FBT003
    shown = [
        (each.type, unknown_checking_proxy(dict(each.inputs)), f"urn:{each.type}::{each.name}", each.name, options)
        for each in plan.resources
    ]
    said: list[tuple[str, str]] = []

    def report(message: str, urn: str | None = None) -> None:
        said.append((str(urn), message))

    if isinstance(policy, StackValidationPolicy):
        policy.validate(StackValidationArgs([PolicyResource(*each, None, None, [], {}) for each in shown]), report)
    if isinstance(policy, ResourceValidationPolicy):
        for each in shown:
            policy.validate(ResourceValidationArgs(*each, None), report)
    yield from said


def _previewed(plan: StackForecast) -> set[tuple[str, EnforcementLevel | None, str, str]]:
    """What a preview says of the same plan, in the pack's words."""
    return {
        (
            finding.rule if finding.severity == "error" else f"{finding.rule}-warning",
            LEVELS[finding.severity],
            f"{finding.message}. {finding.fix}",
            finding.resource,
        )
        for finding in check([plan], NAMES)
        if finding.rule not in OF_PREVIEWS
    }


def _changed(plan: StackForecast, *others: Resource, change: Callable[[dict[str, Any]], Any]) -> StackForecast:
    """A plan with the containers of its task (by name) changed in place, and with more resources."""
    resources = []
    for each in plan.resources:
        inputs = dict(each.inputs)
        if each.type == TASK:
            by_name = {container["name"]: container for container in json.loads(inputs["containerDefinitions"])}
            change(by_name)
            inputs["containerDefinitions"] = json.dumps(list(by_name.values()))
        resources.append(Resource(type=each.type, name=each.name, inputs=inputs))
    return StackForecast(service=plan.service, stack=plan.stack, resources=[*resources, *others])


def test_no_rule_is_forgotten() -> None:
    """Every public function of `checks` that yields findings is a policy, or a rule that only a preview can apply."""
    rules = {
        name.replace("_", "-")
        for module in pkgutil.iter_modules(checks.__path__)
        for name, function in inspect.getmembers(import_module(f"checks.{module.name}"), inspect.isfunction)
        if not name.startswith("_") and inspect.signature(function).return_annotation == Iterator[Finding]
    } - {"remaining"}  # takes findings away
    assert rules - OF_PREVIEWS == {policy.name for policy in policies() if not policy.name.endswith("-warning")}


def test_a_policy_for_each_severity() -> None:
    """Errors stop a deployment, warnings are told."""
    levels = {policy.name: policy.enforcement_level for policy in policies()}
    assert levels["tracing-pair"] == EnforcementLevel.MANDATORY
    assert levels["tracing-pair-warning"] == EnforcementLevel.ADVISORY


@pytest.mark.parametrize("config", [*VARIANTS, {"loadTestHost": "true"}, {"autoscaling": "true"}], ids=str)
def test_the_repository_is_fine(judge: Judge, config: Mapping[str, str]) -> None:
    """All four services, with the exceptions that a preview accepts."""
    assert [judge(plan) for plan in everything(**config)] == [set(), set(), set(), set()]


@pytest.mark.parametrize(
    ("config", "change"),
    [
        ({"tracing": "true"}, lambda containers: containers.pop("xray")),
        ({"tracing": "true"}, lambda containers: containers["envoy"].pop("dependsOn")),
        ({"tracing": "true"}, lambda containers: containers["xray"].update(environment=[], user="0")),
        ({}, lambda containers: containers["envoy"].update(image=images.CRYSTAL, memoryReservation=2048)),
        ({}, lambda containers: containers["envoy"]["environment"].append({"name": NAMES.rate, "value": "0.5"})),
    ],
)
def test_it_says_what_a_preview_says(
    judge: Judge, config: Mapping[str, str], change: Callable[[dict[str, Any]], Any]
) -> None:
    """GIVEN a service with one thing wrong THEN rule, severity, message, fix and resource are the preview's."""
    plan = _changed(own("nodejs", **config), change=change)
    assert _previewed(plan) != set()
    assert judge(plan) == _previewed(plan)


def test_rules_that_look_at_the_whole_stack(judge: Judge) -> None:
    """The policy of the task's role, and which group is the load balancer's, are other resources' matter."""
    everybody = resource(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "anybody",
        cidrIpv4="0.0.0.0/0",
        fromPort=80,
        ipProtocol="tcp",
        securityGroupId="sg-tasks",
        toPort=80,
    )
    plan = _changed(own("nodejs", tracing="true"), everybody, change=lambda _: None)
    kept = [each for each in plan.resources if not each.name.endswith("AWSXRayDaemonWriteAccess")]
    broken = StackForecast(service=plan.service, stack=plan.stack, resources=kept)
    assert {("open-security-group", "anybody"), ("tracing-policy", "nodejs-task")} == {
        (policy, name) for policy, _, _, name in judge(broken)
    }
    assert judge(broken) == _previewed(broken)


def test_what_is_not_known_yet(judge: Judge) -> None:
    """Nothing is said of it, wherever it is; Pulumi's own answer would be that the policy cannot run."""
    for plan in everything(tracing="true"):
        unknown = [
            Resource(type=each.type, name=each.name, inputs=dict.fromkeys(each.inputs, UNKNOWN_STRING_VALUE))
            for each in plan.resources
        ]
        assert judge(StackForecast(service=plan.service, stack=plan.stack, resources=unknown)) == set()
    partly = resource("aws:iam/role:Role", inlinePolicies=[{"policy": UNKNOWN_STRING_VALUE}, UNKNOWN_STRING_VALUE])
    assert judge(StackForecast(service="shop", stack="prod-shop", resources=[partly])) == set()


def test_a_set_up_without_the_package() -> None:
    """GIVEN a virtual environment from before the pack THEN the next command is named, without a traceback."""
    program = "import runpy, sys; sys.modules['pulumi_policy'] = None; runpy.run_path('policy', run_name='__main__')"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (1, "error: The policies need a package that is not installed: pulumi_policy.\n  next: make setup\n") == (
        ended.returncode,
        ended.stderr,
    )
