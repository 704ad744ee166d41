"""The demo's frontend: the page, its calls to the backends, and its end."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.localaws.program_support import FakeServer, Program, Received, Reply, running
from tests.localaws.support import until

_PLACE = {"LOCALAWS_ZONE": "us-east-1a", "LOCALAWS_PRIVATE_ADDRESS": "10.0.0.103"}
_NODEJS: Reply = 200, b"Node.js backend: Hello! from 10.0.0.101 in AZ-b commit fe183d7\n"
_CRYSTAL: Reply = 200, b"Crystal backend: Hello! from 10.0.0.102 in AZ-c commit ed106ce\n"
_HEADING = '<h2 style="color: LightSkyBlue;">Rails frontend: Hello! from 10.0.0.103 in AZ-a running 776fd50</h2>'
_GREEN = '<h2 style="color: LightGreen;">Node.js backend: Hello! from 10.0.0.101 in AZ-b commit fe183d7</h2>'
_AMBER = '<h2 style="color: #FFC200;">Crystal backend: Hello! from 10.0.0.102 in AZ-c commit ed106ce</h2>'


@pytest.fixture
def nodejs() -> Iterator[FakeServer]:
    with FakeServer(lambda _: _NODEJS) as server:
        yield server


@pytest.fixture
def crystal() -> Iterator[FakeServer]:
    with FakeServer(lambda _: _CRYSTAL) as server:
        yield server


@contextmanager
def frontend(nodejs: FakeServer, crystal: FakeServer, **variables: str) -> Iterator[Program]:
    urls = {"NODEJS_URL": nodejs.url, "CRYSTAL_URL": f"{crystal.url}/crystal"}
    with running("frontend", **(_PLACE | urls | variables)) as program:
        yield program


def get(program: Program, path: str = "/", **headers: str) -> tuple[int, str | None, str]:
    """Return status, content type and body."""
    with program.connected() as connection:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type"), response.read().decode()


def test_page(nodejs: FakeServer, crystal: FakeServer) -> None:
    """Heading, Node.js' text in green, Crystal's in amber, the picture named by the zones, the reload after 50 ms."""
    with frontend(nodejs, crystal) as program:
        status, content_type, body = get(program)

    assert (200, "text/html; charset=utf-8") == (status, content_type)
    assert [_HEADING, _GREEN, _AMBER] == re.findall("<h2.*</h2>", body)
    assert ["a-b-c.svg"] == re.findall('<svg id="([^"]*)"', body)
    assert re.search(r"onload = .*setTimeout\(.*reload.*, 50\)", body)


@pytest.mark.parametrize("reply", [(500, b"no"), (404, b"no"), (204, b"")])
def test_a_failing_backend_is_hidden(nodejs: FakeServer, crystal: FakeServer, reply: Reply) -> None:
    """Any status but 200 hides the backend's line; the page answers 200, and the other backend is shown."""
    nodejs.answer = lambda _: reply
    with frontend(nodejs, crystal) as program:
        status, _, body = get(program)

    assert 200 == status
    assert [_HEADING, _AMBER] == re.findall("<h2.*</h2>", body)
    assert ["a-N-c.svg"] == re.findall('<svg id="([^"]*)"', body)


def test_backends_that_are_down(nodejs: FakeServer, crystal: FakeServer) -> None:
    """With nobody there the page still answers 200, and the log has each reason."""
    nodejs.down()
    crystal.down()
    with frontend(nodejs, crystal) as program:
        status, _, body = get(program)
        until(lambda: program.printed(f"GET {crystal.url}/crystal: [Errno 111] Connection refused"))

        assert program.printed(f"GET {nodejs.url}: [Errno 111] Connection refused")
    assert 200 == status
    assert [_HEADING] == re.findall("<h2.*</h2>", body)
    assert ["a-N-N.svg"] == re.findall('<svg id="([^"]*)"', body)


def test_a_slow_backend(nodejs: FakeServer, crystal: FakeServer) -> None:
    """A backend that takes more than two seconds counts as none."""
    done = threading.Event()
    nodejs.answer = lambda _: (done.wait(20), _NODEJS)[1]
    with frontend(nodejs, crystal) as program:
        status, _, body = get(program)
        done.set()

    assert 200 == status
    assert [_HEADING, _AMBER] == re.findall("<h2.*</h2>", body)


def test_calls_are_made_as_by_rails(nodejs: FakeServer, crystal: FakeServer) -> None:
    """Whole URL in the request line, Ruby's user agent, from the task's address, no header of the client's."""
    with frontend(nodejs, crystal) as program:
        get(program, X_Amzn_Trace_Id="Root=1-5759e988-bd862e3fe1be46a994272793", Cookie="a=b")
    (first,), (second,) = nodejs.received, crystal.received

    assert ["GET", nodejs.url] == [first.method, first.target]
    assert ["GET", f"{crystal.url}/crystal"] == [second.method, second.target]
    assert {"accept": "*/*", "user-agent": "Ruby", "host": nodejs.url.removeprefix("http://")} == first.headers
    assert program.address == first.peer


def test_calls_are_made_in_turn(nodejs: FakeServer, crystal: FakeServer) -> None:
    """Crystal is asked only when Node.js has answered, for every page anew."""
    order: list[str] = []

    def answer(name: str, reply: Reply) -> Reply:
        order.append(f"{name} is asked, {len(crystal.received)} asked of crystal")
        return reply

    nodejs.answer = lambda _: answer("nodejs", _NODEJS)
    crystal.answer = lambda _: answer("crystal", _CRYSTAL)
    with frontend(nodejs, crystal) as program:
        get(program)
        get(program)

    assert [
        "nodejs is asked, 0 asked of crystal",
        "crystal is asked, 1 asked of crystal",
        "nodejs is asked, 1 asked of crystal",
        "crystal is asked, 2 asked of crystal",
    ] == order


def test_the_trace_header_is_forwarded_where_asked(nodejs: FakeServer, crystal: FakeServer) -> None:
    """With FORWARD_TRACE_HEADER=1 both calls carry the client's header; without one they carry none."""
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    with frontend(nodejs, crystal, FORWARD_TRACE_HEADER="1") as program:
        get(program, X_Amzn_Trace_Id=header)
        get(program)

    for backend in (nodejs, crystal):
        assert [header, None] == [call.headers.get("x-amzn-trace-id") for call in backend.received]


def test_calls_go_through_the_tasks_envoy(nodejs: FakeServer, crystal: FakeServer) -> None:
    """With http_proxy both calls go there with the backend's name, which nobody has to look up."""

    def mesh(call: Received) -> Reply:
        return _NODEJS if "nodejs" in call.target else _CRYSTAL

    urls = {
        "NODEJS_URL": "http://ecsdemo-nodejs.service.local:3000",
        "CRYSTAL_URL": "http://ecsdemo-crystal.service.local:3000/crystal",
    }
    with FakeServer(mesh, port=15001) as envoy, frontend(nodejs, crystal, http_proxy=envoy.url, **urls) as program:
        _, _, body = get(program)

    assert [_HEADING, _GREEN, _AMBER] == re.findall("<h2.*</h2>", body)
    assert [*urls.values()] == [call.target for call in envoy.received]
    hosts = ["ecsdemo-nodejs.service.local:3000", "ecsdemo-crystal.service.local:3000"]
    assert hosts == [call.headers["host"] for call in envoy.received]


@pytest.mark.parametrize("url", ["http://10.0.0.1:3000", "http://example.com", "https://127.0.0.1", "", "no URL"])
def test_only_loopback_is_called(nodejs: FakeServer, crystal: FakeServer, url: str) -> None:
    """A backend anywhere else counts as none, and is neither called nor looked up."""
    with frontend(nodejs, crystal, NODEJS_URL=url) as program:
        status, _, body = get(program)
        until(lambda: program.printed(f"GET {url}: "))

    assert 200 == status
    assert [_HEADING, _AMBER] == re.findall("<h2.*</h2>", body)


def test_a_proxy_elsewhere(nodejs: FakeServer, crystal: FakeServer) -> None:
    """A proxy that is not on loopback ends the application with one line."""
    given = {"NODEJS_URL": nodejs.url, "CRYSTAL_URL": crystal.url, "http_proxy": "http://proxy.example.com:3128"}
    with running("frontend", port="", **given) as program:
        assert 1 == program.process.returncode
        reason = (
            "Error: http_proxy: proxy.example.com is not in 127.0.0.0/8, the only network that localaws' tasks have"
        )
        assert [reason] == program.lines


def test_localhost_is_the_task(crystal: FakeServer) -> None:
    """A backend at localhost is one in the same task."""
    nodejs = FakeServer(lambda _: _NODEJS, port=3001)
    address = nodejs.endpoint[0]
    with (
        nodejs,
        frontend(nodejs, crystal, LOCALAWS_TASK_ADDRESS=address, NODEJS_URL="http://localhost:3001/") as program,
    ):
        _, _, body = get(program)

    assert [_HEADING, _GREEN, _AMBER] == re.findall("<h2.*</h2>", body)


def test_backends_are_written_as_text(nodejs: FakeServer, crystal: FakeServer) -> None:
    """What a backend says is text: its angle brackets are shown, not interpreted; no zone, no picture."""
    nodejs.answer = lambda _: (200, "<script>ä".encode())
    with frontend(nodejs, crystal) as program:
        _, _, body = get(program)

    assert '<h2 style="color: LightGreen;">&lt;script&gt;ä</h2>' in body
    assert "<svg" not in body


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/health", (200, "text/plain; charset=utf-8", "OK")),
        ("/nothing", (404, "text/html; charset=utf-8", "<h1>The page you were looking for doesn't exist.</h1>\n")),
    ],
)
def test_other_paths(nodejs: FakeServer, crystal: FakeServer, path: str, expected: tuple[int, str, str]) -> None:
    """Health says OK, anything else is not found, and no backend is asked."""
    with frontend(nodejs, crystal) as program:
        assert expected == get(program, path)
    assert [] == [*nodejs.received, *crystal.received]


def test_the_end_finishes_what_was_begun(nodejs: FakeServer, crystal: FakeServer) -> None:
    """A page that is being made when SIGTERM comes is answered, as is one on a kept connection; then they close."""
    never = threading.Event()
    nodejs.answer = lambda _: (never.wait(1.5), _NODEJS)[1]
    with frontend(nodejs, crystal) as program, program.connected() as kept, program.connected() as begun:
        kept.request("GET", "/health")
        response = kept.getresponse()
        assert (b"OK", None) == (response.read(), response.getheader("Connection"))
        begun.request("GET", "/")
        until(lambda: nodejs.received)

        program.ask_to_stop()
        until(lambda: _refuses(program))
        kept.request("GET", "/health")
        assert "close" == kept.getresponse().getheader("Connection")
        response = begun.getresponse()
        assert (200, "close") == (response.status, response.getheader("Connection"))
        assert [_HEADING, _GREEN, _AMBER] == re.findall("<h2.*</h2>", response.read().decode())
        assert 0 == program.ended()[0]


def _refuses(program: Program) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((program.address, 3000)) != 0
