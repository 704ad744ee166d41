"""The one module that knows what the flag adds, on plain data (values: reference, section 4)."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from services import tracing
from services.containers import Application, Envoy, Logs
from services.settings import Settings
from services.tracing import TaskContents, findings, instrument

LOGS = Logs(group="group-1", region="us-east-1")
APP = Application(name="crystal-app", image="app", log_prefix="/crystal-container").container(LOGS, after_envoy=True)
ENVOY = Envoy(log_level="debug", log_prefix="/mesh-envoy-container").container("envoy:1", "arn:node", LOGS)
PLAIN = TaskContents(containers=(APP, ENVOY))
OFF = Settings(region="us-east-1")
ON = Settings(region="us-east-1", tracing=True)
POLICY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"


def names(contents: TaskContents) -> list[str]:
    return [container["name"] for container in contents.containers]


def test_off_changes_nothing() -> None:
    """The very same contents come back."""
    assert instrument(PLAIN, OFF, LOGS) == PLAIN


def test_on_adds_the_daemon_last_and_the_policy() -> None:
    """Application and Envoy stay where they are."""
    traced = instrument(PLAIN, ON, LOGS)
    assert names(traced) == ["crystal-app", "envoy", "xray"]
    assert traced.policies == (POLICY,)


def test_on_leaves_the_application_alone() -> None:
    """No application code or configuration is touched."""
    assert instrument(PLAIN, ON, LOGS).containers[0] == APP


def test_on_adds_one_variable_and_one_dependency_to_envoy() -> None:
    """The flag, and waiting for the daemon's start."""
    envoy = instrument(PLAIN, ON, LOGS).containers[1]
    added = [variable for variable in envoy["environment"] if variable not in ENVOY["environment"]]
    assert added == [{"name": "ENABLE_ENVOY_XRAY_TRACING", "value": "1"}]
    assert envoy["dependsOn"] == [{"containerName": "xray", "condition": "START"}]
    unchanged = set(ENVOY) - {"environment"}
    assert {key: envoy[key] for key in unchanged} == {key: ENVOY[key] for key in unchanged}


COMMON = {
    "name": "xray",
    "essential": False,
    "restartPolicy": {"enabled": True},
    "memoryReservation": 256,
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "group-1",
            "awslogs-region": "us-east-1",
            "awslogs-stream-prefix": "/xray-container",
        },
    },
}


def sidecar(collector: str) -> dict[str, Any]:
    """The container that the flag adds with a collector, its environment by name."""
    settings = Settings(region="us-east-1", tracing=True, collector=collector)
    added = dict(instrument(PLAIN, settings, LOGS).containers[2])
    return {**added, "environment": {each["name"]: each["value"] for each in added["environment"]}}


def test_the_daemon_is_what_the_reference_says_but_for_the_repairs() -> None:
    """Repaired: not essential but restarted, a region, a pinned image from the public ECR."""
    assert sidecar("xray-daemon") == {
        **COMMON,
        "image": "public.ecr.aws/xray/aws-xray-daemon:3.6.7",
        "user": "1337",
        "environment": {"AWS_REGION": "us-east-1"},
    }


def test_adot_hears_envoy_on_loopback_alone() -> None:
    """The configuration is ours: UDP 2000 of the task, X-Ray of the region, no metrics. A binary checks its health."""
    added = sidecar("adot")
    configuration = yaml.safe_load(added["environment"].pop("AOT_CONFIG_CONTENT"))
    assert added == {
        **COMMON,
        "image": "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0",
        "user": "1337",
        "environment": {"AWS_REGION": "us-east-1"},
        "healthCheck": {
            "command": ["CMD", "/healthcheck"],
            "interval": 5,
            "timeout": 3,
            "retries": 3,
            "startPeriod": 10,
        },
    }
    assert configuration == {
        "receivers": {
            "awsxray": {
                "endpoint": "127.0.0.1:2000",
                "transport": "udp",
                "proxy_server": {"endpoint": "127.0.0.1:2000", "region": "us-east-1"},
            }
        },
        "processors": {"batch": {"timeout": "1s", "send_batch_size": 50}},
        "exporters": {"awsxray": {"region": "us-east-1", "index_all_attributes": False}},
        "extensions": {"health_check": {"endpoint": "127.0.0.1:13133"}},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {"traces": {"receivers": ["awsxray"], "processors": ["batch"], "exporters": ["awsxray"]}},
            "telemetry": {"metrics": {"level": "none"}},
        },
    }


def test_the_cloudwatch_agent_hears_envoy_on_loopback_alone() -> None:
    """Its configuration is ours: UDP 2000 of the task, X-Ray of the region; it runs as root, in a group of its own."""
    added = sidecar("cloudwatch-agent")
    configuration = json.loads(added["environment"].pop("CW_CONFIG_CONTENT"))
    assert added == {
        **COMMON,
        "image": "public.ecr.aws/cloudwatch-agent/cloudwatch-agent:1.300071.0b1720",
        "user": "0:1338",
        "environment": {"AWS_REGION": "us-east-1"},
    }
    bound = {"bind_address": "127.0.0.1:2000"}
    assert configuration == {
        "agent": {"region": "us-east-1"},
        "traces": {"traces_collected": {"xray": {**bound, "tcp_proxy": bound}}},
    }


@pytest.mark.parametrize("collector", ["xray-daemon", "adot"])
def test_a_redirection_stays_as_it_is(collector: str) -> None:
    """These two run as the user that it spares already."""
    redirected = replace(PLAIN, redirection={"IgnoredUID": "1337"})
    settings = Settings(region="us-east-1", tracing=True, collector=collector)
    assert instrument(redirected, settings, LOGS).redirection == {"IgnoredUID": "1337"}


def test_a_redirection_spares_the_cloudwatch_agents_group() -> None:
    """Beside Envoy's user; a gateway, which has no redirection, gets none."""
    redirected = replace(PLAIN, redirection={"IgnoredUID": "1337"})
    settings = Settings(region="us-east-1", tracing=True, collector="cloudwatch-agent")
    assert instrument(redirected, settings, LOGS).redirection == {"IgnoredUID": "1337", "IgnoredGID": "1338"}
    assert instrument(PLAIN, settings, LOGS).redirection == {}


@pytest.mark.parametrize(("rate", "text"), [(0.0, "0"), (0.5, "0.5"), (1.0, "1"), (0.01, "0.01")])
def test_a_sampling_rate_of_ones_own_is_passed_on(rate: float, text: str) -> None:
    """Envoy reads XRAY_SAMPLING_RATE."""
    settings = Settings(region="us-east-1", tracing=True, sampling_rate=rate)
    envoy = instrument(PLAIN, settings, LOGS).containers[1]
    assert {"name": "XRAY_SAMPLING_RATE", "value": text} in envoy["environment"]


def test_the_sampling_rate_does_not_matter_while_tracing_is_off() -> None:
    """A stack prepared for full sampling shows no change before its flag is set."""
    assert instrument(PLAIN, Settings(region="us-east-1", sampling_rate=1.0), LOGS) == PLAIN


def test_what_was_instrumented_is_not_changed_itself() -> None:
    """A pure transform: the contents can be used again."""
    before = copy.deepcopy(PLAIN)
    instrument(PLAIN, ON, LOGS)
    assert before == PLAIN


@pytest.mark.parametrize("collector", ["xray-daemon", "adot", "cloudwatch-agent"])
def test_a_consistent_task_has_no_findings(collector: str) -> None:
    """On and off, a policy of the user's own beside."""
    traced = instrument(PLAIN, Settings(region="us-east-1", tracing=True, collector=collector), LOGS)
    assert findings(traced.containers, [*traced.policies, "arn:aws:iam::aws:policy/Own"], tracing=True) == []
    assert findings(PLAIN.containers, ["arn:aws:iam::aws:policy/Own"], tracing=False) == []


def _without(container: str, key: str) -> Any:
    def change(containers: list[dict[str, Any]]) -> None:
        next(c for c in containers if c["name"] == container).pop(key)

    return change


@pytest.mark.parametrize(
    ("change", "policies", "told"),
    [
        (lambda cs: cs.pop(2), {POLICY}, "the container 'xray' is missing"),
        (_without("envoy", "environment"), {POLICY}, "ENABLE_ENVOY_XRAY_TRACING=1 in Envoy's environment is missing"),
        (_without("envoy", "dependsOn"), {POLICY}, "Envoy's waiting for 'xray' to start is missing"),
        (lambda _: None, set(), "the policy AWSXRayDaemonWriteAccess on the task role is missing"),
        (_without("xray", "environment"), {POLICY}, "the container 'xray' has no AWS_REGION and cannot start"),
        (lambda cs: cs.clear(), {POLICY}, "the task has no container 'envoy'"),
    ],
)
def test_whatever_is_missing_is_told(change: Any, policies: set[str], told: str) -> None:
    """GIVEN a traced task from which one thing was taken THEN exactly that is found."""
    containers = [copy.deepcopy(dict(container)) for container in instrument(PLAIN, ON, LOGS).containers]
    change(containers)
    assert findings(containers, policies, tracing=True) == [told]


def test_a_flag_of_another_value_is_none() -> None:
    """ENABLE_ENVOY_XRAY_TRACING=0 is off."""
    containers = [copy.deepcopy(dict(container)) for container in instrument(PLAIN, ON, LOGS).containers]
    flag = next(v for v in containers[1]["environment"] if v["name"] == tracing.FLAG_VARIABLE)
    flag["value"] = "0"
    assert findings(containers, {POLICY}, tracing=True) == [
        "ENABLE_ENVOY_XRAY_TRACING=1 in Envoy's environment is missing"
    ]


def test_whatever_is_left_is_told() -> None:
    """GIVEN a fully traced task WHEN tracing should be off THEN each leftover is named."""
    settings = Settings(region="us-east-1", tracing=True, sampling_rate=1.0)
    assert findings(instrument(PLAIN, settings, LOGS).containers, {POLICY}, tracing=False) == [
        "ENABLE_ENVOY_XRAY_TRACING=1 in Envoy's environment is still there",
        "the container 'xray' is still there",
        "Envoy's waiting for 'xray' to start is still there",
        "the policy AWSXRayDaemonWriteAccess on the task role is still there",
        "XRAY_SAMPLING_RATE in Envoy's environment is still there",
    ]
