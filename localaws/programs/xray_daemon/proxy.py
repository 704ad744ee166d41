"""The daemon's HTTP proxy, with which SDKs ask X-Ray for sampling rules and targets.

Like the original it signs and passes on whatever it is asked; what is no operation, X-Ray refuses.
"""

from urllib.parse import urlsplit

from localaws.programs.web import Answer, Application, Request
from localaws.programs.xray_daemon.client import XRay
from localaws.programs.xray_daemon.errors import CallError
from localaws.programs.xray_daemon.log import log

# Headers that belong to one connection, or that the daemon and its server write themselves.
_NOT_PASSED_ON = {
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "date",
    "host",
    "keep-alive",
    "server",
    "transfer-encoding",
    "x-amz-date",
    "x-amz-security-token",
}
_BAD_GATEWAY = 502


def application(xray: XRay) -> Application:
    """Return the proxy."""

    def answer(request: Request) -> Answer:
        log.debug("Received request on HTTP Proxy server : %s", request.target)
        target = urlsplit(request.target)._replace(scheme="", netloc="").geturl()
        try:
            response = xray.send(request.method, target, dict(request.headers.items()), request.body)
        except CallError as error:
            log.error("http: proxy error: %s", error)
            return Answer(status=_BAD_GATEWAY, content_type=None, body=b"")
        kept = {name: value for name, value in response.headers.items() if name.lower() not in _NOT_PASSED_ON}
        content_type = response.headers["Content-Type"]
        return Answer(status=response.status, content_type=content_type, body=response.body, headers=kept)

    return answer
