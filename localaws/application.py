"""The web application of the embedded AWS: who may call, the control addresses, failures on demand, then moto."""

import io
import json
import logging
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from moto.core.request import Request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Response

from localaws import state
from localaws.calls import Call, identify
from localaws.faults import Faults

_log = logging.getLogger(__name__)

_CONTROL = "/_localaws/"
# Clients put this before the address for a few calls, such as Cloud Map's DiscoverInstances.
_HOST_PREFIX = "data-"
_LONGEST_REASON = 300  # characters; some of botocore's errors list all of AWS
_READING = ("Describe", "List", "Get", "BatchGet", "Head", "Discover", "Search", "Lookup", "Query", "Scan")


class Application:
    """WSGI application that answers for all of AWS."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._faults = Faults()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(_Rereadable(environ))(environ, start_response)

    def _answer(self, request: "_Rereadable") -> Response:
        if not _from_here(request):
            return _plain(403, "localaws answers programs of this machine only, by the name 127.0.0.1 or localhost.")
        if request.path.startswith(_CONTROL):
            return self._control(request)
        started = time.monotonic()
        call = identify(request, self._moto)
        response = self._aws(request, call) if call else _unidentified(request)
        _log.info("%s %s %.0f ms", call or f"{request.method} {request.path}", response.status_code, 1000 * (time.monotonic() - started))
        return response

    def _aws(self, request: "_Rereadable", call: Call) -> Response:
        if fault := self._faults.strike(call):
            return call.refuse(fault.code or "InternalFailure", "Failed on demand of a test.", fault.status or 500)
        if not call.operation:
            return call.refuse("UnknownOperationException", f"localaws does not know this call of {call.service}.", 400)
        with state.lock:
            try:
                response = Response.from_app(self._moto, request.rewound(), buffered=True)
            except NotImplementedError:
                response = None
            except Exception as error:
                _log.exception("%s failed", call)
                reason = f"localaws failed on {call.operation} of {call.service} ({_shortened(repr(error))}); more in server.log of its state folder."
                return call.refuse("InternalFailure", reason, 500)
            finally:
                if not call.operation.startswith(_READING):
                    state.changed.set()
        # What moto has no address for, it answers with a web page.
        if response is None or (response.status_code == 404 and response.mimetype == "text/html"):
            return call.refuse("NotImplementedByLocalAws", f"localaws does not know {call.operation} of {call.service}.", 501)
        return response

    def _control(self, request: "_Rereadable") -> Response:
        match request.method, request.path.removeprefix(_CONTROL):
            case "GET", "health":
                return _json(200, {"ok": True})
            case "POST", "faults":
                try:
                    given = json.loads(request.get_data())
                    self._faults.replace(given if isinstance(given, list) else [given])
                except ValueError as error:
                    return _json(400, {"ok": False, "error": str(error)})
                return _json(200, {"ok": True})
            case "DELETE", "faults":
                self._faults.replace([])
                return _json(200, {"ok": True})
        return _json(404, {"ok": False, "error": f"There is no {request.method} {request.path}."})


class _Rereadable(Request):
    """A request whose body any number of readers may read."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        self._body = self.stream.read()
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(len(self._body))
        self.__dict__.pop("stream", None)  # made anew from the environment
        self.rewound()

    def rewound(self) -> dict[str, Any]:
        """Return the environment for the next reader."""
        self.environ["wsgi.input"] = io.BytesIO(self._body)
        return self.environ


def _from_here(request: Request) -> bool:
    """Return whether a request names this machine, and is not sent by a web page that came from another."""
    addresses = [f"//{request.host}", request.headers.get("Origin", "//localhost")]
    return all(_is_loopback(urlsplit(address).hostname or "") for address in addresses)


def _is_loopback(host: str) -> bool:
    host = host.removeprefix(_HOST_PREFIX)
    return host in ("127.0.0.1", "localhost") or host.endswith(".localhost")


def _unidentified(request: Request) -> Response:
    message = f"localaws can't tell which AWS service {request.method} {request.path} is meant for: it is unsigned, or the service unknown."
    return _plain(403, message)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]} …"


def _plain(status: int, message: str) -> Response:
    return Response(f"{message}\n", status, content_type="text/plain; charset=utf-8")


def _json(status: int, content: dict[str, object]) -> Response:
    return Response(json.dumps(content), status, content_type="application/json")
