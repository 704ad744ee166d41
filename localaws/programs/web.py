"""An HTTP/1.1 server for the programs: keep-alive, one thread a connection, requests in flight finished at the end."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socket import SHUT_RDWR
from socketserver import ThreadingTCPServer
from urllib.parse import urlsplit

from localaws.programs.loopback import Endpoint

# Of a server that is to stop: seconds in which a client that keeps a connection may still send a request, as it can't
# know yet, and in which requests that are being answered may end (the frontend waits up to 2 s for each backend).
_LAST_CALL = 0.2
_PATIENCE = 5.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """An HTTP request, read to its end."""

    method: str
    target: str  # path and query as sent
    version: str  # such as HTTP/1.1
    headers: Message  # a mapping, with names in any case
    body: bytes
    peer: str  # the client's address

    @property
    def path(self) -> str:
        """Return the path without the query."""
        return urlsplit(self.target).path or "/"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an application answers; Date, Content-Length and Connection are the server's."""

    status: int = 200
    content_type: str | None
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Application = Callable[[Request], Answer]


class Server(ThreadingTCPServer):
    """Answers with an application, from the start on, until `finish`."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, endpoint: Endpoint, application: Application) -> None:
        """Start it.

        Raises:
            OSError: nobody can listen there.

        """
        super().__init__(endpoint, _Handler)
        self.application = application
        self.finishing = False
        self._changed = threading.Condition()
        self._connections = self._in_flight = 0
        threading.Thread(target=self._accept, name="accepting", daemon=True).start()

    def finish(self) -> None:
        """Listen no more; return once all requests in flight are answered, or have taken too long."""
        began = time.monotonic()
        with self._changed:
            self.finishing = True
            self.socket.shutdown(SHUT_RDWR)
            self.socket.close()
            self._changed.wait_for(lambda: not self._connections, _LAST_CALL)
            self._changed.wait_for(lambda: not self._in_flight, began + _PATIENCE - time.monotonic())

    def count(self, *, connections: int = 0, in_flight: int = 0) -> None:
        """Add to the numbers of what is open."""
        with self._changed:
            self._connections += connections
            self._in_flight += in_flight
            self._changed.notify_all()

    def _accept(self) -> None:
        # Not serve_forever, whose end would take up to its polling interval.
        while not self.finishing:
            try:
                connection, peer = self.get_request()
            except OSError:
                continue
            self.process_request(connection, peer)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one piece
    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        self.server.count(connections=1)
        try:
            super().handle()
        except ConnectionError:
            pass  # the client has gone
        finally:
            self.server.count(connections=-1)

    def answer(self) -> None:
        if not self.headers.get("Content-Length", "0").isdecimal():
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        self.server.count(in_flight=1)
        try:
            self._send(self.server.application(self._request()))
        finally:
            self.server.count(in_flight=-1)

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = answer  # noqa: N815 - by methods' names

    def _request(self) -> Request:
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True  # its end is not looked for
        return Request(
            method=self.command,
            target=self.path,
            version=self.request_version,
            headers=self.headers,
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
            peer=str(self.client_address[0]),
        )

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", formatdate(usegmt=True))
        if answer.content_type:
            self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.server.finishing or self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing: applications print the lines that their originals print."""
