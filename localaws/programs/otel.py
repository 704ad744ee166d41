"""What the stand-ins of the ADOT collector and of the CloudWatch agent share: both are OpenTelemetry collectors.

On the wire they do what the daemon does. In between, the originals take a segment apart and put it together again, and
some of it gets lost on the way: its origin, and what it says of App Mesh. Source: opentelemetry-collector-contrib,
receiver/awsxrayreceiver and exporter/awsxrayexporter.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.programs.loopback import Endpoint, NotLoopbackError, inside
from localaws.programs.stopping import stop_signal
from localaws.programs.web import Answer, Server
from localaws.programs.xray_daemon.flags import End
from localaws.programs.xray_daemon.log import Style, log, open_log
from localaws.programs.xray_daemon.segments import MalformedError
from localaws.programs.xray_daemon.serving import listening, serve
from localaws.programs.xray_daemon.settings import Manner, settings_from

BATCH_SECONDS = 0.2  # until a batch goes although it is not full, where the configuration says nothing

_MOST = 50  # documents a call, whatever the size of a batch
_REQUIRED = ("name", "id", "start_time", "trace_id")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a configuration asks for, as far as segments are concerned."""

    udp: str  # address and port
    tcp: str
    region: str
    batch: int = _MOST
    idle_seconds: float = BATCH_SECONDS
    health: str = ""  # where health is to be asked for, address and port


def run(original: str, style: Style, read: Callable[[Mapping[str, str]], Wanted]) -> None:
    """Run the stand-in for `original` until SIGTERM or SIGINT; `read` gets the environment and raises End."""
    stop = stop_signal()
    open_log("info", "", style)
    log.info("This is localaws's stand-in for %s: it hands X-Ray segments on, and does nothing else", original)
    try:
        wanted = read(os.environ)
        flags = {"bind": wanted.udp, "bind-tcp": wanted.tcp, "region": wanted.region}
        manner = Manner(
            batch=min(wanted.batch, _MOST),
            idle_seconds=wanted.idle_seconds,
            failed='Exporting failed. {"otelcol.component.id": "awsxray", "error": "%s"}',
            translate=translated,
        )
        settings = settings_from(flags, os.environ, manner)
        udp = listening(settings.udp)
        log.info("Segments are heard on UDP %s and go to X-Ray in %s", settings.udp, settings.region)
        health = _health(wanted.health)
        serve(settings, udp, stop)
        if health:
            health.finish()
    except (End, OSError, NotLoopbackError) as error:
        log.error("%s", error.message if isinstance(error, End) else error)
        sys.exit(1)


def translated(document: bytes) -> bytes:
    """Return what the originals make of a segment.

    Raises:
        MalformedError: it lacks something without which there is no span.

    """
    try:
        segment = json.loads(document)
    except ValueError as error:
        raise MalformedError(f"X-Ray segment to OT traces conversion failed: {error}") from error
    lacking = [name for name in _REQUIRED if not isinstance(segment, dict) or name not in segment]
    if lacking:
        raise MalformedError(f'X-Ray segment to OT traces conversion failed: segment "{lacking[0]}" can not be nil')
    segment.pop("origin", None)
    if isinstance(segment.get("aws"), dict):
        segment["aws"].pop("app_mesh", None)
    return json.dumps(segment).encode()


def part(document: Any, *path: str) -> Any:
    """Return what is at a path in nested mappings; None where there is nothing."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def section(document: Any, *path: str) -> dict[str, Any]:
    """Return the mapping at a path; an empty one where there is none."""
    found = part(document, *path)
    return found if isinstance(found, dict) else {}


def _health(address: str) -> Server | None:
    if not address:
        return None
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        raise End(1, f"listen tcp: address {address}: missing port in address")
    ready = Answer(content_type="application/json", body=b'{"status":"Server available"}')
    return Server(Endpoint(inside(host), int(port)), lambda _: ready)
