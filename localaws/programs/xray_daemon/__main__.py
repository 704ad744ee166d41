"""The daemon as a program."""

import os
import select
import socket
import sys
import threading

from localaws.programs.loopback import Endpoint, NotLoopbackError
from localaws.programs.stopping import stop_signal
from localaws.programs.web import Server
from localaws.programs.xray_daemon import flags, proxy
from localaws.programs.xray_daemon.client import XRay
from localaws.programs.xray_daemon.flags import End
from localaws.programs.xray_daemon.log import log, open_log
from localaws.programs.xray_daemon.segments import MalformedError, document_of
from localaws.programs.xray_daemon.settings import Settings, settings_from
from localaws.programs.xray_daemon.telemetry import RECEIVED, REJECTED, Telemetry
from localaws.programs.xray_daemon.uploads import Uploads

_MB = 1024 * 1024
_DATAGRAM = 65_536  # bytes, the largest there is
# What the kernel may hold while the daemon is busy, if it grants so much.
_RECEIVE_BUFFER = 8 * _MB
_PATIENCE = 2.0  # seconds for what is left at the end: one attempt of each call


def main() -> None:
    """Run the daemon until SIGTERM or SIGINT."""
    stop = stop_signal()
    try:
        given = flags.read(sys.argv[1:])
    except End as end:
        print(end.message, file=sys.stderr if end.code else sys.stdout, flush=True)
        sys.exit(end.code)
    try:
        open_log(given.get("log-level", "prod"), given.get("log-file", ""))
        log.info("Initializing AWS X-Ray daemon %s", flags.VERSION)
        settings = settings_from(given, os.environ)
        log.info("Using buffer memory limit of %d MB", settings.buffer_mb)
        log.info("Using region: %s", settings.region)
        log.info("HTTP Proxy server using X-Ray Endpoint : http://%s", settings.xray)
        run(settings, _listening(settings.udp), stop)
    except (End, OSError, NotLoopbackError) as error:
        log.error("%s", error.message if isinstance(error, End) else error)
        sys.exit(1)


def run(settings: Settings, udp: socket.socket, stop: socket.socket) -> None:
    """Take segments until `stop` can be read from, then send what is left."""
    xray = XRay(settings, os.environ)
    telemetry = Telemetry(xray, settings)
    threading.Thread(target=telemetry.report_for_ever, name="telemetry", daemon=True).start()
    uploads = Uploads(xray, telemetry, buffer_bytes=settings.buffer_mb * _MB, concurrency=settings.concurrency)
    server = _proxy(settings.tcp, xray)
    receive(udp, stop, uploads, telemetry)
    udp.close()
    log.info("Got shutdown signal: terminated")
    left = uploads.finish(_PATIENCE)
    if left:
        log.error("Ending with %d segments that X-Ray did not take", left)
    else:
        telemetry.report()
    if server:
        server.finish()


def receive(udp: socket.socket, stop: socket.socket, uploads: Uploads, telemetry: Telemetry) -> None:
    """Take all datagrams that come before `stop` can be read from."""
    while True:
        readable, _, _ = select.select([udp, stop], [], [])
        while datagram := _next(udp):
            telemetry.count(RECEIVED)
            try:
                uploads.add(document_of(datagram))
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


def _listening(endpoint: Endpoint) -> socket.socket:
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


if __name__ == "__main__":
    main()
