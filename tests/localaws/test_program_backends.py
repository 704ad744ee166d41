"""The demo's crystal and nodejs applications, as reference.md section 6 describes them."""

import http.client
import json
import re
import signal

import pytest

from tests.localaws.program_support import Program, new_address, running
from tests.localaws.support import until

_PLACE = {"LOCALAWS_ZONE": "us-east-1b", "LOCALAWS_PRIVATE_ADDRESS": "10.0.0.101"}
_NODEJS = "Node.js backend: Hello! from 10.0.0.101 in AZ-b commit fe183d7\n"
_CRYSTAL = "Crystal backend: Hello! from 10.0.0.101 in AZ-b commit ed106ce\n"
_EXPRESS_404 = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n<body>\n'
    "<pre>Cannot {} {}</pre>\n</body>\n</html>\n"
)
_TEXT = "text/plain; charset=utf-8"
_PAGE = "text/html; charset=utf-8"


def ask(program: Program, method: str, path: str, port: int = 3000) -> tuple[int, str | None, str]:
    """Return status, content type and body."""
    with program.connected(port) as connection:
        return asked(connection, method, path)


def asked(
    connection: http.client.HTTPConnection, method: str, path: str, body: str = ""
) -> tuple[int, str | None, str]:
    """Return status, content type and body."""
    connection.request(method, path, body or None, {"User-Agent": "tests", "Referer": "here"})
    response = connection.getresponse()
    return response.status, response.getheader("Content-Type"), response.read().decode()


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", (200, _TEXT, _NODEJS)),
        ("GET", "/nodejs", (200, _TEXT, _NODEJS)),
        ("GET", "/nodejs?a=b", (200, _TEXT, _NODEJS)),
        ("GET", "http://ecsdemo-nodejs.service.local:3000", (200, _TEXT, _NODEJS)),
        ("HEAD", "/", (200, _TEXT, "")),
        ("POST", "/", (404, _PAGE, _EXPRESS_404.format("POST", "/"))),
        ("GET", "/crystal", (404, _PAGE, _EXPRESS_404.format("GET", "/crystal"))),
        ("GET", "/<b>", (404, _PAGE, _EXPRESS_404.format("GET", "/&lt;b&gt;"))),
        ("GET", "/healthy", (404, _PAGE, _EXPRESS_404.format("GET", "/healthy"))),
    ],
)
def test_nodejs(method: str, path: str, expected: tuple[int, str, str]) -> None:
    """Greetings as text, else Express's 404."""
    with running("nodejs", **_PLACE) as program:
        assert expected == ask(program, method, path)


def test_nodejs_documents() -> None:
    """The greeting as a document, its hash with the file's newline; health with the uptime, whatever the method."""
    with running("nodejs", **_PLACE) as program:
        status, content_type, body = ask(program, "GET", "/nodejs/api")
        assert (200, "application/json; charset=utf-8") == (status, content_type)
        assert {"from": "Node.js backend", "message": "10.0.0.101 in AZ-b", "commit": "fe183d7\n"} == json.loads(body)

        for method, path in (("GET", "/health"), ("POST", "/health"), ("DELETE", "/health/deep")):
            status, content_type, body = ask(program, method, path)
            assert (200, "application/json; charset=utf-8") == (status, content_type)
            assert ["uptime"] == list(json.loads(body))
            assert isinstance(json.loads(body)["uptime"], float)


def test_nodejs_log() -> None:
    """Each request is one line in Apache's combined format; the start tells hash, address and zone."""
    with running("nodejs", **_PLACE) as program:
        ask(program, "GET", "/nodejs?a=b")
        until(lambda: program.printed("/nodejs"))

        assert program.printed("The IPADDRESS is: 10.0.0.101")
        assert program.printed("The message is: 10.0.0.101 in AZ-b")
        assert program.printed("Example app listening on port 3000!")
        assert re.fullmatch(
            r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /nodejs\?a=b HTTP/1\.1" '
            rf'200 {len(_NODEJS)} "here" "tests"',
            program.lines[-1],
        )


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/crystal", (200, "text/plain", _CRYSTAL)),
        ("GET", "/crystal/", (200, "text/plain", _CRYSTAL)),
        ("DELETE", "/crystal?a=b", (200, "text/plain", _CRYSTAL)),
        ("POST", "/health", (200, "text/plain", "Healthy!")),
        ("GET", "/", (404, "text/plain", "Not Found\n")),
        ("GET", "/health/", (404, "text/plain", "Not Found\n")),
    ],
)
def test_crystal(method: str, path: str, expected: tuple[int, str, str]) -> None:
    """Greetings and health as text, whatever the method, else 404."""
    with running("crystal", **_PLACE) as program:
        assert expected == ask(program, method, path)


@pytest.mark.parametrize("path", ["/crystal/api", "/crystal/api/"])
def test_crystal_document(path: str) -> None:
    """The greeting as a document, its hash without the newline."""
    with running("crystal", **_PLACE) as program:
        status, content_type, body = ask(program, "GET", path)

    assert (200, "application/json") == (status, content_type)
    assert {"from": "Crystal backend", "message": "10.0.0.101 in AZ-b", "commit": "ed106ce"} == json.loads(body)


def test_crystal_log() -> None:
    """Each request is one line, as Crystal's log handler writes it."""
    with running("crystal", **_PLACE) as program:
        ask(program, "GET", "/nothing?a=b")
        until(lambda: program.printed("/nothing"))

        assert "Listening on http://0.0.0.0:3000" == program.lines[0]
        assert re.fullmatch(r"GET /nothing\?a=b - 404 \(\d+\.\d\dµs\)", program.lines[-1])


@pytest.mark.parametrize(
    ("variables", "greeting"),
    [
        ({"AZ": "here", "IP": "1.2.3.4", "CODE_HASH": "abc\n"}, "here commit abc\n"),
        ({"LOCALAWS_PRIVATE_ADDRESS": "10.0.0.7"}, "10.0.0.7 in AZ-unknown commit ed106ce\n"),
    ],
)
def test_the_containers_environment_comes_first(variables: dict[str, str], greeting: str) -> None:
    """AZ and CODE_HASH of the task definition win; without a zone the text says so."""
    with running("crystal", port="8080", PORT="8080", **variables) as program:
        _, _, body = ask(program, "GET", "/crystal", 8080)

    assert f"Crystal backend: Hello! from {greeting}" == body


def test_connections_are_kept() -> None:
    """One connection takes many requests, with bodies and without; a client can close it by asking to."""
    with running("crystal", **_PLACE) as program, program.connected() as connection:
        assert 200 == asked(connection, "GET", "/health")[0]
        kept = connection.sock
        assert 404 == asked(connection, "PUT", "/nothing", "x" * 100_000)[0]
        assert 200 == asked(connection, "GET", "/crystal")[0]
        assert connection.sock is kept

        connection.request("GET", "/health", headers={"Connection": "close"})
        assert "close" == connection.getresponse().getheader("Connection")


@pytest.mark.parametrize("name", ["crystal", "nodejs", "frontend"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_is_quiet(name: str, number: int) -> None:
    """SIGTERM and SIGINT end an application within a second, kept connections or not, without a word."""
    with running(name) as program, program.connected() as connection:
        asked(connection, "GET", "/health")
        printed = len(program.lines)
        program.ask_to_stop(number)
        code, seconds = program.ended()

        assert 0 == code
        assert seconds < 1
        assert [] == [line for line in program.lines[printed:] if "/health" not in line]


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"PORT": "http"}, "Error: PORT must be a port from 1 to 65535, not 'http'; change it in the task definition"),
        ({"LOCALAWS_TASK_ADDRESS": "0.0.0.0"}, "Error: LOCALAWS_TASK_ADDRESS: 0.0.0.0 is not in 127.0.0.0/8"),
        ({"LOCALAWS_TASK_ADDRESS": "127.0.0.256"}, "Error: LOCALAWS_TASK_ADDRESS: 127.0.0.256 is not in 127.0.0.0/8"),
    ],
)
def test_mistakes_are_one_error(variables: dict[str, str], reason: str) -> None:
    """A bad port or address ends an application with code 1 and one line."""
    with running("crystal", port="", **variables) as program:
        assert 1 == program.process.returncode
        assert [reason] == [line[: len(reason)] for line in program.lines]


def test_an_address_in_use() -> None:
    """A second application on a port ends with one line."""
    given = {"LOCALAWS_TASK_ADDRESS": new_address()}
    with running("crystal", **given) as first, running("nodejs", port="", **given) as second:
        assert 1 == second.process.returncode
        assert f"Error: can't listen at {first.address}:3000: Address already in use" == second.lines[-1]


def test_a_broken_request() -> None:
    """A client that writes nonsense gets 400, and the application goes on."""
    with running("crystal") as program:
        with program.connected() as connection:
            connection.putrequest("GET", "/crystal")
            connection.putheader("Content-Length", "many")
            connection.endheaders()
            assert 400 == connection.getresponse().status
        assert 200 == ask(program, "GET", "/crystal")[0]
        assert not program.printed("Traceback")
