"""The plain Envoy image: the real Envoy with the bootstrap as it is, in the network that a task has here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localaws.programs.envoy import adapted, command
from localaws.programs.loopback import NotLoopbackError

ROOT = Path(__file__).parents[2]
OWN = "127.9.9.1"
RESOLVER = ("127.9.9.254", 5353)


@pytest.fixture(autouse=True)
def inside_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALAWS_TASK_ADDRESS", OWN)


def at(address: str, port: int = 80) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}


def moved(document: dict[str, Any]) -> dict[str, Any]:
    """A bootstrap in the task's network, the resolver left aside."""
    told = adapted(document, RESOLVER)
    resolver = told.pop("typed_dns_resolver_config")["typed_config"]["resolvers"]
    assert resolver == [at(*RESOLVER)]
    return told


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "localhost"])
def test_the_tasks_loopback_is_its_own_address(address: str) -> None:
    """Of listeners, of the administration and of the daemon; ports stay. Envoy knows two spellings."""
    document = {
        "admin": {"address": at(address, 9901)},
        "daemon_endpoint": {"address": address, "port_value": 2000},
        "listeners": [{"address": {"socketAddress": {"address": address, "portValue": 80}}}],
    }
    assert moved(document) == {
        "admin": {"address": at(OWN, 9901)},
        "daemon_endpoint": {"address": OWN, "port_value": 2000},
        "listeners": [{"address": {"socketAddress": {"address": OWN, "portValue": 80}}}],
    }


@pytest.mark.parametrize("kind", [{"type": "STRICT_DNS"}, {"type": "LOGICAL_DNS"}, {"cluster_type": {"name": "dns"}}])
def test_names_are_asked_of_the_embedded_aws(kind: dict[str, Any]) -> None:
    """As they are, but for the task's own."""
    given, wanted = (
        {"clusters": [{**kind, "load_assignment": {"endpoints": [at("shop.local"), at(own)]}}]}
        for own in ("localhost", OWN)
    )
    assert moved(given) == wanted


@pytest.mark.parametrize("kind", ["STATIC", "STRICT_DNS"])
def test_an_address_elsewhere_is_refused(kind: str) -> None:
    """There is no network but loopback."""
    with pytest.raises(NotLoopbackError, match=r"10\.0\.0\.1 is not in 127\.0\.0\.0/8"):
        adapted({"clusters": [{"type": kind, "endpoints": [at("10.0.0.1")]}]}, RESOLVER)


def test_what_else_is_said_is_passed_on() -> None:
    """Before and after the bootstrap."""
    line = command(["--log-level", "error", "--config-yaml", "{}", "--drain-time-s", "5"], RESOLVER)
    assert [*line[1:4], *line[5:7]] == ["--log-level", "error", "--config-yaml", "--drain-time-s", "5"]


def test_a_flag_of_ours_that_is_given_counts_as_given() -> None:
    """Envoy refuses a flag that comes twice."""
    line = command(["--concurrency", "2", "--disable-hot-restart", "--config-yaml", "{}"], RESOLVER)
    assert (line.count("--concurrency"), line.count("--disable-hot-restart")) == (1, 1)
    assert line[1:3] == ["--concurrency", "2"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-c", "/etc/envoy/envoy.yaml"], "files in the image it has none"),
        (["-c", "/etc/envoy/envoy.yaml", "--config-yaml", "{}"], "files in the image it has none"),
        (["--config-yaml", "{"], "Unable to parse JSON as proto"),
        (["--config-yaml", json.dumps({"admin": {"address": at("10.0.0.1")}})], "not in 127.0.0.0/8"),
        (["--config-yaml", '{"nonsense": 1}'], "nonsense"),
        (["--config-yaml", "[]"], "error"),
    ],
)
def test_a_bootstrap_that_can_not_be_ends_the_container(arguments: list[str], told: str) -> None:
    """With exit code 1 and the reason in its log; the last one is the real Envoy's own."""
    environment = {**os.environ, "LOCALAWS_DNS": "127.9.9.254:5353", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "localaws.programs.envoy", *arguments],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert told in done.stderr
