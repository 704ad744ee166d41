"""Causes of missing traces, told of the collector that runs: on plain answers of AWS, for each of the three.

The demo that runs for real, with the daemon, is in test_proof.py.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from automation.causes import Cause, find
from automation.hops import End, Hop
from automation.verify import Aws, Target
from services import tracing
from services.containers import Envoy, Logs
from services.settings import Settings
from services.tracing import TaskContents, instrument

LOGS = Logs(group="group-1", region="us-east-1")
ENVOY = Envoy(log_level="info", log_prefix="/mesh-envoy-container").container("envoy:1", "arn:node", LOGS)
WORDS = {"xray-daemon": "X-Ray daemon", "adot": "ADOT collector", "cloudwatch-agent": "CloudWatch agent"}
# Lines of the originals' logs about a call that X-Ray refused. Source: issues of aws-microservices-deploy-options (136)
# and aws-otel-collector (1250); the CloudWatch agent writes the second kind after a prefix of its own.
REFUSED = {
    "xray-daemon": "2018-03-29T22:08:26Z [Error] Sending segment batch failed with: AccessDeniedException: User: x",
    "adot": '2022-05-21T08:28:30.801Z\terror\texporterhelper/queued_retry.go:149\tExporting failed. {"error": "403"}',
    "cloudwatch-agent": '2024-12-09T08:28:30Z E! {"caller":"internal/base_exporter.go","msg":"Exporting failed."}',
}
REQUEST = '[2024-12-09T08:28:30.801Z] "GET /crystal HTTP/1.1" 200 - 0 2 1 1'
Change = Callable[[dict[str, Any]], Any]


@dataclass(kw_only=True)
class Site(Aws):
    """Two services with the same containers, as AWS tells of them."""

    region: str = "us-east-1"
    definitions: Sequence[Mapping[str, Any]] = ()
    lines: Mapping[str, str] = field(default_factory=dict)  # by the prefix of the stream
    stopped: bool = False  # the collectors

    def services(self, targets: Iterable[Target]) -> dict[str, Mapping[str, Any]]:
        return {target.service: {"taskDefinition": target.task_definition} for target in targets}

    def containers(self, task_definition: str) -> Sequence[Mapping[str, Any]]:
        del task_definition
        return self.definitions

    def policies(self, role: str) -> set[str]:
        del role
        return {tracing.POLICY_ARN}

    def tasks(self, targets: Sequence[Target]) -> dict[str, list[Mapping[str, Any]]]:
        container = {"name": "xray", "lastStatus": "STOPPED" if self.stopped else "RUNNING", "exitCode": 1}
        return {target.service: [{"containers": [container]}] for target in targets}

    def log_lines(self, group: str, prefix: str, since: float, pattern: str) -> list[str]:
        del group, since
        return [line for start, line in self.lines.items() if start == prefix and pattern.strip('"') in line]


def cause(collector: str, change: Change = lambda _: None, **site: Any) -> Cause:
    """The cause that is found where nothing is seen of a call between two services with a collector."""
    settings = Settings(region="us-east-1", tracing=True, collector=collector)
    envoy, sidecar = (dict(each) for each in instrument(TaskContents(containers=(ENVOY,)), settings, LOGS).containers)
    change(sidecar)
    lines = {"/mesh-envoy-container": REQUEST, **site.pop("lines", {})}
    source, target = (
        End(
            service=name,
            segment_name=f"mesh/{name}",
            target=Target(service=name, cluster="c", ecs_service=name, task_definition="t:1", role="r", tracing=True),
            log_group="group-1",
            sampling_rate=1.0,
        )
        for name in ("frontend", "crystal")
    )
    asked = Site(definitions=(envoy, sidecar), lines=lines, **site)
    return find(Hop(source=source, target=target), asked, since=0, sent=10)


def without_region(sidecar: dict[str, Any]) -> None:
    """Nothing names a region: neither the environment nor the collector's own configuration."""
    kept = [each for each in sidecar["environment"] if each["name"] != "AWS_REGION"]
    for each in kept:
        configuration = json.loads(each["value"])
        for part in (configuration.get("exporters", {}).get("awsxray"), configuration.get("agent")):
            if part:
                part.pop("region")
        configuration.get("receivers", {}).get("awsxray", {}).pop("proxy_server", None)
        each["value"] = json.dumps(configuration)
    sidecar["environment"] = kept


@pytest.mark.parametrize("collector", WORDS)
def test_a_collector_as_it_is_deployed_is_no_cause(collector: str) -> None:
    """Everything is in order: nothing is made up."""
    assert cause(collector).kind == "unknown"


@pytest.mark.parametrize("collector", WORDS)
def test_what_the_collector_could_not_deliver(collector: str) -> None:
    """The line of its log is shown, whichever way it logs."""
    found = cause(collector, lines={"/xray-container": REFUSED[collector]})
    assert found.kind == "not-delivered"
    assert found.message == f"the {WORDS[collector]} of frontend could not deliver: {REFUSED[collector]}"


@pytest.mark.parametrize("collector", WORDS)
def test_a_collector_that_stopped(collector: str) -> None:
    """It is called by its name."""
    found = cause(collector, stopped=True)
    assert found.kind == "sidecar-stopped"
    assert found.message == f"the {WORDS[collector]} of frontend has stopped (exit code 1: no reason given)"


@pytest.mark.parametrize("collector", ["xray-daemon", "adot"])
def test_a_collector_without_a_region(collector: str) -> None:
    """The two that can't find it out by themselves end at once."""
    found = cause(collector, without_region, stopped=True)
    assert found.kind == "no-region"
    assert f"the {WORDS[collector]} of frontend has no region and ended at once" in found.message


def test_regions_that_will_do() -> None:
    """ADOT's may be in its configuration alone; the CloudWatch agent needs none, and stopped for another reason."""

    def unset(sidecar: dict[str, Any]) -> None:
        sidecar["environment"] = [each for each in sidecar["environment"] if each["name"] != "AWS_REGION"]

    assert cause("adot", unset, stopped=True).kind == "sidecar-stopped"
    assert cause("cloudwatch-agent", without_region, stopped=True).kind == "sidecar-stopped"


@pytest.mark.parametrize(
    ("collector", "value", "why"),
    [
        (
            "adot",
            '{"receivers":{"otlp":null}}',
            "AOT_CONFIG_CONTENT has no pipeline from a receiver awsxray to an exporter awsxray",
        ),
        ("cloudwatch-agent", '{"logs":{}}', "CW_CONFIG_CONTENT has no traces.traces_collected.xray"),
    ],
)
def test_a_collector_that_does_not_hear_envoy(collector: str, value: str, why: str) -> None:
    """It runs, but its configuration has no ear for what Envoy sends."""

    def deaf(sidecar: dict[str, Any]) -> None:
        sidecar["environment"] = [
            {**each, "value": value} if each["name"].endswith("_CONTENT") else each for each in sidecar["environment"]
        ]

    found = cause(collector, deaf)
    assert found.kind == "not-heard"
    assert found.message == f"the {WORDS[collector]} of frontend does not hear Envoy: {why}"


def test_a_role_without_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever collector it is, it may not write."""
    monkeypatch.setattr(Site, "policies", lambda *_: set())
    told = {name: cause(name).message.partition(", so its ")[2].partition(" may not")[0] for name in WORDS}
    assert told == {"xray-daemon": "daemon", "adot": "collector", "cloudwatch-agent": "agent"}
