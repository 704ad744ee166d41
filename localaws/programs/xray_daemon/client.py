"""Signed calls to X-Ray."""

import http.client
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from localaws.programs.calls import Connection, Response
from localaws.programs.loopback import task_address
from localaws.programs.xray_daemon.credentials import Environment, Role, sign
from localaws.programs.xray_daemon.errors import CallError
from localaws.programs.xray_daemon.settings import Settings

_TIMEOUT = 2.0  # seconds
_AGENT = "xray-agent/xray-daemon/3.6.6 exec-env/UNKNOWN OS/linux-amd64"
_BAD_REQUEST, _TOO_MANY_REQUESTS, _SERVER_ERROR = 400, 429, 500


class XRay:
    """X-Ray as the daemon calls it; each thread has a connection of its own, kept open."""

    def __init__(self, settings: Settings, variables: Mapping[str, str]) -> None:
        self._server, self._proxy, self._region = settings.xray, settings.proxy, settings.region
        own = Environment(variables)
        self._credentials = Role(settings.role_arn, own, settings.sts, settings.region) if settings.role_arn else own
        self._of_thread = threading.local()

    def call(self, path: str, content: object) -> dict[str, Any]:
        """Call an operation, and return its answer.

        Raises:
            CallError: X-Ray can't be reached, or says no.

        """
        headers = {"Content-Type": "application/json", "X-Amzn-Xray-Timestamp": f"{time.time():.9f}"}
        response = self.send("POST", path, headers | {"User-Agent": _AGENT}, json.dumps(content).encode())
        said = f"status {response.status}: {response.body[:500].decode('utf-8', 'replace')}"
        if response.status >= _SERVER_ERROR:
            raise CallError(said, counted_as="HTTPCode5XXCount", retriable=True)
        if response.status >= _BAD_REQUEST:
            throttled = response.status == _TOO_MANY_REQUESTS
            raise CallError(said, counted_as="HTTPCode4XXCount", retriable=throttled)
        try:
            answer = json.loads(response.body or b"{}")
        except ValueError as error:
            raise CallError(f"the answer is no JSON: {said}") from error
        return answer if isinstance(answer, dict) else {}

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Sign and send a request, and return whatever is answered.

        Raises:
            CallError: there are no credentials, or X-Ray can't be reached.

        """
        url = f"http://{self._server}{target}"
        try:
            signed = sign(self._credentials.keys(), "xray", self._region, method, url, headers, body)
            return self._sent(method, url if self._proxy else target, signed, body)
        except TimeoutError as error:
            raise CallError(f"timeout: {error}", counted_as="TimeoutCount", retriable=True) from error
        except ConnectionRefusedError as error:
            raise CallError(str(error), counted_as="ConnectionRefusedCount", retriable=True) from error
        except (OSError, http.client.HTTPException) as error:
            raise CallError(repr(error), retriable=True) from error

    def _sent(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        if not hasattr(self._of_thread, "connection"):
            server = self._proxy or self._server
            self._of_thread.connection = Connection(server, source=task_address(), timeout=_TIMEOUT)
        connection: Connection = self._of_thread.connection
        kept = connection.is_open
        try:
            return connection.call(method, target, headers, body)
        except (ConnectionError, http.client.HTTPException):
            if not kept:
                raise
        # X-Ray may have closed a kept connection just then; that is no failure yet.
        return connection.call(method, target, headers, body)
