"""What the tests of the programs share: starting them as processes on loopback addresses of their own, and servers."""

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Self

from tests.localaws.support import ROOT, until

_numbers = itertools.cycle(range(1, 255))


def new_address() -> str:
    """Return a loopback address that no other test has by now, in this process or in those beside it."""
    return f"127.77.{os.getpid() % 250}.{next(_numbers)}"


@dataclass
class Program:
    """A running program and what it has printed."""

    address: str
    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    def printed(self, text: str) -> bool:
        return any(text in line for line in list(self.lines))

    @contextmanager
    def connected(self, port: int = 3000) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(self.address, port, timeout=20)
        yield connection
        connection.close()

    def ask_to_stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self) -> tuple[int, float]:
        """Return the exit code and the seconds until then."""
        began = time.monotonic()
        return self.process.wait(20), time.monotonic() - began


@contextmanager
def running(name: str, *arguments: str, port: str = "3000", **variables: str) -> Iterator[Program]:
    """Run a program until the block ends; `port`: where it listens once it is ready, "" where it is to end."""
    address = variables.setdefault("LOCALAWS_TASK_ADDRESS", new_address())
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", f"localaws.programs.{name}", *arguments],
        cwd="/",
        env={"PYTHONPATH": str(ROOT), "PATH": os.defpath, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    program = Program(address, process)
    reader = threading.Thread(target=_read, args=(program,))
    reader.start()
    try:
        if port:
            until(lambda: _answers(address, int(port)) or process.poll() is not None)
        else:
            process.wait(20)
            reader.join()
        yield program
    finally:
        process.kill()
        process.wait()
        reader.join()


def _read(program: Program) -> None:
    assert program.process.stdout
    with program.process.stdout as output:
        for line in output:
            program.lines.append(line.rstrip("\n"))


def _answers(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


@dataclass(frozen=True)
class Received:
    """A request that a server of the tests got."""

    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    peer: str

    @property
    def document(self) -> Any:
        return json.loads(self.body)


Reply = tuple[int, bytes]


class FakeServer:
    """An HTTP server that answers as the test says, keeps what it got, and can go down and come up again."""

    def __init__(self, answer: Callable[[Received], Reply] = lambda _: (200, b"{}"), port: int = 3000) -> None:
        self.answer = answer
        self.headers: dict[str, str] = {}  # of every answer, in place of its length
        self.hangs_up = False  # after each answer, without a word
        self.received: list[Received] = []
        self.endpoint = new_address(), port
        self.url = f"http://{self.endpoint[0]}:{port}"
        self._server: ThreadingTCPServer | None = None

    def up(self) -> None:
        self._server = _Server(self.endpoint, type("Handler", (_Handler,), {"fake": self}))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def called(self, target: str) -> list[Received]:
        return [request for request in list(self.received) if request.target == target]


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A client that did not wait for its answer is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    fake: FakeServer

    def answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        received = Received(self.command, self.path, headers, body, self.client_address[0])
        self.fake.received.append(received)
        status, content = self.fake.answer(received)
        self.send_response(status)
        for name, value in (self.fake.headers or {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection |= self.fake.hangs_up

    do_GET = do_POST = answer  # noqa: N815 - names of the protocol

    def log_message(self, *_: object) -> None:
        pass
