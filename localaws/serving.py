"""Moto, completed, as a server on one socket: from the saved state to the saved state."""

import faulthandler
import logging
import logging.handlers
import os
import signal
import socket
import threading
import warnings
from pathlib import Path
from typing import Never

from moto.core.common_models import BaseModel
from moto.core.routing import get_service_router
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from localaws import appmesh, ecs, hastening, state, tasks, xtras
from localaws.application import Application
from localaws.instance import Instance
from localaws.persistence import Store
from localaws.plugins.standing import Standing
from localaws.xray import XRay
from localaws.xtras.patching import add

_ENDING = {signal.SIGTERM, signal.SIGINT}
_LOG_BYTES = 5_000_000  # then the log starts anew, the old one kept beside it
_WATCH_SECONDS = 2  # how often to see whether the state folder is still there
# Most runs call these; botocore's model of each takes up to 0.3 s to read, once.
_SOON_CALLED = (
    "sts",
    "ec2",
    "iam",
    "ecs",
    "appmesh",
    "servicediscovery",
    "elbv2",
    "logs",
    "application-autoscaling",
    "xray",
)

_log = logging.getLogger(__name__)


class Service:
    """The embedded AWS of one state folder, ready to run."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        """Get ready, with no thread yet, so that the process may fork.

        Raises:
            LocalAwsError: the state file can't be used.

        """
        # Moto keeps a list of every object ever made, for a dashboard that is not served here.
        add(BaseModel, __new__=lambda cls, *_, **__: object.__new__(cls))
        hastening.read_later()
        for part in (xtras, appmesh, ecs):
            part.install()
        self._store = Store(folder / "aws.state")
        self._store.load()
        self._folder = folder
        host, port = listener.getsockname()
        self._runner = tasks.runner(folder, port)
        plugins = Standing(Instance(folder).environment)
        application = Application(self._store, self._runner, XRay(folder), plugins)
        self._server = make_server(
            host, port, application, threaded=True, request_handler=_Handler, fd=listener.fileno()
        )

    def run(self) -> Never:
        """Serve until told to end, or until the state folder is gone; then end the process."""
        os.setsid()
        # Blocked in all threads to come, so that only the wait below takes them.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        _log_to(self._folder / "server.log")
        _log.info("serves at port %s", self._server.port)
        ecs.start_reconciler(self._runner)
        for work in (self._server.serve_forever, self._store.keep_saving, _warm_up):
            threading.Thread(target=work, daemon=True).start()

        identity = self._record_identity()
        while signal.sigtimedwait(_ENDING, _WATCH_SECONDS) is None:
            if self._record_identity() != identity:
                _log.error("the state folder is gone, and so is this server")
                os._exit(1)
        self._end()

    def _end(self) -> Never:
        ecs.stop_reconciler()
        with state.lock:  # to the end: no call is answered that would not be saved
            try:
                self._store.close()
            except OSError as error:
                _log.error("could not save its state: %s", error)
                os._exit(1)
            _log.info("ends, its state saved")
            os._exit(0)

    def _record_identity(self) -> int | None:
        try:
            return (self._folder / "server.json").stat().st_ino
        except FileNotFoundError:
            return None


class _Handler(MotoRequestHandler):
    # Head and body of an answer leave together. Apart, a Go client (Pulumi with a key in KMS) sometimes fails between
    # the two: "failed to decode response body: use of closed network connection".
    wbufsize = -1

    def handle_expect_100(self) -> bool:
        """Tell a client that waits for it to go on."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay silent: the application logs each call by its AWS name."""


def _warm_up() -> None:
    for service in _SOON_CALLED:
        get_service_router(service)


def _log_to(path: Path) -> None:
    """Send the log, and what anything prints, to a file."""
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    logging.basicConfig(level=logging.WARNING, handlers=[handler], format="%(asctime)s %(message)s", force=True)
    logging.getLogger("localaws").setLevel(logging.INFO)
    warnings.simplefilter("ignore")
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(path, os.O_WRONLY | os.O_APPEND)
    for ours, standard in ((null, 0), (out, 1), (out, 2)):
        os.dup2(ours, standard)
    faulthandler.enable()  # a crash, too, is told there
