"""Turning the flag changes the task definition, adds one policy attachment, and nothing else."""

import json
from typing import Any

import pytest

from services import SERVICES
from tests.services.world import Deployment, deploy, deployed, outputs, variables

COLLECTORS = ("xray-daemon", "adot", "cloudwatch-agent")
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


def types(deployment: Deployment, other: Deployment) -> list[str]:
    """Types of the resources of one that the other has not, or not so."""
    return sorted(token for token, _, _ in deployment.inventory - other.inventory)


@pytest.mark.parametrize("collector", COLLECTORS)
@pytest.mark.parametrize("service", list(SERVICES))
def test_only_the_task_definition_and_the_attachment_differ(service: str, collector: str) -> None:
    """The ECS service follows by the task definition's ARN alone."""
    off, on = (deployed(service, collector=collector, tracing=tracing) for tracing in ("false", "true"))
    assert types(on, off) == [TASK_DEFINITION, ATTACHMENT]
    assert types(off, on) == [TASK_DEFINITION]


def task_of(service: str, collector: str, tracing: str) -> dict[str, Any]:
    """The inputs of a service's task definition."""
    deployment = deployed(service, collector=collector, tracing=tracing)
    return dict(deployment.one("ecs/taskDefinition:TaskDefinition"))


@pytest.mark.parametrize("collector", ["xray-daemon", "adot"])
@pytest.mark.parametrize("service", list(SERVICES))
def test_only_the_container_definitions_of_the_task_differ(service: str, collector: str) -> None:
    """Size, roles, family and redirection are the same, on or off."""
    off, on = (task_of(service, collector, tracing) for tracing in ("false", "true"))
    assert off.pop("containerDefinitions") != on.pop("containerDefinitions")
    assert off == on


@pytest.mark.parametrize("service", ["crystal", "nodejs", "frontend"])
def test_the_cloudwatch_agents_group_is_spared_while_it_traces(service: str) -> None:
    """It can't run as the user that is spared: its image writes files that only root may write."""
    off, on = (task_of(service, "cloudwatch-agent", tracing) for tracing in ("false", "true"))
    assert off.pop("containerDefinitions") != on.pop("containerDefinitions")
    assert on["proxyConfiguration"]["properties"].pop("IgnoredGID") == "1338"
    assert off == on


@pytest.mark.parametrize("service", list(SERVICES))
def test_while_tracing_is_off_the_collector_does_not_matter(service: str) -> None:
    """A stack prepared for another collector shows no change before its flag is set."""
    daemon, *others = (deployed(service, collector=collector).inventory for collector in COLLECTORS)
    assert others == [daemon, daemon]


@pytest.mark.parametrize("collector", COLLECTORS)
@pytest.mark.parametrize("service", list(SERVICES))
def test_the_policy_goes_to_the_task_role(service: str, collector: str) -> None:
    """It is the task that writes to X-Ray, not ECS's agent; no collector gets another right."""
    on = deployed(service, collector=collector, tracing="true")
    assert on.one("iam/rolePolicyAttachment:RolePolicyAttachment") == {
        "role": on.outputs["taskRoleName"],
        "policyArn": "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
    }


@pytest.mark.parametrize("collector", COLLECTORS)
@pytest.mark.parametrize("service", list(SERVICES))
def test_off_again_is_what_it_was_to_the_letter(service: str, collector: str) -> None:
    """Off, on, off: the same text, so nothing is redeployed for nothing."""
    config = {"collector": collector, "tracing": "false"}
    again = deploy(f"prod-{service}", config, outputs(*SERVICES[service].needs))
    off, on, off_again = (
        deployment.one("ecs/taskDefinition:TaskDefinition")
        for deployment in (deployed(service), deployed(service, collector=collector, tracing="true"), again)
    )
    assert off_again == off != on


@pytest.mark.parametrize("service", list(SERVICES))
def test_the_flags_output_tells_how_the_stack_was_built(service: str) -> None:
    """The automation verifies against it."""
    assert deployed(service).outputs["tracing"] is False
    assert deployed(service, tracing="true").outputs["tracing"] is True


@pytest.mark.parametrize("service", list(SERVICES))
def test_the_daemon_writes_to_the_tasks_own_log_group(service: str) -> None:
    """No log group is added for it."""
    containers = deployed(service, tracing="true").containers
    groups = {name: c["logConfiguration"]["options"]["awslogs-group"] for name, c in containers.items()}
    assert set(groups.values()) == {groups["envoy"]}


@pytest.mark.parametrize("collector", COLLECTORS)
@pytest.mark.parametrize("service", list(SERVICES))
def test_a_quarter_of_the_memory_stays_free_even_while_traced(service: str, collector: str) -> None:
    """The original reserved every MiB."""
    on = deployed(service, collector=collector, tracing="true")
    reserved = sum(container["memoryReservation"] for container in on.containers.values())
    memory = int(on.one("ecs/taskDefinition:TaskDefinition")["memory"])
    assert reserved == 512
    assert reserved <= memory * 3 / 4


@pytest.mark.parametrize("service", list(SERVICES))
def test_a_sampling_rate_of_ones_own_reaches_every_envoy(service: str) -> None:
    """It is decided where a trace begins, and each Envoy may be that place."""
    full, default = deployed(service, tracing="true", samplingRate="1"), deployed(service, tracing="true")
    assert variables(full.containers["envoy"])["XRAY_SAMPLING_RATE"] == "1"
    assert "XRAY_SAMPLING_RATE" not in variables(default.containers["envoy"])


@pytest.mark.parametrize("service", list(SERVICES))
def test_definitions_are_written_sorted(service: str) -> None:
    """What is serialised has one order: keys by name, variables by name."""
    text = deployed(service, tracing="true").one("ecs/taskDefinition:TaskDefinition")["containerDefinitions"]
    containers = json.loads(text)
    assert json.dumps(containers, sort_keys=True, separators=(",", ":")) == text
    for container in containers:
        listed = [variable["name"] for variable in container["environment"]]
        assert listed == sorted(listed)
