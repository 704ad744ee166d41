"""The X-Ray daemon on the wire: datagrams in, batches out, whatever X-Ray does."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.localaws.program_support import FakeServer, Program, Reply, running
from tests.localaws.support import until

_HEADER = b'{"format":"json","version":1}\n'
_SEGMENTS, _TELEMETRY = "/TraceSegments", "/TelemetryRecords"
_OK: Reply = 200, b'{"UnprocessedTraceSegments":[]}'
_PORT = 2000


@contextmanager
def daemon(xray: FakeServer, *arguments: str, **variables: str) -> Iterator[Program]:
    given = {
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": xray.url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    with running("xray_daemon", *arguments, port=str(_PORT), **(given | variables)) as program:
        yield program


@pytest.fixture
def xray() -> Iterator[FakeServer]:
    with FakeServer(lambda _: _OK, port=4566) as server:
        yield server


def segment(number: int, **more: object) -> str:
    return json.dumps({"id": f"{number:016x}", "trace_id": f"1-5759e988-{number:024x}", "name": "x", **more})


def send(program: Program, *documents: str, header: bytes = _HEADER) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for document in documents:
            udp.sendto(header + document.encode(), (program.address, _PORT))


def batches(xray: FakeServer) -> list[list[str]]:
    return [call.document["TraceSegmentDocuments"] for call in xray.called(_SEGMENTS)]


def delivered(xray: FakeServer) -> list[str]:
    return [document for batch in batches(xray) for document in batch]


def kernel_drops(program: Program) -> int:
    """Return how many datagrams the kernel had no room for."""
    local = socket.inet_aton(program.address)[::-1].hex().upper() + f":{_PORT:04X}"
    rows = [line.split() for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()]
    return next(int(row[12]) for row in rows if row[1] == local)


def test_segments_come_in_batches_of_fifty(xray: FakeServer) -> None:
    """Full batches go at once, what is left within about a second, each document as it was sent."""
    sent = [segment(number, text='ä\\"') for number in range(120)]
    with daemon(xray) as program:
        send(program, *sent)
        until(lambda: len(delivered(xray)) == 120)

    assert [20, 50, 50] == sorted(len(batch) for batch in batches(xray))
    assert sorted(sent) == sorted(delivered(xray))


def test_calls_are_signed(xray: FakeServer) -> None:
    """X-Ray gets a call of the daemon's, from the task's address, signed for the region."""
    with daemon(xray, AWS_SESSION_TOKEN="token") as program:
        send(program, segment(1))
        until(lambda: xray.called(_SEGMENTS))
    call = xray.called(_SEGMENTS)[0]

    assert program.address == call.peer
    assert re.match(
        r"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/\d{8}/eu-west-1/xray/aws4_request, SignedHeaders=\S*host\S*, Sig",
        call.headers["authorization"],
    )
    assert call.headers["x-amz-security-token"] == "token"
    assert call.headers["host"] == xray.url.removeprefix("http://")
    assert call.headers["user-agent"].startswith("xray-agent/xray-daemon/3.")


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"no line at all", "Missing header or segment: no line at all"),
        (_HEADER, 'Missing header or segment: {"format":"json","version":1}'),
        (b'{"format":"json","version":2}\n{}', 'Invalid header: {"format":"json","version":2}'),
        (b'{"format":"xml","version":1}\n{}', 'Invalid header: {"format":"xml","version":1}'),
        (b"[1]\n{}", "Invalid header: [1]"),
        (b"\xff\n{}", "Invalid header: \ufffd"),
    ],
)
def test_malformed_datagrams_are_dropped(xray: FakeServer, datagram: bytes, reason: str) -> None:
    """Each leaves a line in the log, and the next segment is sent as if nothing had been."""
    with daemon(xray) as program:
        send(program, "", header=datagram)
        send(program, segment(1))
        until(lambda: delivered(xray))

        assert program.printed(f"[Warn] {reason}")
    assert [segment(1)] == delivered(xray)


def test_nothing_is_lost_at_full_speed(xray: FakeServer) -> None:
    """5,000 segments as fast as they can be sent arrive once each, but for those the kernel had no room for."""
    with daemon(xray) as program:
        send(program, *[segment(number, text="x" * 900) for number in range(5_000)])
        until(lambda: len(delivered(xray)) + kernel_drops(program) == 5_000)

    assert len(delivered(xray)) == len(set(delivered(xray)))


def test_an_outage_loses_nothing(xray: FakeServer) -> None:
    """Segments that come while X-Ray is down are sent when it is back."""
    xray.down()
    with daemon(xray) as program:
        send(program, *[segment(number) for number in range(600)])
        until(lambda: program.printed("Sending segment batch failed with: [Errno 111] Connection refused"))
        xray.up()
        until(lambda: len(delivered(xray)) == 600)

    assert sorted(segment(number) for number in range(600)) == sorted(delivered(xray))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failures_that_pass_are_retried(xray: FakeServer, status: int) -> None:
    """A batch that X-Ray throttles or fails on is sent again until it is taken."""
    replies: list[Reply] = [(status, b'{"message":"later"}')] * 3
    xray.answer = lambda _: replies.pop() if replies else _OK
    with daemon(xray) as program:
        send(program, segment(1))
        until(lambda: program.printed("Successfully sent batch of 1 segments"))

        assert program.printed(f"[Error] Sending segment batch failed with: status {status}")
    assert [segment(1)] * 4 == delivered(xray)


def test_a_call_without_an_answer_is_made_again(xray: FakeServer) -> None:
    """After two seconds without an answer the batch is sent once more."""
    hanging = threading.Event()
    xray.answer = lambda _: (hanging.wait(20), _OK)[1] if len(xray.received) == 1 else _OK
    with daemon(xray) as program:
        send(program, segment(1))
        until(lambda: program.printed("Successfully sent batch of 1 segments"))
        hanging.set()

        assert program.printed("[Error] Sending segment batch failed with: timeout")
    assert [segment(1)] * 2 == delivered(xray)


def test_a_kept_connection_that_was_closed(xray: FakeServer, tmp_path: Path) -> None:
    """X-Ray may close a connection between two batches: the next one goes over a new one, and nothing is logged."""
    xray.hangs_up = True
    one_sender = tmp_path / "cfg.yaml"
    one_sender.write_text("Version: 2\nConcurrency: 1\n", encoding="utf-8")
    with daemon(xray, "-c", str(one_sender)) as program:
        send(program, segment(1))
        until(lambda: program.printed("Successfully sent"))
        send(program, segment(2))
        until(lambda: len(delivered(xray)) == 2)

        assert not program.printed("[Error]")


def test_what_x_ray_refuses_is_not_sent_again(xray: FakeServer) -> None:
    """A batch that ends in an error of the client's is logged and given up; the next one is sent."""
    replies: list[Reply] = [(400, b'{"__type":"InvalidRequestException"}')]
    xray.answer = lambda _: replies.pop() if replies else _OK
    with daemon(xray) as program:
        send(program, segment(1))
        until(lambda: program.printed("InvalidRequestException"))
        send(program, segment(2))
        until(lambda: program.printed("Successfully sent batch of 1 segments"))

    assert [segment(1), segment(2)] == delivered(xray)


def test_unprocessed_segments_are_told_of(xray: FakeServer) -> None:
    """A segment that X-Ray can't use is logged with its trace, and not sent again."""
    refused = {"Id": f"{2:016x}", "ErrorCode": "ParseError", "Message": "bad"}
    xray.answer = lambda _: (200, json.dumps({"UnprocessedTraceSegments": [refused]}).encode())
    with daemon(xray) as program:
        send(program, segment(1), segment(2))
        until(lambda: program.printed("Unprocessed trace"))
        program.ask_to_stop()
        program.ended()

        assert program.printed("[Info] Sent batch of 2 segments but had 1 Unprocessed segments")
        assert program.printed(f"[Error] Unprocessed trace 1-5759e988-{2:024x}, segment: {json.dumps(refused)}")
    assert [segment(1), segment(2)] == delivered(xray)


def test_eight_calls_at_once(xray: FakeServer) -> None:
    """A slow X-Ray has eight calls of the daemon's at once, never more."""
    go = threading.Event()
    xray.answer = lambda _: (go.wait(20), _OK)[1]
    with daemon(xray) as program:
        send(program, *[segment(number) for number in range(600)])
        until(lambda: len(xray.received) >= 8)
        until(lambda: program.printed("timeout"))
        at_once = {call.body for call in xray.received}
        go.set()
        until(lambda: len(set(delivered(xray))) == 600)

    assert 8 == len(at_once)


def test_a_full_buffer_drops_the_oldest(xray: FakeServer) -> None:
    """With X-Ray down for long the newest 3 MB are kept, and the log tells how many are gone."""
    xray.down()
    with daemon(xray, "-m", "3") as program:
        # The first eight batches are in the senders' hands; then come 150 of 40 KB, of which 3 MB hold 78.
        send(program, *[segment(number) for number in range(400)])
        until(lambda: sum("Connection refused" in line for line in program.lines) >= 8)
        for number in range(400, 550):
            send(program, segment(number, text="x" * (40_000 - len(segment(number, text="")))))
        until(lambda: program.printed("Segment buffer is full."))
        xray.up()
        until(lambda: len(delivered(xray)) == 478)
        program.ask_to_stop()
        program.ended()

    numbers = sorted(int(json.loads(document)["id"], 16) for document in delivered(xray))
    assert [*range(400), *range(472, 550)] == numbers
    counts = [re.search(r"Dropping oldest segment documents: (\d+)", line) for line in program.lines]
    assert 72 == sum(int(match[1]) for match in counts if match)


def test_the_end_waits_for_what_came_before(xray: FakeServer) -> None:
    """SIGTERM right after the segments: all of them are sent, and the daemon ends quietly, with its last report."""
    with daemon(xray) as program:
        send(program, *[segment(number) for number in range(70)])
        program.ask_to_stop()

        code, _ = program.ended()
    assert 0 == code
    assert 70 == len(set(delivered(xray)))
    (report,) = xray.called(_TELEMETRY)
    (record,) = report.document["TelemetryRecords"]
    assert [70, 70, 0, 0] == [record[f"Segments{what}Count"] for what in ("Received", "Sent", "Rejected", "Spillover")]
    assert not [line for line in program.lines if "Error" in line or "Traceback" in line]


def test_the_end_does_not_wait_for_ever(xray: FakeServer) -> None:
    """With X-Ray down the daemon ends all the same, and says how many segments are lost."""
    xray.down()
    with daemon(xray) as program:
        send(program, segment(1), segment(2))
        until(lambda: program.printed("Connection refused"))
        program.ask_to_stop()
        code, seconds = program.ended()

    assert 0 == code
    assert seconds < 4
    assert program.printed("[Error] Ending with 2 segments that X-Ray did not take")


def test_an_idle_daemon_ends_at_once(xray: FakeServer) -> None:
    """Without segments there is nothing to send: no call, no report."""
    with daemon(xray) as program:
        program.ask_to_stop()
        code, seconds = program.ended()

    assert 0 == code
    assert seconds < 1
    assert [] == xray.received


def proxied(program: Program, method: str, path: str, body: str = "{}") -> tuple[int, bytes]:
    with program.connected(_PORT) as connection:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()


@pytest.mark.parametrize("path", ["/GetSamplingRules", "/SamplingTargets"])
def test_sampling_is_proxied(xray: FakeServer, path: str) -> None:
    """SDKs ask over TCP without credentials; the daemon signs, and hands back X-Ray's answer."""
    xray.answer = lambda call: (200, b'{"asked":' + call.body + b"}")
    with daemon(xray) as program:
        assert (200, b'{"asked":{"NextToken":null}}') == proxied(program, "POST", path, '{"NextToken":null}')
    (call,) = xray.called(path)

    assert "Credential=AKIAEXAMPLE/" in call.headers["authorization"]
    assert "/eu-west-1/xray/aws4_request" in call.headers["authorization"]


def test_x_rays_refusal_is_handed_back(xray: FakeServer) -> None:
    """The proxy passes any path on, as the original does; X-Ray says that it knows none of the kind."""
    xray.answer = lambda call: (404, b'{"message":"' + call.target.encode() + b'"}')
    with daemon(xray) as program:
        assert (404, b'{"message":"/Nothing?a=b"}') == proxied(program, "GET", "/Nothing?a=b", "")


def test_sampling_without_x_ray(xray: FakeServer) -> None:
    """The SDK gets 502 while X-Ray is down, and the log has the reason."""
    xray.down()
    with daemon(xray) as program:
        assert (502, b"") == proxied(program, "POST", "/GetSamplingRules")
        assert program.printed("[Error] http: proxy error: [Errno 111] Connection refused")


def test_a_role_is_assumed(xray: FakeServer) -> None:
    """With a role the daemon signs with the role's credentials, which it asks for once."""
    keys = {"AccessKeyId": "ASIAROLE", "SecretAccessKey": "other", "SessionToken": "of-the-role"}
    sts = "".join(f"<{name}>{value}</{name}>" for name, value in keys.items()).encode()
    xray.answer = lambda call: (200, sts) if call.target == "/" else _OK
    with daemon(xray, "-r", "arn:aws:iam::123456789012:role/tracing") as program:
        send(program, *[segment(number) for number in range(100)])
        until(lambda: len(delivered(xray)) == 100)
    (asked,) = xray.called("/")

    assert b"RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Ftracing" in asked.body
    assert {"of-the-role"} == {call.headers["x-amz-security-token"] for call in xray.called(_SEGMENTS)}


def test_a_proxy_on_the_way(xray: FakeServer) -> None:
    """With -p the calls go to the proxy, with X-Ray's address in the request line."""
    with FakeServer(lambda _: _OK) as proxy, daemon(xray, "-p", proxy.url) as program:
        send(program, segment(1))
        until(lambda: proxy.received)

    assert f"{xray.url}{_SEGMENTS}" == proxy.received[0].target
    assert [] == xray.received


def test_the_api_model_knows_every_member(xray: FakeServer) -> None:
    """What the daemon reports of itself has the members of X-Ray's own service model, no others."""
    from botocore.session import Session  # noqa: PLC0415 - slow to import, and used here alone

    with daemon(xray, "-a", "arn:aws:ecs:eu-west-1:123456789012:task/x") as program:
        send(program, segment(1))
        program.ask_to_stop()
        program.ended()
    (report,) = xray.called(_TELEMETRY)
    shape: Any = Session().get_service_model("xray").operation_model("PutTelemetryRecords").input_shape
    record = shape.members["TelemetryRecords"].member

    assert set(shape.members) == set(report.document)
    assert set(record.members) == set(report.document["TelemetryRecords"][0])
    errors = record.members["BackendConnectionErrors"]
    assert set(errors.members) == set(report.document["TelemetryRecords"][0]["BackendConnectionErrors"])
