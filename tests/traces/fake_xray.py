"""An X-Ray on loopback that pages, and fails in every way that a test asks for.

It speaks REST-JSON on the three paths that a review reads. What it answers is computed from single calls, one second
and one trace each, so that any range may be asked for.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

from traces.calling import Caller
from traces.fetch import Progress, XRay

GRAPH, SUMMARIES, TRACES = "/ServiceGraph", "/TraceSummaries", "/Traces"

Body = dict[str, Any]


class Answer(NamedTuple):
    """An answer in place of the right one."""

    status: int
    body: bytes
    code: str = ""


def refusal(status: int, code: str, message: str = "because") -> Answer:
    return Answer(status, json.dumps({"message": message}).encode(), code)


THROTTLED = refusal(429, "ThrottledException", "Rate exceeded")
BROKEN = refusal(500, "InternalFailure")
GARBAGE = Answer(200, b"<html>no JSON</html>")
BAD_TOKEN = refusal(400, "InvalidRequestException", "Invalid NextToken")
DENIED = refusal(403, "AccessDeniedException", "User: arn:aws:iam::123456789012:user/eve is not authorized")


class Call(NamedTuple):
    """One request from a client or a service to another, traced."""

    at: int
    source: str  # "" for a client
    target: str
    milliseconds: int
    status: int

    @property
    def trace_id(self) -> str:
        return f"1-{self.at:08x}-{abs(hash((self.source, self.target, self.milliseconds))):024x}"[:35]


@dataclass
class FakeXRay:
    """What it knows, how it pages, and what it does instead of answering."""

    calls: list[Call] = field(default_factory=list)
    documents: dict[str, list[str]] = field(default_factory=dict)  # of traces, by id
    page: int = 1000
    trouble: Callable[[str, Body], Answer | None] = lambda _path, _body: None
    hangs: Callable[[str, Body], bool] = lambda _path, _body: False
    unprocessed: Callable[[str], bool] = lambda _trace_id: False
    asked: list[tuple[str, Body]] = field(default_factory=list)
    most_at_once: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    endpoint: str = ""
    _at_once: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def asked_for(self, path: str) -> list[Body]:
        return [body for at, body in self.asked if at == path]

    def answer(self, path: str, body: Body) -> Answer:
        with self._guard:
            self.asked.append((path, body))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            trouble = self.trouble(path, body)
        try:
            if self.hangs(path, body):
                self.released.wait(60)
            return trouble or Answer(200, json.dumps(self._right(path, body)).encode())
        finally:
            with self._guard:
                self._at_once -= 1

    def _right(self, path: str, body: Body) -> Body:
        if path == GRAPH:
            return self._paged("Services", self._services(self._within(body)), body)
        if path == SUMMARIES:
            newest_first = sorted(self._within(body), reverse=True)
            return self._paged("TraceSummaries", [self._summary(call) for call in newest_first], body)
        wanted: list[str] = body["TraceIds"]
        assert len(wanted) <= 5
        told = [self._trace(one) for one in wanted if one in self.documents and not self.unprocessed(one)]
        return {
            **self._paged("Traces", told, body),
            "UnprocessedTraceIds": [one for one in wanted if self.unprocessed(one)],
        }

    def _within(self, body: Body) -> list[Call]:
        return [call for call in self.calls if body["StartTime"] <= call.at < body["EndTime"]]

    def _paged(self, name: str, entries: list[Any], body: Body) -> Body:
        start = int(body.get("NextToken", "0"))
        more = {"NextToken": str(start + self.page)} if start + self.page < len(entries) else {}
        return {name: entries[start : start + self.page], **more}

    def _services(self, calls: list[Call]) -> list[Body]:
        names = sorted({call.target for call in calls} | {call.source for call in calls if call.source})
        clients = sorted({call.target for call in calls if not call.source})
        numbers = {name: number for number, name in enumerate([*names, *(f"client {name}" for name in clients)])}
        services: list[Body] = []
        for name in names:
            served = [call for call in calls if call.target == name]
            services.append(
                {
                    "ReferenceId": numbers[name],
                    "Name": name,
                    "Type": "AWS::AppMesh::Proxy",
                    "SummaryStatistics": _statistics(served),
                    "DurationHistogram": _histogram(served),
                    "Edges": self._edges([call for call in calls if call.source == name], numbers),
                }
            )
        for name in clients:
            edges = self._edges([call for call in calls if not call.source and call.target == name], numbers)
            services.append({"ReferenceId": numbers[f"client {name}"], "Name": name, "Type": "client", "Edges": edges})
        return services

    @staticmethod
    def _edges(calls: list[Call], numbers: dict[str, int]) -> list[Body]:
        by_target: dict[str, list[Call]] = {}
        for call in calls:
            by_target.setdefault(call.target, []).append(call)
        return [
            {
                "ReferenceId": numbers[target],
                "SummaryStatistics": _statistics(made),
                "ResponseTimeHistogram": _histogram(made),
            }
            for target, made in by_target.items()
        ]

    @staticmethod
    def _summary(call: Call) -> Body:
        return {
            "Id": call.trace_id,
            "StartTime": call.at,
            "Duration": call.milliseconds / 1000,
            "ResponseTime": call.milliseconds / 1000,
            "HasFault": call.status >= 500,
            "HasError": 400 <= call.status < 500,
            "HasThrottle": call.status == 429,
            "ServiceIds": [{"Name": call.target, "Type": "AWS::AppMesh::Proxy"}],
            "Http": {"HttpURL": f"http://{call.target}/", "HttpStatus": call.status, "HttpMethod": "GET"},
        }

    def _trace(self, trace_id: str) -> Body:
        segments = [{"Id": f"{number:016x}", "Document": text} for number, text in enumerate(self.documents[trace_id])]
        return {"Id": trace_id, "Duration": 0.1, "Segments": segments}


def _statistics(calls: list[Call]) -> Body:
    throttled = sum(call.status == 429 for call in calls)
    errors = sum(400 <= call.status < 500 for call in calls)
    faults = sum(call.status >= 500 for call in calls)
    return {
        "OkCount": len(calls) - errors - faults,
        "ErrorStatistics": {"ThrottleCount": throttled, "OtherCount": errors - throttled, "TotalCount": errors},
        "FaultStatistics": {"OtherCount": faults, "TotalCount": faults},
        "TotalCount": len(calls),
        "TotalResponseTime": sum(call.milliseconds for call in calls) / 1000,
    }


def _histogram(calls: list[Call]) -> list[Body]:
    counts: dict[int, int] = {}
    for call in calls:
        counts[call.milliseconds] = counts.get(call.milliseconds, 0) + 1
    return [{"Value": milliseconds / 1000, "Count": number} for milliseconds, number in counts.items()]


class _Server(ThreadingHTTPServer):
    request_queue_size = 64  # connections at once; of five, the default, some would be dropped
    daemon_threads = True


@contextmanager
def served(fake: FakeXRay) -> Iterator[FakeXRay]:
    """Serve it on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = fake.answer(self.path, body)
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.body)))
            if answer.code:
                self.send_header("x-amzn-ErrorType", answer.code)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client gave up

    with _Server(("127.0.0.1", 0), Handler) as server:
        fake.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield fake
        finally:
            fake.released.set()
            server.shutdown()


def client_of(endpoint: str, patience: float = 30) -> Any:
    """A client that tries once, and waits so many seconds for an answer."""
    return boto3.client(
        "xray",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(read_timeout=patience, retries={"total_max_attempts": 1}, max_pool_connections=8),
    )


def reader(fake: FakeXRay, progress: Progress = lambda _what, _done, _of: None, patience: float = 30) -> XRay:
    """An X-Ray reader that tries three times more, at once."""
    return XRay(Caller(client_of(fake.endpoint, patience), waits=(0.0, 0.0, 0.0)), progress)
