"""The aws stand-in as a process: where it refuses to work, how it waits, fails and leaves."""

import json
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from localaws.instance import Instance
from tests.localaws.plugin_aws_support import Engine, Gate, Plugin

LOGS = "aws:cloudwatch/logGroup:LogGroup"
SAFE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}  # loopback, but nobody listens there

Start = Callable[..., Plugin]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts plugins, and sees to their end."""
    started: list[Plugin] = []

    def begin(**environment: str) -> Plugin:
        started.append(Plugin(environment))
        return started[-1]

    yield begin
    for plugin in started:
        if plugin.process.poll() is None:
            plugin.ask_to_leave(signal.SIGKILL)
        plugin.ended()


@pytest.fixture
def plugin(start: Start, instance: Instance) -> Plugin:
    """A plugin of the shared embedded AWS."""
    return start(**instance.environment())


def configured(plugin: Plugin, region: str = "us-east-1") -> Engine:
    engine = plugin.engine(region)
    engine.configure()
    return engine


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return str(refused.value.details())


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, "AWS_ENDPOINT_URL is not set"),
        ({"AWS_ENDPOINT_URL": "https://ecs.us-east-1.amazonaws.com"}, "'https://ecs.us-east-1.amazonaws.com'"),
        ({"AWS_ENDPOINT_URL": "http://10.0.0.1:4566"}, "'http://10.0.0.1:4566'"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1.example.com"}, "'http://127.0.0.1.example.com'"),
        ({"AWS_ENDPOINT_URL": "http://localhost@10.0.0.1"}, "'http://localhost@10.0.0.1'"),
    ],
)
def test_it_refuses_to_work_anywhere_but_on_loopback(start: Start, environment: dict[str, str], found: str) -> None:
    """Without an endpoint on loopback nothing is configured; the message names what is wrong and the way on."""
    said = refusal(start(**environment).engine().configure)

    assert found in said
    assert "python -m localaws env" in said
    assert "pulumi plugin install resource aws" in said


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.8.9.1:1", "http://localhost:1", "http://[::1]:1"])
def test_loopback_is_all_of_loopback(start: Start, url: str) -> None:
    """Every address of this machine itself will do."""
    start(AWS_ENDPOINT_URL=url).engine().configure()


def test_no_other_setting_leads_elsewhere(start: Start, instance: Instance) -> None:
    """Endpoints of single services, profiles and proxies in the environment change nothing."""
    plugin = start(
        **instance.environment(),
        AWS_ENDPOINT_URL_CLOUDWATCH_LOGS="http://192.0.2.1:9",
        AWS_ENDPOINT_URL_LOGS="http://192.0.2.1:9",
        AWS_PROFILE="nobody",
        HTTP_PROXY="http://192.0.2.1:9",
        http_proxy="http://192.0.2.1:9",
    )

    assert "elsewhere" == configured(plugin).create(LOGS, {"name": "elsewhere"}).result(timeout=20).id


def test_configured_endpoints_elsewhere_are_refused(start: Start) -> None:
    """The provider's own `endpoints` setting is no way around either."""
    endpoints = json.dumps([{"ecs": "https://ecs.us-east-1.amazonaws.com"}])
    engine = start(**SAFE).engine(**{"aws:config:endpoints": endpoints})

    assert "aws:endpoints names 'https://ecs.us-east-1.amazonaws.com' for ecs" in refusal(engine.configure)


def test_an_aws_that_is_not_there_is_named_with_the_command_that_starts_it(start: Start) -> None:
    """A refused connection ends in one line."""
    said = refusal(configured(start(**SAFE)).create(LOGS, {"name": "nobody"}).result)

    assert (
        "creating CloudWatch Logs Log Group (nobody): operation error CloudWatch Logs: CreateLogGroup: "
        "embedded AWS at http://127.0.0.1:1 does not answer; start it with: python -m localaws start"
    ) == said


def test_an_aws_that_hangs_ends_in_bounded_time(start: Start) -> None:
    """A server that takes calls and never answers is given up after the time that the environment sets."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        engine = configured(start(AWS_ENDPOINT_URL=url, LOCALAWS_PROVIDER_TIMEOUT="0.9"))
        call = engine.create(LOGS, {"name": "silence"})

        assert "did not answer within 0.9 s" in refusal(lambda: call.result(timeout=15))


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, None])
def test_it_finishes_what_is_under_way_and_leaves_quietly(
    start: Start, instance: Instance, client: Callable[..., Any], by: signal.Signals | None
) -> None:
    """A signal, or the death of the engine, does not cut a create short; then it goes, without a word."""
    name = f"finished-{by.name if by else 'orphan'}"
    with Gate(instance) as gate:
        plugin = start(**{**instance.environment(), "AWS_ENDPOINT_URL": gate.url})
        call = configured(plugin).create(LOGS, {"name": name})
        assert gate.arrived.wait(20)
        plugin.ask_to_leave(by)
        gate.opened.set()

        assert (0, "") == plugin.ended()
        assert call.done()
    found = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert [name] == [group["logGroupName"] for group in found]


def test_engines_keep_their_own_settings(plugin: Plugin, client: Callable[..., Any]) -> None:
    """Several engines may share one plugin; each has its region, and calls off only its own work."""
    east, west = configured(plugin, "us-east-1"), configured(plugin, "us-west-2")
    east.cancel()

    made = west.create(LOGS, {"name": "of-the-west"}).result(timeout=20)

    assert "us-west-2" == made.properties["region"]
    groups = client("logs", "us-west-2").describe_log_groups(logGroupNamePrefix="of-the-west")["logGroups"]
    assert 1 == len(groups)
    assert [] == client("logs").describe_log_groups(logGroupNamePrefix="of-the-west")["logGroups"]


def test_what_is_gone_already_is_deleted_without_complaint(plugin: Plugin, client: Callable[..., Any]) -> None:
    """Deleting what somebody else has deleted is a success."""
    engine = configured(plugin)
    made = engine.create(LOGS, {"name": "gone"}).result(timeout=20)
    client("logs").delete_log_group(logGroupName="gone")

    engine.delete(LOGS, made.id, made.properties)
