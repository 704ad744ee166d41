"""The demo's frontend (Rails). Source: aws-containers/ecsdemo-frontend, reference.md section 6.

The original asks DNS for SRV records of each backend first, with _SERVICE_DISCOVERY_NAME behind a host that has no dot.
Cloud Map has address records only, so that it calls the URL as given in the end; this one does so at once.
"""

import http.client
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from localaws.programs import demo
from localaws.programs.calls import Connection
from localaws.programs.loopback import Endpoint, inside, server_of, task_address
from localaws.programs.page import NO_BACKEND, render
from localaws.programs.web import Answer, Application, Request

_CODE_HASH = "776fd50"
_TIMEOUT = 2.0  # seconds for each piece of a backend's answer
_TRACE_HEADER = "X-Amzn-Trace-Id"
_OK = 200
_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the container's environment says."""

    place: demo.Place
    nodejs_url: str
    crystal_url: str
    proxy: Endpoint | None  # the task's Envoy
    forwards_traces: bool  # the original does not

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "Settings":
        """Read them.

        Raises:
            ValueError: the proxy is not on loopback.

        """
        proxy = variables.get("http_proxy")
        return cls(
            place=demo.place(variables, _CODE_HASH),
            nodejs_url=variables.get("NODEJS_URL", ""),
            crystal_url=variables.get("CRYSTAL_URL", ""),
            proxy=server_of(proxy) if proxy else None,
            forwards_traces=variables.get("FORWARD_TRACE_HEADER") == "1",
        )


def application(settings: Settings) -> Application:
    """Return the application."""
    health = Answer(content_type="text/plain; charset=utf-8", body=b"OK")
    nothing = Answer(status=404, content_type=_HTML, body=b"<h1>The page you were looking for doesn't exist.</h1>\n")

    def answer(request: Request) -> Answer:
        path = request.path.rstrip("/")
        if request.method not in ("GET", "HEAD") or path not in ("", "/health"):
            return nothing
        return health if path else _home(settings, request)

    return answer


def _home(settings: Settings, request: Request) -> Answer:
    # One after the other, Node.js first: the order decides which call the tracer's sampling takes.
    nodejs = _greeting(settings, settings.nodejs_url, request)
    crystal = _greeting(settings, settings.crystal_url, request)
    page = render(settings.place.zone_text, settings.place.code_hash, nodejs, crystal)
    return Answer(content_type=_HTML, body=page.encode())


def _greeting(settings: Settings, url: str, request: Request) -> str:
    """Return what a backend says, or NO_BACKEND: a failing backend never fails the page."""
    parts = urlsplit(url)
    headers = {"Accept": "*/*", "User-Agent": "Ruby", "Host": parts.netloc}
    trace = request.headers.get(_TRACE_HEADER)
    if settings.forwards_traces and trace:
        headers[_TRACE_HEADER] = trace
    try:
        server = settings.proxy or Endpoint(inside(parts.hostname or ""), parts.port or 80)
        connection = Connection(server, source=task_address(), timeout=_TIMEOUT)
        try:
            response = connection.call("GET", url, headers)
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(f"GET {url}: {error}", file=sys.stderr, flush=True)
        return NO_BACKEND
    return response.body.decode("utf-8", "replace") if response.status == _OK else NO_BACKEND


def main() -> None:
    """Run it."""
    try:
        settings = Settings.read(os.environ)
    except ValueError as error:
        sys.exit(f"Error: http_proxy: {error}")
    where = demo.endpoint(os.environ)
    demo.say(f"=> Rails 4.2.10 application starting in production on http://0.0.0.0:{where.port}")
    demo.run(application(settings), where, f"INFO  WEBrick::HTTPServer#start: pid={os.getpid()} port={where.port}")


if __name__ == "__main__":
    main()
