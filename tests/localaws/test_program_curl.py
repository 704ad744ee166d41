"""The small curl of health checks: its exit codes are curl's."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localaws.program_support import FakeServer, new_address
from tests.localaws.support import ROOT

_CURL = str(ROOT / "localaws" / "programs" / "curl.py")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(lambda call: (int(call.target[1:4]), b"state: LIVE\n"), port=9901) as server:
        yield server


def curl(server: FakeServer, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run it as health checks do, without any package, in the server's task."""
    environment = {"LOCALAWS_TASK_ADDRESS": server.endpoint[0], "PATH": os.defpath}
    command = [sys.executable, "-I", "-S", _CURL, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_this_machine_is_the_task(server: FakeServer, host: str) -> None:
    """A health check's localhost is the task's address; the body goes to standard output."""
    result = curl(server, "-s", f"http://{host}:9901/200?a=b")

    assert (0, "state: LIVE\n", "") == (result.returncode, result.stdout, result.stderr)
    assert ["/200?a=b"] == [call.target for call in server.received]
    assert f"{host}:9901" == server.received[0].headers["host"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["http://localhost:9901/200"], 0),
        (["localhost:9901/200"], 0),
        (["-sf", "http://localhost:9901/200"], 0),
        (["-fsS", "-m", "5", "--connect-timeout", "1", "http://localhost:9901/200"], 0),
        (["-m5", "--max-time", "5", "http://localhost:9901/200"], 0),
        (["-s", "http://localhost:9901/503"], 0),
        (["-sf", "http://localhost:9901/404"], 22),
        (["--fail", "--silent", "http://localhost:9901/503"], 22),
        (["-s", "http://localhost:9902/200"], 7),
        (["-s", "http://10.0.0.1:9901/200"], 6),
        (["-s", "http://example.com/"], 6),
        (["-s", "https://localhost:9901/"], 3),
        (["-s"], 2),
        (["--proxy", "x", "http://localhost:9901/200"], 2),
        (["-m", "soon", "http://localhost:9901/200"], 2),
        (["-so", "/nowhere/file", "http://localhost:9901/200"], 23),
    ],
)
def test_exit_codes(server: FakeServer, arguments: list[str], code: int) -> None:
    """0, bad usage 2, another protocol 3, not on loopback 6, refused 7, an error status under -f 22."""
    result = curl(server, *arguments)

    assert code == result.returncode
    assert "Traceback" not in result.stderr


def test_too_late(server: FakeServer) -> None:
    """-m is for the whole of it: after that, 28."""
    done = threading.Event()
    server.answer = lambda _: (done.wait(20), (200, b""))[1]
    result = curl(server, "-s", "-S", "-m", "0.3", "http://localhost:9901/200")
    done.set()

    assert (28, "curl: (28) Operation timed out after 0.3 s\n") == (result.returncode, result.stderr)


def test_cut_off(server: FakeServer) -> None:
    """A server that hangs up without an answer is 52."""
    server.answer = lambda _: (_ for _ in ()).throw(ConnectionError)
    assert 52 == curl(server, "-s", "http://localhost:9901/200").returncode


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["-f"], "curl: (22) The requested URL returned error: 404\n"),
        (["-f", "-s"], ""),
        (["-f", "-s", "-S"], "curl: (22) The requested URL returned error: 404\n"),
    ],
)
def test_what_is_said(server: FakeServer, flags: list[str], said: str) -> None:
    """-s keeps errors quiet, -S brings them back; under -f an error's body is not printed."""
    result = curl(server, *flags, "http://localhost:9901/404")

    assert (said, "") == (result.stderr, result.stdout)


def test_a_body_in_chunks(server: FakeServer) -> None:
    """Envoy's admin port answers in chunks; they are put together again."""
    server.headers = {"Transfer-Encoding": "chunked"}
    server.answer = lambda _: (200, b"5\r\nstate\r\n7;a=b\r\n: LIVE\n\r\n0\r\n\r\n")

    assert "state: LIVE\n" == curl(server, "-s", "http://localhost:9901/server_info").stdout


def test_output(server: FakeServer, tmp_path: Path) -> None:
    """-o writes to a file, /dev/null among them."""
    file = tmp_path / "body"
    assert "" == curl(server, "-o", str(file), "localhost:9901/200").stdout
    assert "state: LIVE\n" == file.read_text(encoding="utf-8")
    assert (0, "") == ((result := curl(server, "-so/dev/null", "localhost:9901/200")).returncode, result.stdout)


def test_without_a_task() -> None:
    """Without a task's address localhost is 127.0.0.1, where nobody listens on this port."""
    command = [sys.executable, "-I", "-S", _CURL, "-s", "http://localhost:1/"]
    assert 7 == subprocess.run(command, env={}, timeout=20, check=False).returncode


def test_a_pipeline(server: FakeServer) -> None:
    """The check of App Mesh's Envoy works in a shell."""
    script = f'curl() {{ "{sys.executable}" -I -S "{_CURL}" "$@"; }}\n'
    script += "curl -s http://localhost:9901/200 | grep state | grep -q LIVE"
    environment = {"LOCALAWS_TASK_ADDRESS": server.endpoint[0], "PATH": os.defpath}
    assert 0 == subprocess.run(["sh", "-c", script], env=environment, timeout=20, check=False).returncode
    environment["LOCALAWS_TASK_ADDRESS"] = new_address()
    assert 1 == subprocess.run(["sh", "-c", script], env=environment, timeout=20, check=False).returncode
