"""Plain HTTP calls to loopback, directly or through a proxy such as the task's Envoy."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message

from localaws.programs.loopback import Endpoint


@dataclass(frozen=True, kw_only=True)
class Response:
    """What a server answered."""

    status: int
    headers: Message  # a mapping, with names in any case
    body: bytes


class Connection:
    """A connection to a server, made when it is first used and kept until `close` or a failure."""

    def __init__(self, server: Endpoint, *, source: str, timeout: float) -> None:
        """`source`: the address to call from; `timeout`: seconds for the connection and for each piece that is read."""
        self._http = http.client.HTTPConnection(server.host, server.port, timeout=timeout, source_address=(source, 0))

    @property
    def is_open(self) -> bool:
        """Return whether it is a kept one, which the server may have closed meanwhile."""
        return self._http.sock is not None

    def call(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        """Send a request; `target` is a path, or a URL for a proxy. `headers` has all but Content-Length.

        Raises:
            OSError: the server can't be reached or does not answer in time (TimeoutError).
            http.client.HTTPException: it answers something else than HTTP.

        """
        try:
            self._http.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                self._http.putheader(name, value)
            if body or method == "POST":
                self._http.putheader("Content-Length", str(len(body)))
            self._http.endheaders(body or None)
            got = self._http.getresponse()
            return Response(status=got.status, headers=got.headers, body=got.read())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it; a later call makes a new one."""
        self._http.close()
