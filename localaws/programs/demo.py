"""What the three demo applications share: the task they see themselves in, their port, their life.

Source: aws-containers/ecsdemo-crystal, -nodejs and -frontend, start-up scripts.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from localaws.programs.loopback import Endpoint, NotLoopbackError, task_address
from localaws.programs.stopping import stop_signal
from localaws.programs.web import Application, Server

_PORT = "3000"
_LAST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an application runs, in its own words."""

    ip: str
    zone_text: str  # such as "10.0.0.101 in AZ-a"
    code_hash: str  # of the application's code, without a newline


def place(variables: Mapping[str, str], code_hash: str) -> Place:
    """Return what a start-up script would find out; the container's own IP, AZ and CODE_HASH come first."""
    ip = variables.get("IP") or variables.get("LOCALAWS_PRIVATE_ADDRESS") or "127.0.0.1"
    zone = variables.get("LOCALAWS_ZONE", "")[-1:] or "unknown"
    return Place(
        ip=ip,
        zone_text=variables.get("AZ") or f"{ip} in AZ-{zone}",
        code_hash=(variables.get("CODE_HASH") or code_hash).strip(),
    )


def endpoint(variables: Mapping[str, str]) -> Endpoint:
    """Return where to listen; end the program with one error where that can't be."""
    port = variables.get("PORT") or _PORT
    if not port.isdecimal() or not 0 < int(port) <= _LAST_PORT:
        sys.exit(f"Error: PORT must be a port from 1 to {_LAST_PORT}, not '{port}'; change it in the task definition")
    try:
        return Endpoint(task_address(), int(port))
    except NotLoopbackError as error:
        sys.exit(f"Error: LOCALAWS_TASK_ADDRESS: {error}")


def run(application: Application, where: Endpoint, listening: str) -> None:
    """Serve until SIGTERM or SIGINT; `listening` is the line that says that the application is ready."""
    stop = stop_signal()
    try:
        server = Server(where, application)
    except OSError as error:
        sys.exit(f"Error: can't listen at {where}: {error.strerror}")
    say(listening)
    stop.recv(1)
    server.finish()


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)
