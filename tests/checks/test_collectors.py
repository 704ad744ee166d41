"""Rules about tracing with each of the collectors: each on the repository's own traced task, with one thing changed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from services.collectors import COLLECTORS
from tests.checks.test_tracing import Change, crystal, judged, variable

ADOT = {"tracing": "true", "collector": "adot"}
AGENT = {"tracing": "true", "collector": "cloudwatch-agent"}


def adot(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Change ADOT's configuration in place."""
    return _reconfigured("adot", "AOT_CONFIG_CONTENT", change)


def agent(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Change the CloudWatch agent's configuration in place."""
    return _reconfigured("cloudwatch-agent", "CW_CONFIG_CONTENT", change)


def _reconfigured(name: str, content: str, change: Callable[[dict[str, Any]], Any]) -> Change:
    configuration = json.loads(COLLECTORS[name]("us-east-1").variables[content])
    change(configuration)
    return variable("xray", content, json.dumps(configuration))


def nobody(why: str) -> list[tuple[str, str, str]]:
    return [("tracing-address", "error", f"Envoy's UDP 2000 is heard by nobody: {why}")]


NO_WAY = "AOT_CONFIG_CONTENT has no pipeline from a receiver awsxray to an exporter awsxray"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (adot(lambda given: given["receivers"].pop("awsxray")), NO_WAY),
        (adot(lambda given: given["service"]["pipelines"]["traces"].update(receivers=["otlp"])), NO_WAY),
        (adot(lambda given: given["service"]["pipelines"]["traces"].update(exporters=["otlp"])), NO_WAY),
        (adot(lambda given: given["service"].pop("pipelines")), NO_WAY),
        (
            adot(lambda given: given["receivers"]["awsxray"].update(transport="tcp")),
            "its receiver awsxray in AOT_CONFIG_CONTENT is not one of UDP",
        ),
        (variable("xray", "AOT_CONFIG_CONTENT", ""), NO_WAY),
        (variable("xray", "AOT_CONFIG_CONTENT", "receivers: ["), "AOT_CONFIG_CONTENT is not YAML"),
    ],
)
def test_an_adot_that_hears_no_segments(change: Change, why: str) -> None:
    """Its own configuration says so: no receiver, none in use, no way from there to X-Ray, or none at all."""
    assert judged(crystal(change, ADOT)) == nobody(why)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc/ecs/ecs-xray.yaml", "with /etc/ecs/ecs-xray.yaml it has no receiver awsxray"),
        ("/etc/ecs/ecs-default-config.yaml", ""),
        ("/etc/own.yaml", ""),
    ],
)
def test_an_adot_with_a_configuration_of_the_image(path: str, why: str) -> None:
    """ecs-xray.yaml hears OpenTelemetry only; of a file that is not the image's own nothing is known."""

    def of_the_image(containers: dict[str, Any]) -> None:
        variable("xray", "AOT_CONFIG_CONTENT", None)(containers)
        containers["xray"]["command"] = [f"--config={path}"]

    assert judged(crystal(of_the_image, ADOT)) == (nobody(why) if why else [])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (variable("xray", "CW_CONFIG_CONTENT", None), "CW_CONFIG_CONTENT is not set"),
        (variable("xray", "CW_CONFIG_CONTENT", "{"), "CW_CONFIG_CONTENT is not JSON"),
        (agent(lambda given: given.pop("traces")), "CW_CONFIG_CONTENT has no traces.traces_collected.xray"),
        (
            agent(lambda given: given["traces"].update(traces_collected={"otlp": {}})),
            "CW_CONFIG_CONTENT has no traces.traces_collected.xray",
        ),
    ],
)
def test_a_cloudwatch_agent_that_hears_no_segments(change: Change, why: str) -> None:
    """It has to be told to: by default it collects something else."""
    assert judged(crystal(change, AGENT)) == nobody(why)


@pytest.mark.parametrize(
    ("config", "change"),
    [
        (ADOT, adot(lambda given: given["receivers"]["awsxray"].update(endpoint="127.0.0.1:3000"))),
        (
            AGENT,
            agent(lambda given: given["traces"]["traces_collected"]["xray"].update(bind_address="127.0.0.1:3000")),
        ),
    ],
)
def test_a_collector_that_listens_elsewhere(config: dict[str, str], change: Change) -> None:
    """The port in its own configuration counts; and agrees once Envoy is told."""

    def both(containers: dict[str, Any]) -> None:
        change(containers)
        variable("envoy", "XRAY_DAEMON_PORT", "3000")(containers)

    expected = "Envoy sends traces to port 2000, 'xray' listens on 3000"
    assert judged(crystal(change, config)) == [("tracing-address", "error", expected)]
    assert judged(crystal(both, config)) == []


@pytest.mark.parametrize(
    ("config", "change"),
    [
        (ADOT, adot(lambda given: given["exporters"]["awsxray"].update(region="eu-west-1"))),
        (AGENT, agent(lambda given: given["agent"].update(region="eu-west-1"))),
        (AGENT, agent(lambda given: given["traces"].update(region_override="eu-west-1"))),
    ],
)
def test_a_collector_that_sends_to_another_region(config: dict[str, str], change: Change) -> None:
    """Its own configuration comes before AWS_REGION."""
    expected = "'xray' sends to eu-west-1, but Envoy is in us-east-1"
    assert judged(crystal(change, config)) == [("tracing-region", "error", expected)]


def test_an_adot_and_its_region() -> None:
    """One in the configuration will do, and one in AWS_REGION; without both it exits."""

    def nowhere(containers: dict[str, Any]) -> None:
        adot(lambda given: given["exporters"]["awsxray"].pop("region"))(containers)
        variable("xray", "AWS_REGION", None)(containers)

    assert judged(crystal(variable("xray", "AWS_REGION", None), ADOT)) == []
    assert judged(crystal(adot(lambda given: given["exporters"]["awsxray"].pop("region")), ADOT)) == []
    assert judged(crystal(nowhere, ADOT)) == [("tracing-region", "error", "'xray' has no AWS_REGION and exits at once")]


def test_a_cloudwatch_agent_finds_its_region() -> None:
    """From the metadata of its task, so none has to be told."""

    def nowhere(containers: dict[str, Any]) -> None:
        agent(lambda given: given.pop("agent"))(containers)
        variable("xray", "AWS_REGION", None)(containers)

    assert judged(crystal(nowhere, AGENT)) == []


@pytest.mark.parametrize("user", ["1337", "1000:1338"])
def test_a_cloudwatch_agent_that_is_not_root(user: str) -> None:
    """It can't write its configuration down; at the gateway no less."""
    expected = f"'xray' runs as user {user}, but writes its configuration where only root may, and ends"
    for service in ("crystal", "platform"):
        plan = crystal(lambda containers: containers["xray"].update(user=user), AGENT, service)
        assert judged(plan) == [("tracing-user", "error", expected)]


def test_a_group_that_is_not_spared() -> None:
    """The redirection has to name the group: neither another one nor none will do."""

    def redirected(**group: str) -> list[tuple[str, str, str]]:
        return judged(crystal(config=AGENT, proxyConfiguration={"properties": {"IgnoredUID": "1337", **group}}))

    expected = "'xray' runs as user 0:1338, so its traffic to X-Ray is redirected into Envoy"
    assert redirected() == redirected(IgnoredGID="7") == [("tracing-user", "error", expected)]
    assert redirected(IgnoredGID="1338") == []


def test_what_is_not_known_of_a_collector() -> None:
    """A configuration from a secret, one with variables in it, and a collector that nobody knows are left alone."""

    def from_a_secret(content: str) -> Change:
        def change(containers: dict[str, Any]) -> None:
            containers["xray"].update(environment=[], secrets=[{"name": content, "valueFrom": "arn"}])

        return change

    def unknown(containers: dict[str, Any]) -> None:
        containers["xray"].update(image="otel/opentelemetry-collector-contrib:0.156.0", environment=[])

    settled = {"endpoint": "${HOST}:${PORT}"}
    plans = [
        crystal(from_a_secret("AOT_CONFIG_CONTENT"), ADOT),
        crystal(from_a_secret("CW_CONFIG_CONTENT"), AGENT),
        crystal(adot(lambda given: given["exporters"]["awsxray"].update(region="${env:HOME_REGION}")), ADOT),
        crystal(adot(lambda given: given["receivers"]["awsxray"].update(settled)), ADOT),
        crystal(unknown),
    ]
    assert [judged(plan) for plan in plans] == [[]] * 5
