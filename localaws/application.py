"""The web application of the embedded AWS: who may call, the control addresses, failures on demand, then moto.

Control addresses, which are none of AWS's:

    GET    /_localaws/health   {"ok": true}
    GET    /_localaws/doors    where load balancers really listen: {"doors": [{"balancer", "dns_name", "port",
                               "local_port"}]}, on 127.0.0.1; empty where tasks are simulated
    POST   /_localaws/plugins  ports of plugins that serve any number of engines: {"plugins": {"aws": 40001, …}}; starts
                               those that do not run
    POST   /_localaws/save     save the state now; 507 where the disk is full
    POST   /_localaws/faults   put a list of faults in force (see `localaws.faults`)
    DELETE /_localaws/faults   take them back
"""

import contextlib
import io
import json
import logging
import time
from collections.abc import Iterable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from moto.core.request import Request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Response

from localaws import authority, state
from localaws.calls import Call, identify
from localaws.ecs import alarm
from localaws.ecs.runner import TaskRunner
from localaws.faults import Faults
from localaws.persistence import Store
from localaws.plugins.standing import Standing
from localaws.xray import XRay

_log = logging.getLogger(__name__)

_CONTROL = "/_localaws/"
# Clients put this before the address for a few calls, such as Cloud Map's DiscoverInstances.
_HOST_PREFIX = "data-"
_LONGEST_REASON = 300  # characters; some of botocore's errors list all of AWS
_READING = ("Describe", "List", "Get", "BatchGet", "Head", "Discover", "Search", "Lookup", "Query", "Scan")


class Application:
    """WSGI application that answers for all of AWS."""

    def __init__(self, store: Store, runner: TaskRunner, xray: XRay, plugins: Standing) -> None:
        self._store, self._runner, self._xray, self._plugins = store, runner, xray, plugins
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._faults = Faults()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(_Rereadable(environ))(environ, start_response)

    def _answer(self, request: "_Rereadable") -> Response:
        if not _from_here(request):
            return _plain(
                HTTPStatus.FORBIDDEN,
                "localaws answers programs of this machine only, by the name 127.0.0.1 or localhost.",
            )
        if request.path.startswith(_CONTROL):
            return self._control(request)
        started = time.monotonic()
        call = identify(request, self._moto)
        response = self._aws(request, call) if call else _unidentified(request)
        taken_ms = 1000 * (time.monotonic() - started)
        _log.info("%s %s %.0f ms", call or f"{request.method} {request.path}", response.status_code, taken_ms)
        return response

    def _aws(self, request: "_Rereadable", call: Call) -> Response:
        if fault := self._faults.strike(call):
            return call.refuse(fault.code or "InternalFailure", "Failed on demand of a test.", fault.status or 500)
        if not call.operation:
            return call.refuse(
                "UnknownOperationException",
                f"localaws does not know this call of {call.service}.",
                HTTPStatus.BAD_REQUEST,
            )
        if refused := authority.refusal(call, request.headers.get("Authorization", "")):
            return call.refuse("AccessDeniedException", refused, HTTPStatus.FORBIDDEN)
        # X-Ray keeps its data itself: it needs no lock over moto's state, and changes nothing of it.
        by_moto = call.service != "xray"
        with state.lock if by_moto else contextlib.nullcontext():
            try:
                if by_moto:
                    response = Response.from_app(self._moto, request.rewound(), buffered=True)
                else:
                    response = self._xray.answer(call, Request(request.rewound()))
            except NotImplementedError:
                response = None
            except Exception as error:  # noqa: BLE001 - whatever a call of moto's ends in, its client gets an answer
                _log.exception("%s failed", call)
                what = f"{call.operation} of {call.service}"
                reason = f"localaws failed on {what} ({_shortened(repr(error))}); more in its server.log"
                return call.refuse("InternalFailure", reason, HTTPStatus.INTERNAL_SERVER_ERROR)
            finally:
                if by_moto and not call.operation.startswith(_READING):
                    state.changed.set()
                    alarm.wake()  # tasks may be meant, or the way to them
        # What moto has no address for, it answers with a web page.
        if response is None or (response.status_code == HTTPStatus.NOT_FOUND and response.mimetype == "text/html"):
            reason = f"localaws does not know {call.operation} of {call.service}."
            return call.refuse("NotImplementedByLocalAws", reason, HTTPStatus.NOT_IMPLEMENTED)
        return response

    def _control(self, request: "_Rereadable") -> Response:
        try:
            match request.method, request.path.removeprefix(_CONTROL):
                case "GET", "health":
                    pass
                case "GET", "doors":  # without the lock, which starting tasks hold for long on a busy machine
                    return _json(HTTPStatus.OK, {"doors": [asdict(door) for door in self._runner.doors]})
                case "POST", "plugins":
                    return _json(HTTPStatus.OK, {"plugins": self._plugins.ports()})
                case "POST", "save":
                    self._store.save()
                case "POST", "faults":
                    given = json.loads(request.get_data())
                    self._faults.replace(given if isinstance(given, list) else [given])
                case "DELETE", "faults":
                    self._faults.replace([])
                case _:
                    return _failed(HTTPStatus.NOT_FOUND, f"There is no {request.method} {request.path}.")
        except ValueError as error:
            return _failed(HTTPStatus.BAD_REQUEST, str(error))
        except OSError as error:
            return _failed(HTTPStatus.INSUFFICIENT_STORAGE, error.strerror or str(error))
        return _json(HTTPStatus.OK, {"ok": True})


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
    what = f"{request.method} {request.path}"
    message = f"localaws can't tell which AWS service {what} is meant for: it is unsigned, or the service unknown."
    return _plain(HTTPStatus.FORBIDDEN, message)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]} …"


def _plain(status: int, message: str) -> Response:
    return Response(f"{message}\n", status, content_type="text/plain; charset=utf-8")


def _failed(status: int, reason: str) -> Response:
    return _json(status, {"ok": False, "error": reason})


def _json(status: int, content: dict[str, object]) -> Response:
    return Response(json.dumps(content), status, content_type="application/json")
