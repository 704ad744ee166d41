"""The server process of the embedded AWS: `python -m localaws.server STATE [PORT]`, started by `localaws.instance`.

It gets ready, puts itself into the background, and serves until SIGTERM or SIGINT. The command ends with 0 once the
server answers, or with 2 and the reason on stderr.
"""

import errno
import fcntl
import json
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from localaws.errors import LocalAwsError
from localaws.instance import REFUSED, command, endpoint

_BACKLOG = 128  # connections that may wait to be accepted


def main() -> int:
    """Start the server named on the command line and return the exit code."""
    folder, *port = sys.argv[1:]
    try:
        _start(Path(folder), int(port[0]) if port else None)
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return REFUSED
    return 0


def _start(folder: Path, port: int | None) -> None:
    """Return once the server, a child of this process, answers."""
    record = (folder / "server.json").open("a+", encoding="utf-8")
    fcntl.flock(record, fcntl.LOCK_EX)  # shared with the child, which holds it to its end
    listener = _listen(folder, port, _last_port(record))
    port = listener.getsockname()[1]
    _write(record, {"port": port})  # without a process: not ready yet

    # Moto takes a second to import, which a port in use need not wait for.
    from localaws.hastening import hasten  # noqa: PLC0415

    hasten()
    from localaws.serving import Service  # noqa: PLC0415

    service = Service(folder, listener)
    pid = os.fork()
    if pid == 0:
        service.run()
    started_at = datetime.now(UTC).isoformat()
    _write(record, {"port": port, "endpoint": endpoint(port), "pid": pid, "started_at": started_at})


def _listen(folder: Path, port: int | None, last: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", last if port is None else port))
    except OSError as error:
        if port is not None:
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"can't be had ({error.strerror})"
            again = command("start", folder)
            message = (
                f"Port {port} of 127.0.0.1 {reason}. To take any that is free: {again}; to name one: {again} --port N"
            )
            raise LocalAwsError(message) from error
        listener.bind(("127.0.0.1", 0))
    listener.listen(_BACKLOG)
    return listener


def _last_port(record: TextIO) -> int:
    """Return the port of last time, 0 where there is none."""
    record.seek(0)
    try:
        return int(json.load(record)["port"])
    except (ValueError, KeyError, TypeError):
        return 0


def _write(record: TextIO, content: dict[str, object]) -> None:
    record.seek(0)
    record.truncate()
    json.dump(content, record)
    record.flush()


if __name__ == "__main__":
    sys.exit(main())
