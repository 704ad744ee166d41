"""The run as a trace: what it is made of, and how it is sent, to receivers that speak HTTP."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from automation import runtrace, spans, telemetry
from automation.events import Progress
from automation.report import Report
from automation.run import Row, State
from automation.session import Session
from automation.spans import Span
from automation.steps import Step
from automation.timings import Timed
from tests.automation.fakes import fake_session
from tests.automation.test_events import observed, step
from traces.documents import readable, trace
from traces.model import RUN

NOW = 1_790_000_000.0  # seconds since the epoch
TRACE = "1-6ab13b80-0123456789abcdef01234567"
TASK = "aws:ecs/taskDefinition:TaskDefinition"


class Receiver:
    """A server on loopback that keeps what is posted, and answers as it is told."""

    def __init__(self, status: int = 200, answer: bytes = b"{}") -> None:
        self.status, self.answer = status, answer
        self.posted: list[tuple[str, bytes]] = []  # path and body
        self.held = threading.Event()  # answers wait for this
        self.held.set()
        self.url = ""

    @contextmanager
    def serving(self) -> Iterator["Receiver"]:
        """Answer on a port of its own."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posted.append((self.path, body))
                receiver.held.wait(30)
                self.send_response(receiver.status)
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            self.held.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def segments(self) -> list[Any]:
        """The documents of PutTraceSegments."""
        return [json.loads(text) for _, body in self.posted for text in json.loads(body)["TraceSegmentDocuments"]]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """One that X-Ray's and OTLP's clients both are sent to."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "OTEL_"))]:
        monkeypatch.delenv(name)
    with Receiver().serving() as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
        yield made


def row(service: str, state: State = State.DONE, *needs: str, progress: Progress | None = None) -> Row:
    """A row that was deployed from the first to the third second of the run."""
    made = Row(step=Step(service=service, stack=f"local-{service}", needs=needs), state=state, started=1.0, ended=3.0)
    made.progress = progress or Progress()
    return made


def flipped() -> spans.Run:
    """A platform that was previewed, deployed and verified, and a service that failed."""
    halves = ("create-replacement", "replace", "delete-replaced")
    kinds = ("resourcePreEvent", "resOutputsEvent")
    replaced = observed(*(step(kind, op, TASK, "task") for op in halves for kind in kinds))
    failed = row("crystal", State.FAILED, "platform")
    failed.reason = "AccessDenied"
    return spans.Run(
        about={"run": "20260921T141320-7", "command": "enable", "exit": 1},
        problem="Not finished",
        began=NOW,
        ended=NOW + 10,
        rows=[row("platform", progress=replaced), failed, Row(step=Step(service="kept", stack="local-kept", needs=()))],
        timeline=[
            Timed(name="preview", service="platform", began=NOW, ended=NOW + 1),
            Timed(name="verify", service="platform", began=NOW + 3, ended=NOW + 4),
            Timed(name="review", began=NOW + 5, ended=NOW + 9),
        ],
        wall=NOW,
    )


def tree(span: Span) -> Any:
    return {below.name: tree(below) for below in span.below}


def test_a_run_is_stacks_is_steps_is_resources() -> None:
    """Both halves of a replacement; a stack that nothing was done with is not there."""
    run = spans.of(flipped())

    assert (run.name, tree(run)) == (
        RUN,
        {
            "local-platform": {
                "preview": {},
                "deploy": {
                    "create-replacement ecs.TaskDefinition task": {},
                    "delete-replaced ecs.TaskDefinition task": {},
                },
                "verify": {},
            },
            "local-crystal": {"deploy": {}},
            "review": {},
        },
    )
    platform, crystal, _ = run.below
    assert [(span.began, span.ended) for span in platform.below] == [
        (NOW, NOW + 1), (NOW + 1, NOW + 3), (NOW + 3, NOW + 4)
    ]  # fmt: skip
    assert (platform.problem, crystal.problem, run.problem) == ("", "AccessDenied", "Not finished")


def test_otlp_has_the_tree_at_its_times(receiver: Receiver) -> None:
    """To the path of the standard; each span names its parent, those that failed say why."""
    assert telemetry.send(spans.of(flipped()), TRACE, to="otlp", region="eu-west-1") == ""

    ((path, body),) = receiver.posted
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    received = {span.name: span for scope in resource.scope_spans for span in scope.spans}
    names = {span.span_id: name for name, span in received.items()}
    assert path == "/v1/traces"
    assert {each.key: each.value.string_value for each in resource.resource.attributes}["service.name"] == RUN
    assert {span.trace_id.hex() for span in received.values()} == {runtrace.plain(TRACE)}
    parents = {name: names.get(span.parent_span_id) for name, span in received.items()}
    assert [parents[RUN], parents["review"], parents["verify"]] == [None, RUN, "local-platform"]
    verify = received["verify"]
    assert (verify.start_time_unix_nano, verify.end_time_unix_nano) == (int((NOW + 3) * 1e9), int((NOW + 4) * 1e9))
    assert received["local-crystal"].status.message == "AccessDenied"


def test_xray_has_one_segment_with_the_run_as_annotation(receiver: Receiver) -> None:
    """All else is subsegments, which make no services on the map."""
    assert telemetry.send(spans.of(flipped()), TRACE, to="xray", region="eu-west-1") == ""

    documents = receiver.segments()
    (segment,) = [each for each in documents if each.get("type") != "subsegment"]
    assert segment["annotations"] == {"run": "20260921T141320-7", "command": "enable", "exit": 1}
    assert all("annotations" not in each and "namespace" not in each for each in documents if each is not segment)
    shown = trace(TRACE, readable(map(json.dumps, documents)), duration=None, limit_exceeded=False)
    assert shown is not None
    assert [(depth, part.name) for depth, part in shown.walk()][:4] == [
        (0, RUN), (1, "local-platform"), (2, "preview"), (2, "deploy")
    ]  # fmt: skip
    assert {part.name: part.state for _, part in shown.walk() if part.state != "ok"} == {
        RUN: "fault", "local-crystal": "fault", "deploy": "fault"
    }  # fmt: skip


def test_a_large_run_keeps_to_xrays_limits_and_says_what_is_missing(receiver: Receiver) -> None:
    """At most 50 documents a call and 500 kB a trace: of 300 stacks all are there, and as many steps as fit."""
    resource = Span(name="create aws.Thing " + "x" * 300, began=NOW, ended=NOW)
    deploy = Span(name="deploy", began=NOW, ended=NOW, problem="y" * 100_000, below=[resource] * 10)
    stacks = [Span(name=f"local-{number}", began=NOW, ended=NOW, below=[deploy]) for number in range(300)]
    problem = telemetry.send(Span(name=RUN, began=NOW, ended=NOW, below=stacks), TRACE, to="xray", region="x-1")

    documents = receiver.segments()
    assert problem == "X-Ray takes traces of 450 kB; what lies deepest was left out"
    assert {f"local-{number}" for number in range(300)} < {each["name"] for each in documents}
    assert sum(len(json.dumps(each)) for each in documents) <= 500_000
    assert max(len(json.loads(body)["TraceSegmentDocuments"]) for _, body in receiver.posted) == 50


@pytest.mark.parametrize("to", ["xray", "otlp"])
def test_a_receiver_that_refuses_is_one_remark(receiver: Receiver, to: str, capfd: pytest.CaptureFixture[str]) -> None:
    """And nothing on stderr besides."""
    receiver.status, receiver.answer = 403, b'{"message": "not for you"}'
    problem = telemetry.send(spans.of(flipped()), TRACE, to=to, region="eu-west-1")

    assert {"xray": "AccessDenied", "otlp": "403"}.get(to, "") in problem or "403" in problem
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("to", ["xray", "otlp"])
def test_a_receiver_that_does_not_answer_does_not_hold_the_run_up(
    receiver: Receiver, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sending is given up when its time is over."""
    monkeypatch.setattr(telemetry, "PATIENCE", 0.3)
    receiver.held.clear()
    began = time.monotonic()

    assert telemetry.send(spans.of(flipped()), TRACE, to=to, region="eu-west-1") == "no answer within 0.3 s"
    assert time.monotonic() - began < 3
    receiver.held.set()


def test_what_is_switched_off_is_told(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's own variable says that nothing may be sent, whoever wants it."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    assert "OTEL_SDK_DISABLED" in telemetry.send(spans.of(flipped()), TRACE, to="otlp", region="eu-west-1")
    assert receiver.posted == []


def published(session: Session, wanted: str | None) -> str:
    """What the user is told."""
    report = Report(command="enable", environment="local", rows=[row("platform")])
    runtrace.publish(session, [report], report.to_json(), wanted)
    return str(session.console.file.getvalue())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("in_file", "wanted", "sent"), [(None, None, 0), ("xray", None, 1), ("xray", "off", 0), (None, "xray", 1)]
)
def test_it_is_sent_where_the_file_or_the_option_says_so(
    receiver: Receiver, tmp_path: Path, in_file: str | None, wanted: str | None, sent: int
) -> None:
    """The option comes first, and tells how to see it."""
    with fake_session(tmp_path) as (session, _):
        files = session.environment.files
        files.common = replace(files.common, run_traces=in_file)
        told = published(session, wanted)

    assert len(receiver.posted) == sent
    assert ("python automation/traces.py show 1-00000000-" in told) == bool(sent)


def test_the_traces_id_follows_from_the_runs() -> None:
    """With the time in it that X-Ray wants; another environment's run has another one."""
    one, other = (runtrace.trace_id(name, "20261123T140455-812") for name in ("prod", "local"))

    assert one.split("-")[:2] == ["1", "6b044807"]
    assert (one == other, len(runtrace.plain(one))) == (False, 32)
