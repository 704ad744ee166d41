"""App Mesh's Envoy image: what each variable of its environment does, and what it refuses to start with."""

import json
from pathlib import Path

import pytest

from envoymesh import Endpoint
from localaws.tasks.envoy_image import BadVariableError, EnvoySettings, XRay, read

ARN = "arn:aws:appmesh:us-east-1:123456789012:mesh/m/virtualNode/n"
TRACED = {"ENABLE_ENVOY_XRAY_TRACING": "1"}


def settings(**variables: str) -> EnvoySettings:
    return read({"APPMESH_RESOURCE_ARN": ARN, **variables})


def xray(**variables: str) -> XRay:
    found = settings(**TRACED, **variables).xray
    assert found is not None
    return found


def refused(variables: dict[str, str]) -> str:
    """The message with which the image ends."""
    with pytest.raises(BadVariableError) as caught:
        read(variables)
    return str(caught.value)


def test_the_resource_is_all_that_is_needed() -> None:
    """The rest is as the user guide says: info, port 9901, neither tags nor traces."""
    assert EnvoySettings(
        resource_arn=ARN, cluster=None, log_level="info", admin_port=9901, stats_tags=False, xray=None
    ) == read({"APPMESH_RESOURCE_ARN": ARN})


def test_an_empty_variable_is_as_good_as_none() -> None:
    """A template that fills in nothing leaves the defaults."""
    names = ("APPMESH_RESOURCE_CLUSTER", "ENVOY_LOG_LEVEL", "ENVOY_ADMIN_ACCESS_PORT", "ENABLE_ENVOY_STATS_TAGS")
    tracing = (
        "XRAY_DAEMON_PORT",
        "AWS_XRAY_DAEMON_ADDRESS",
        "XRAY_SAMPLING_RATE",
        "XRAY_SAMPLING_RULE_MANIFEST",
        "XRAY_SEGMENT_NAME",
    )

    assert settings() == settings(**dict.fromkeys(names, ""))
    assert xray() == xray(**dict.fromkeys(tracing, ""))


@pytest.mark.parametrize("variables", [{}, {"APPMESH_RESOURCE_ARN": ""}])
def test_without_a_resource_it_does_not_start(variables: dict[str, str]) -> None:
    """The message names the variable."""
    assert refused(variables) == "APPMESH_RESOURCE_ARN environment variable is not set"


def test_cluster_port_and_tags() -> None:
    """What Envoy calls itself, where it is administered, and tags on its metrics, which only 1 turns on."""
    found = settings(APPMESH_RESOURCE_CLUSTER="front", ENVOY_ADMIN_ACCESS_PORT="9999", ENABLE_ENVOY_STATS_TAGS="1")

    assert ("front", 9999, True) == (found.cluster, found.admin_port, found.stats_tags)
    assert settings(ENABLE_ENVOY_STATS_TAGS="0").stats_tags is False


@pytest.mark.parametrize(
    ("given", "level"),
    [("trace", "trace"), ("debug", "debug"), ("warn", "warning"), ("warning", "warning"), ("OFF", "off")],
)
def test_log_levels(given: str, level: str) -> None:
    """The image's words in Envoy's."""
    assert level == settings(ENVOY_LOG_LEVEL=given).log_level


def test_traces_go_to_the_daemon_beside_it() -> None:
    """5 % to 127.0.0.1:2000 under the resource's own name, if nothing else is said; only 1 turns them on."""
    daemon = Endpoint(address="127.0.0.1", port=2000)

    assert XRay(daemon=daemon, segment_name=None, sampling_rate=0.05, manifest=None) == xray()
    assert settings(ENABLE_ENVOY_XRAY_TRACING="0").xray is None
    assert settings(XRAY_SAMPLING_RATE="1", XRAY_SEGMENT_NAME="x").xray is None


@pytest.mark.parametrize(
    ("variables", "address", "port"),
    [
        ({"XRAY_DAEMON_PORT": "3000"}, "127.0.0.1", 3000),
        ({"AWS_XRAY_DAEMON_ADDRESS": "10.0.0.9"}, "10.0.0.9", 2000),
        ({"AWS_XRAY_DAEMON_ADDRESS": "10.0.0.9:3001"}, "10.0.0.9", 3001),
        ({"AWS_XRAY_DAEMON_ADDRESS": "10.0.0.9", "XRAY_DAEMON_PORT": "3000"}, "10.0.0.9", 3000),
        ({"AWS_XRAY_DAEMON_ADDRESS": "10.0.0.9:3001", "XRAY_DAEMON_PORT": "3000"}, "10.0.0.9", 3001),
    ],
)
def test_the_daemon_may_be_elsewhere(variables: dict[str, str], address: str, port: int) -> None:
    """A port in the address is nearer than the port's own variable."""
    assert Endpoint(address=address, port=port) == xray(**variables).daemon


@pytest.mark.parametrize(
    ("given", "rate"), [("0", 0), ("1", 1), ("1.00", 1), ("0.05", 0.05), ("0.126", 0.13), ("5e-1", 0.5)]
)
def test_rates_have_two_decimals(given: str, rate: float) -> None:
    """From none to all requests."""
    assert rate == xray(XRAY_SAMPLING_RATE=given).sampling_rate


def test_a_manifest_is_read_from_its_file(tmp_path: Path) -> None:
    """Its rules come whole; the rate stays what it is, for the renderer to prefer the rules."""
    path = tmp_path / "rules.json"
    rules = {"version": 2, "default": {"fixed_target": 3, "rate": 0.5}, "rules": []}
    path.write_text(json.dumps(rules, indent=2), encoding="utf-8")

    found = xray(XRAY_SAMPLING_RULE_MANIFEST=str(path)).manifest
    assert found is not None
    assert rules == json.loads(found)


def test_segments_may_be_named_otherwise() -> None:
    """The name is taken as it is."""
    assert xray(XRAY_SEGMENT_NAME="my front").segment_name == "my front"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ENVOY_LOG_LEVEL", "loud", "ENVOY_LOG_LEVEL has no level 'loud'; there are trace, debug, info, warning"),
        ("ENVOY_ADMIN_ACCESS_PORT", "0", "ENVOY_ADMIN_ACCESS_PORT must be a port from 1 to 65535, not '0'"),
        ("ENVOY_ADMIN_ACCESS_PORT", "70000", "from 1 to 65535, not '70000'"),
        ("XRAY_DAEMON_PORT", "udp", "XRAY_DAEMON_PORT must be a port from 1 to 65535, not 'udp'"),
        ("AWS_XRAY_DAEMON_ADDRESS", "xray", "AWS_XRAY_DAEMON_ADDRESS must be an IPv4 address, with or without a port"),
        ("AWS_XRAY_DAEMON_ADDRESS", "10.0.0.9:udp", "not '10.0.0.9:udp'"),
        ("AWS_XRAY_DAEMON_ADDRESS", "10.0.0.9:70000", "not '10.0.0.9:70000'"),
        ("AWS_XRAY_DAEMON_ADDRESS", "::1", "not '::1'"),
        ("XRAY_SAMPLING_RATE", "5", "XRAY_SAMPLING_RATE must be a number from 0 to 1, not '5'"),
        ("XRAY_SAMPLING_RATE", "-0.1", "not '-0.1'"),
        ("XRAY_SAMPLING_RATE", "5%", "not '5%'"),
        ("XRAY_SAMPLING_RATE", "nan", "not 'nan'"),
        ("XRAY_SAMPLING_RULE_MANIFEST", "/no/such/rules.json", "XRAY_SAMPLING_RULE_MANIFEST can't be read"),
        ("ENABLE_ENVOY_DATADOG_TRACING", "1", "ENABLE_ENVOY_XRAY_TRACING and ENABLE_ENVOY_DATADOG_TRACING"),
        ("ENABLE_ENVOY_JAEGER_TRACING", "1", "ENABLE_ENVOY_XRAY_TRACING and ENABLE_ENVOY_JAEGER_TRACING"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str, reason: str) -> None:
    """The message has the variable, the value and what it could be."""
    assert reason in refused({"APPMESH_RESOURCE_ARN": ARN, **TRACED, name: value})


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 1}', "{}"])
def test_a_manifest_of_another_kind_is_refused(tmp_path: Path, content: str) -> None:
    """Envoy's tracer reads version 2 only, and would go on silently with a rule of its own."""
    path = tmp_path / "rules.json"
    path.write_text(content, encoding="utf-8")

    message = refused({"APPMESH_RESOURCE_ARN": ARN, **TRACED, "XRAY_SAMPLING_RULE_MANIFEST": str(path)})
    assert message.startswith("XRAY_SAMPLING_RULE_MANIFEST")
    assert "version 2" in message or "can't be read" in message


def test_what_tracing_would_refuse_does_not_matter_without_it() -> None:
    """A variable of a switch that is off is not looked at."""
    assert settings(XRAY_SAMPLING_RATE="5 %", AWS_XRAY_DAEMON_ADDRESS="xray").xray is None
