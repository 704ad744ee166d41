"""The stand-ins of the ADOT collector and the CloudWatch agent: their configurations, and segments on the wire."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from services.collectors import COLLECTORS
from tests.localaws.program_support import FakeServer, Program, running
from tests.localaws.support import until

_NAMES = {"adot": "adot", "cloudwatch-agent": "cloudwatch_agent"}  # collector → program
_LINE = {  # how the originals' lines begin
    "adot": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\t(info|warn|error)\t",
    "cloudwatch-agent": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [IWE]! ",
}
_HEADER = b'{"format":"json","version":1}\n'


@pytest.fixture
def xray() -> Iterator[FakeServer]:
    with FakeServer(lambda _: (200, b'{"UnprocessedTraceSegments":[]}'), port=4566) as server:
        yield server


@contextmanager
def collector(
    xray: FakeServer, which: str, *arguments: str, port: str = "2000", **variables: str | None
) -> Iterator[Program]:
    """A collector as it is deployed, with other variables; None takes one away."""
    given = {
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": xray.url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        **COLLECTORS[which]("eu-west-1").variables,
        **variables,
    }
    plain = {name: value for name, value in given.items() if value is not None}
    with running(_NAMES[which], *arguments, port=port, **plain) as program:
        yield program


def segment(number: int, **more: object) -> dict[str, Any]:
    ids = {"id": f"{number:016x}", "trace_id": f"1-5759e988-{number:024x}"}
    return {**ids, "name": "mesh/crystal", "start_time": 1.5, "end_time": 2.5, **more}


def send(program: Program, *documents: Any, port: int = 2000) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for document in documents:
            udp.sendto(_HEADER + json.dumps(document).encode(), (program.address, port))


def delivered(xray: FakeServer) -> list[dict[str, Any]]:
    calls = xray.called("/TraceSegments")
    return [json.loads(document) for call in calls for document in call.document["TraceSegmentDocuments"]]


def refused(program: Program) -> str:
    """The last line of a program that has to have ended with exit code 1, without a traceback."""
    assert (1, []) == (program.process.returncode, [line for line in program.lines if "Traceback" in line])
    return program.lines[-1]


@pytest.mark.parametrize("which", _NAMES)
def test_it_says_what_it_is(xray: FakeServer, which: str) -> None:
    """The first line of the log tells a stand-in from the original; all lines look like the original's."""
    with collector(xray, which) as program:
        assert "localaws's stand-in" in program.lines[0]
        assert [] == [line for line in program.lines if not re.match(_LINE[which], line)]


@pytest.mark.parametrize("which", _NAMES)
def test_segments_reach_x_ray(xray: FakeServer, which: str) -> None:
    """As deployed: what comes in over UDP 2000 is sent in calls of fifty at most, signed for the region."""
    sent = [segment(number, annotations={"direction": "ingress"}) for number in range(120)]
    with collector(xray, which) as program:
        send(program, *sent)
        until(lambda: len(delivered(xray)) == 120)

    def by_id(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(documents, key=lambda document: document["id"])

    calls = xray.called("/TraceSegments")
    assert by_id(sent) == by_id(delivered(xray))
    assert max(len(call.document["TraceSegmentDocuments"]) for call in calls) == 50
    assert "/eu-west-1/xray/aws4_request" in calls[0].headers["authorization"]


@pytest.mark.parametrize("which", _NAMES)
def test_what_the_originals_lose_is_lost(xray: FakeServer, which: str) -> None:
    """A segment's origin and what it says of App Mesh do not come through; the rest does."""
    told = {"app_mesh": {"mesh_name": "mesh", "virtual_node_name": "crystal"}, "xray": {"sdk": "x"}}
    with collector(xray, which) as program:
        send(program, segment(1, origin="AWS::AppMesh::Proxy", aws=told))
        until(lambda: delivered(xray))

    assert delivered(xray) == [segment(1, aws={"xray": {"sdk": "x"}})]


@pytest.mark.parametrize("which", _NAMES)
def test_segments_that_are_none(xray: FakeServer, which: str) -> None:
    """What can't be made a span is dropped with a warning, and the next one is sent."""
    with collector(xray, which) as program:
        send(program, {"id": "1"}, "no segment", segment(1))
        until(lambda: delivered(xray))

        assert program.printed('X-Ray segment to OT traces conversion failed: segment "name" can not be nil')
    assert delivered(xray) == [segment(1)]


@pytest.mark.parametrize("which", _NAMES)
def test_failures_are_told_as_the_originals_do(xray: FakeServer, which: str) -> None:
    """Somebody who looks for "Exporting failed" in the log finds the reason."""
    xray.answer = lambda _: (403, b'{"message":"AccessDenied"}')
    with collector(xray, which) as program:
        send(program, segment(1))
        until(lambda: program.printed("Exporting failed."))

        assert program.printed("AccessDenied")


def test_how_long_they_wait_for_more(xray: FakeServer) -> None:
    """The CloudWatch agent sends what there is after 0.2 s, our ADOT collector after a second."""
    seconds = {}
    for which in _NAMES:
        with collector(xray, which) as program:
            began, before = time.monotonic(), len(delivered(xray))
            send(program, segment(1))
            until(lambda before=before: len(delivered(xray)) > before)  # type: ignore[misc]
            seconds[which] = time.monotonic() - began

    assert seconds["adot"] >= 1
    assert seconds["adot"] - seconds["cloudwatch-agent"] > 0.4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "failed to get config: invalid configuration: empty configuration file"),
        ("receivers: [", "failed to get config: cannot resolve the configuration: cannot retrieve the configuration"),
        ("- a", "failed to get config: cannot resolve the configuration: retrieved value (type=list)"),
        ("receivers: {otlp: }", "no pipeline of traces leads from a receiver awsxray to an exporter awsxray"),
        ("service: {pipelines: [traces]}", "no pipeline of traces leads from a receiver awsxray"),
        (
            "service: {pipelines: {traces: {receivers: [awsxray], exporters: [awsxray]}}}",
            'service::pipelines::traces: references receiver "awsxray" which is not configured',
        ),
    ],
)
def test_configurations_that_adot_refuses(xray: FakeServer, content: str, reason: str) -> None:
    """Empty, malformed, or with nothing that hears segments: exit code 1, and the reason."""
    with collector(xray, "adot", port="", AOT_CONFIG_CONTENT=content) as program:
        assert reason in refused(program)


def test_adot_has_a_configuration_of_its_own(xray: FakeServer) -> None:
    """Without the variable the image's own is taken, which hears segments; of ecs-xray.yaml that is not true."""
    with collector(xray, "adot", AOT_CONFIG_CONTENT=None) as program:
        send(program, segment(1))
        until(lambda: delivered(xray))
    path = "--config=/etc/ecs/ecs-xray.yaml"
    with collector(xray, "adot", path, port="", AOT_CONFIG_CONTENT=None) as program:
        assert "with /etc/ecs/ecs-xray.yaml nothing hears X-Ray segments" in refused(program)


def test_adot_and_its_region(xray: FakeServer) -> None:
    """The exporter's, which may refer to a variable; else the variable; else there is none."""
    content = COLLECTORS["adot"]("${env:HOME_REGION}").variables["AOT_CONFIG_CONTENT"]
    with collector(xray, "adot", AOT_CONFIG_CONTENT=content, HOME_REGION="eu-north-1") as program:
        assert program.printed("go to X-Ray in eu-north-1")
    with collector(xray, "adot", AOT_CONFIG_CONTENT=content) as program:
        assert program.printed("go to X-Ray in eu-west-1")
    with collector(xray, "adot", port="", AOT_CONFIG_CONTENT=content, AWS_REGION=None) as program:
        assert "cannot fetch region variable" in refused(program)


def test_adot_answers_for_its_health(xray: FakeServer) -> None:
    """On the port of its extension; without the extension nobody does."""

    def health(program: Program) -> int:
        with program.connected(13133) as connection:
            connection.request("GET", "/")
            return connection.getresponse().status

    with collector(xray, "adot") as program:
        assert health(program) == 200
    content = json.loads(COLLECTORS["adot"]("eu-west-1").variables["AOT_CONFIG_CONTENT"])
    del content["service"]["extensions"]
    with (
        collector(xray, "adot", AOT_CONFIG_CONTENT=json.dumps(content)) as program,
        pytest.raises(ConnectionRefusedError),
    ):
        health(program)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"CW_CONFIG_CONTENT": None}, "No json config files found: CW_CONFIG_CONTENT is not set"),
        ({"CW_CONFIG_CONTENT": "{"}, "unable to get json map from environment variable CW_CONFIG_CONTENT"),
        ({"CW_CONFIG_CONTENT": '{"logs": {}}'}, "CW_CONFIG_CONTENT has no traces.traces_collected.xray"),
        ({"CW_CONFIG_CONTENT": "[]"}, "CW_CONFIG_CONTENT has no traces.traces_collected.xray"),
        ({"CW_CONFIG_CONTENT": '{"traces": {"traces_collected": {"xray": {}}}}'}, "Region info is missing"),
        ({"LOCALAWS_USER": "1337"}, "amazon-cloudwatch-agent.toml: permission denied"),
    ],
)
def test_what_the_cloudwatch_agent_refuses(xray: FakeServer, variables: dict[str, str | None], reason: str) -> None:
    """No configuration, none that hears segments, or a user who may not write it down: exit code 1, and the reason."""
    with collector(xray, "cloudwatch-agent", port="", **variables) as program:
        assert re.search(rf"E! Cannot translate JSON, ERROR is .*{re.escape(reason)}", refused(program))


def test_the_cloudwatch_agent_knows_where_its_task_is(xray: FakeServer) -> None:
    """On ECS it asks for its region itself; without an address it listens where Envoy sends."""
    content = '{"traces": {"traces_collected": {"xray": {}}}}'
    variables = {"CW_CONFIG_CONTENT": content, "LOCALAWS_ZONE": "us-east-1b", "LOCALAWS_USER": "0:1338"}
    with collector(xray, "cloudwatch-agent", **variables) as program:
        send(program, segment(1))
        until(lambda: delivered(xray))

        assert program.printed("go to X-Ray in us-east-1")
