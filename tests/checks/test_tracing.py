"""Rules about tracing: each on the repository's own traced task, with one thing changed."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from automation.forecast import Resource, StackForecast, Unknown
from checks.hops import tracing_hop
from checks.tracing import TASK_RULES, tasks, tracing_bootstrap
from tests.checks.plans import NAMES, TASK, everything, own

ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ON, OFF = {"tracing": "true"}, {"tracing": "false"}
Change = Callable[[dict[str, Any]], Any]


def judged(plan: StackForecast) -> list[tuple[str, str, str]]:
    """Rule, severity and message of what is objected to."""
    found = (finding for task in tasks(plan, NAMES) for rule in TASK_RULES for finding in rule(task))
    return [(finding.rule, finding.severity, finding.message) for finding in found]


def rules(plan: StackForecast) -> list[str]:
    return [rule for rule, _, _ in judged(plan)]


def crystal(
    change: Change = lambda _: None, config: Mapping[str, str] = ON, service: str = "crystal", **inputs: Any
) -> StackForecast:
    """A service's plan with its containers (by name) changed in place, and inputs of its task definition."""
    plan = own(service, **config)
    resources = []
    for each in plan.resources:
        if each.type != TASK:
            resources.append(each)
            continue
        by_name = {container["name"]: container for container in json.loads(each.inputs["containerDefinitions"])}
        change(by_name)
        definitions = json.dumps(list(by_name.values()))
        resources.append(
            Resource(type=TASK, name=each.name, inputs={**each.inputs, "containerDefinitions": definitions, **inputs})
        )
    return StackForecast(service=service, stack=plan.stack, resources=resources)


def variable(container: str, name: str, value: str | None) -> Change:
    """Set a container's variable, or take it away."""

    def change(containers: dict[str, Any]) -> None:
        others = [each for each in containers[container]["environment"] if each["name"] != name]
        containers[container]["environment"] = others + ([] if value is None else [{"name": name, "value": value}])

    return change


def attached(plan: StackForecast, **inputs: Any) -> StackForecast:
    """The plan with the inputs of its attachments changed."""
    resources = [
        Resource(type=each.type, name=each.name, inputs={**each.inputs, **inputs}) if each.type == ATTACHMENT else each
        for each in plan.resources
    ]
    return StackForecast(service=plan.service, stack=plan.stack, resources=resources)


def without_attachments(plan: StackForecast) -> StackForecast:
    resources = [each for each in plan.resources if each.type != ATTACHMENT]
    return StackForecast(service=plan.service, stack=plan.stack, resources=resources)


def test_a_flag_without_a_sidecar() -> None:
    """Envoy sends into nothing, and waits for a container that is not there."""
    assert judged(crystal(lambda containers: containers.pop("xray"))) == [
        (
            "tracing-pair",
            "error",
            "Envoy traces (ENABLE_ENVOY_XRAY_TRACING=1), but the task has no container 'xray': all traces are lost",
        ),
        ("tracing-order", "error", "Envoy waits for a container 'xray' that the task has not; ECS refuses the task"),
    ]


@pytest.mark.parametrize("value", [None, "0"])
def test_a_sidecar_without_the_flag(value: str | None) -> None:
    """The sidecar idles, and the role has a right that is not used."""
    assert judged(crystal(variable("envoy", "ENABLE_ENVOY_XRAY_TRACING", value))) == [
        ("tracing-pair", "warning", "the task has a container 'xray', but Envoy does not trace"),
        ("tracing-policy", "warning", "the task does not trace, but its role has AWSXRayDaemonWriteAccess"),
    ]


@pytest.mark.parametrize("value", [[], [{"containerName": "crystal-app", "condition": "START"}]])
def test_an_envoy_that_does_not_wait(value: list[Any]) -> None:
    """What it sends before the sidecar listens is lost."""
    plan = crystal(lambda containers: containers["envoy"].update(dependsOn=value))
    expected = "Envoy does not wait for 'xray' to start: the first traces are lost"
    assert judged(plan) == [("tracing-order", "warning", expected)]


def test_a_role_without_the_policy() -> None:
    """None attached, another one, or attached to another role."""
    error = (
        "tracing-policy",
        "error",
        "the task traces, but its role has no AWSXRayDaemonWriteAccess: X-Ray refuses what the sidecar sends",
    )
    assert judged(without_attachments(crystal())) == [error]
    assert judged(attached(crystal(), policyArn="arn:aws:iam::aws:policy/AWSXrayReadOnlyAccess")) == [error]
    assert judged(attached(crystal(), role="crystal-execution-role-1234567")) == [error]


def test_a_role_that_is_not_known() -> None:
    """Before the first deployment roles have no names; a missing attachment is told even so."""
    assert judged(attached(crystal(taskRoleArn=Unknown()), role=Unknown())) == []
    assert judged(attached(crystal(), policyArn=Unknown())) == []
    assert rules(without_attachments(crystal(taskRoleArn=Unknown()))) == ["tracing-policy"]
    plan = attached(crystal(lambda containers: containers.pop("xray"), taskRoleArn=Unknown()), role=Unknown())
    assert "tracing-policy" not in rules(plan)


@pytest.mark.parametrize(
    ("user", "words"), [("0", "user 0"), ("", "the user of its image"), ("10001:1337", "user 10001:1337")]
)
def test_a_sidecar_whose_traffic_is_redirected(user: str, words: str) -> None:
    """Only the spared user's traffic leaves a service's task past Envoy."""
    plan = crystal(lambda containers: containers["xray"].update(user=user))
    expected = f"'xray' runs as {words}, so its traffic to X-Ray is redirected into Envoy"
    assert judged(plan) == [("tracing-user", "error", expected)]


def test_users_that_will_do() -> None:
    """The one that the proxy spares, with or without a group; at the gateway, which has no redirection, any."""
    assert judged(crystal(lambda containers: containers["xray"].update(user="1337:1337"))) == []
    assert judged(crystal(lambda containers: containers["xray"].pop("user"), service="platform")) == []
    spared = {"properties": {"IgnoredUID": "7"}}
    assert judged(crystal(lambda containers: containers["xray"].update(user="7"), proxyConfiguration=spared)) == []


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("XRAY_DAEMON_PORT", "3000", "Envoy sends traces to port 3000, 'xray' listens on 2000"),
        ("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:3", "Envoy sends traces to port 3, 'xray' listens on 2000"),
        ("AWS_XRAY_DAEMON_ADDRESS", "10.0.0.9", "Envoy sends traces to 10.0.0.9, not to the sidecar"),
        ("AWS_XRAY_DAEMON_ADDRESS", "xray:2000", "Envoy sends traces to xray, not to the sidecar"),
    ],
)
def test_an_envoy_that_sends_elsewhere(name: str, value: str, message: str) -> None:
    """The sidecar is on the task's own loopback."""
    assert judged(crystal(variable("envoy", name, value))) == [("tracing-address", "error", message)]


@pytest.mark.parametrize("command", [["-b", "0.0.0.0:3000"], ["-o", "--bind=127.0.0.1:3000"]])
def test_a_sidecar_that_listens_elsewhere(command: list[str]) -> None:
    """The port on its command line counts; and agrees once Envoy is told."""

    def moved(containers: dict[str, Any]) -> None:
        containers["xray"]["command"] = command

    def both(containers: dict[str, Any]) -> None:
        moved(containers)
        variable("envoy", "XRAY_DAEMON_PORT", "3000")(containers)

    expected = "Envoy sends traces to port 2000, 'xray' listens on 3000"
    assert judged(crystal(moved)) == [("tracing-address", "error", expected)]
    assert judged(crystal(both)) == []


def test_a_sidecar_and_its_region() -> None:
    """It exits without one, and sends to the wrong place with another; its command line will do."""
    missing = ("tracing-region", "error", "'xray' has no AWS_REGION and exits at once")
    other = ("tracing-region", "error", "'xray' sends to eu-west-1, but Envoy is in us-east-1")
    assert judged(crystal(variable("xray", "AWS_REGION", None))) == [missing]
    assert judged(crystal(variable("xray", "AWS_REGION", "eu-west-1"))) == [other]
    assert (
        judged(crystal(lambda containers: containers["xray"].update(environment=[], command=["-n", "us-east-1"]))) == []
    )


@pytest.mark.parametrize("rate", ["1.5", "-0.1", "0.001", "5%", "nan"])
def test_rates_that_envoy_refuses_or_rounds(rate: str) -> None:
    """From 0 to 1, two decimals."""
    expected = f"XRAY_SAMPLING_RATE is '{rate}', not a number from 0 to 1 with at most two decimals"
    assert judged(crystal(variable("envoy", "XRAY_SAMPLING_RATE", rate))) == [("tracing-rate", "error", expected)]


def test_rates_that_envoy_takes() -> None:
    """The ends included; without tracing a rate is a leftover."""
    assert [judged(crystal(variable("envoy", "XRAY_SAMPLING_RATE", rate))) for rate in ("0", "0.29", "1.00")] == [
        []
    ] * 3
    leftover = ("tracing-rate", "warning", "XRAY_SAMPLING_RATE is set, but Envoy does not trace")
    assert judged(crystal(variable("envoy", "XRAY_SAMPLING_RATE", "0.5"), OFF)) == [leftover]


def test_what_is_not_known() -> None:
    """A task, a flag or a value from a secret, and what is in files, is left alone."""
    unknown = [{"name": "ENABLE_ENVOY_XRAY_TRACING", "valueFrom": "arn"}]
    region = [{"name": "AWS_REGION", "valueFrom": "arn"}]
    plans = [
        crystal(containerDefinitions=Unknown()),
        crystal(lambda containers: containers["envoy"].update(secrets=unknown, dependsOn=[])),
        crystal(lambda containers: containers["xray"].update(secrets=region, environment=[])),
        crystal(lambda containers: containers["xray"].update(environmentFiles=[{"type": "s3"}], environment=[])),
    ]
    assert [judged(plan) for plan in plans] == [[]] * 4


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ({"platform", "crystal", "nodejs", "frontend"}, []),
        (set(), []),
        ({"platform", "frontend", "nodejs"}, ["crystal: frontend calls crystal, but only frontend is traced"]),
        (
            {"platform", "crystal", "nodejs"},
            [
                "frontend: frontend calls crystal, but only crystal is traced",
                "frontend: frontend calls nodejs, but only nodejs is traced",
                "frontend: platform calls frontend, but only platform is traced",
            ],
        ),
    ],
)
@pytest.mark.parametrize("mesh", ["appmesh", "envoy"])
def test_both_ends_of_a_call(on: set[str], expected: list[str], mesh: str) -> None:
    """Declared as backends and the gateway's routes, or in bootstraps; the finding is at the end without tracing."""
    plans = [plan for plan in everything(**ON, mesh=mesh) if plan.service in on]
    plans += [plan for plan in everything(**OFF, mesh=mesh) if plan.service not in on]
    found = list(tracing_hop(plans, NAMES))
    assert {"warning"} >= {finding.severity for finding in found}
    assert sorted(f"{finding.service}: {finding.message.partition(': the call')[0]}" for finding in found) == expected


def test_calls_to_what_is_not_known() -> None:
    """A stack that is not looked at, or whose task is not known, is neither traced nor not."""
    frontend, crystal_unknown = own("frontend", **ON), crystal(config=OFF, containerDefinitions=Unknown())
    assert list(tracing_hop([frontend, crystal_unknown], NAMES)) == []


@pytest.mark.parametrize(("tracing", "flag", "told"), [("false", "1", "does not trace"), ("true", "0", "traces")])
def test_a_bootstrap_that_says_otherwise(tracing: str, flag: str, told: str) -> None:
    """A plain Envoy reads nothing of its environment."""

    def turned(containers: dict[str, Any]) -> None:
        containers["envoy"]["environment"] = [{"name": NAMES.flag, "value": flag}]

    plan = crystal(turned, {"tracing": tracing, "mesh": "envoy"})
    (task,) = tasks(plan, NAMES)
    (finding,) = tracing_bootstrap(task)
    assert finding.message.endswith(f"but its bootstrap {told}")
