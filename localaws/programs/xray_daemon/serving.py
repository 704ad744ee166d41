"""The work of a collector, whichever it is: UDP in, PutTraceSegments out, and the proxy for SDKs beside."""

import os
import select
import socket
import threading
from collections.abc import Callable

from localaws.programs.loopback import Endpoint
from localaws.programs.web import Server
from localaws.programs.xray_daemon import proxy
from localaws.programs.xray_daemon.client import XRay
from localaws.programs.xray_daemon.flags import End
from localaws.programs.xray_daemon.log import log
from localaws.programs.xray_daemon.segments import MalformedError, document_of
from localaws.programs.xray_daemon.settings import Settings
from localaws.programs.xray_daemon.telemetry import RECEIVED, REJECTED, Telemetry
from localaws.programs.xray_daemon.uploads import Uploads

_MB = 1024 * 1024
_DATAGRAM = 65_536  # bytes, the largest there is
# What the kernel may hold while the collector is busy, if it grants so much.
_RECEIVE_BUFFER = 8 * _MB
_PATIENCE = 2.0  # seconds for what is left at the end: one attempt of each call


def serve(settings: Settings, udp: socket.socket, stop: socket.socket) -> None:
    """Take segments until `stop` can be read from, then send what is left."""
    xray = XRay(settings, os.environ)
    telemetry = Telemetry(xray, settings)
    threading.Thread(target=telemetry.report_for_ever, name="telemetry", daemon=True).start()
    uploads = Uploads(xray, telemetry, settings)
    server = _proxy(settings.tcp, xray)
    receive(udp, stop, uploads, telemetry, settings.manner.translate)
    udp.close()
    log.info("Got shutdown signal: terminated")
    left = uploads.finish(_PATIENCE)
    if left:
        log.error("Ending with %d segments that X-Ray did not take", left)
    else:
        telemetry.report()
    if server:
        server.finish()


def receive(
    udp: socket.socket,
    stop: socket.socket,
    uploads: Uploads,
    telemetry: Telemetry,
    translate: Callable[[bytes], bytes],
) -> None:
    """Take all datagrams that come before `stop` can be read from."""
    while True:
        readable, _, _ = select.select([udp, stop], [], [])
        while datagram := _next(udp):
            telemetry.count(RECEIVED)
            try:
                uploads.add(translate(document_of(datagram)))
            except MalformedError as error:
                log.warning("%s", error)
                telemetry.count(REJECTED)
        if stop in readable:
            return


def _next(udp: socket.socket) -> bytes | None:
    """Return the next datagram that is not empty, and nothing where none waits."""
    while True:
        try:
            datagram = udp.recv(_DATAGRAM)
        except BlockingIOError:
            return None
        if datagram:
            return datagram


def listening(endpoint: Endpoint) -> socket.socket:
    """Return a socket for `serve`, which takes datagrams from now on.

    Raises:
        End: nobody can listen there.

    """
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    try:
        udp.bind(endpoint)
    except OSError as error:
        raise End(1, f"listen udp {endpoint}: bind: {error.strerror}") from error
    udp.settimeout(0)
    return udp


def _proxy(endpoint: Endpoint, xray: XRay) -> Server | None:
    """Start the HTTP proxy; without it segments are taken all the same."""
    log.info("Starting proxy http server on %s", endpoint)
    try:
        return Server(endpoint, proxy.application(xray))
    except OSError as error:
        log.error("proxy http server failed to listen: listen tcp %s: bind: %s", endpoint, error.strerror)
        return None
