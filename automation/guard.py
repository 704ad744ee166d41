"""Ends the engines of a worker that is gone, or that has heard nothing of its run for too long.

Started by `automation.remote` as a script of its own, with a pipe from the worker on standard input, whose end is the
worker's end. A line there says of an engine's process group

    +PID LEASE GRACE HEARD     it works; its run was heard of at that time
    =PID HEARD                 its run was heard of again
    -PID                       it has ended

in seconds, of `time.monotonic`. An engine whose LEASE is over is interrupted, which lets it finish what is in flight,
and killed after GRACE more.
"""

import contextlib
import os
import select
import signal
import sys
import time
from dataclasses import dataclass

_LOOK_SECONDS = 0.2


@dataclass(kw_only=True)
class _Engine:
    lease: float
    grace: float
    heard: float
    interrupted: float | None = None  # since when


def _read(line: str, engines: dict[int, _Engine]) -> None:
    word, *rest = line.split()
    pid, numbers = int(word[1:]), [float(each) for each in rest]
    if word[0] == "+":
        engines[pid] = _Engine(lease=numbers[0], grace=numbers[1], heard=numbers[2])
    elif word[0] == "-":
        engines.pop(pid, None)
    elif pid in engines:
        engines[pid].heard = numbers[0]


def _end(engines: dict[int, _Engine], *, alone: bool) -> None:
    """Interrupt those whose time is over, or all when `alone`; kill those that were given long enough."""
    now = time.monotonic()
    for pid, engine in list(engines.items()):
        with contextlib.suppress(ProcessLookupError):
            if engine.interrupted is None and (alone or now > engine.heard + engine.lease):
                engine.interrupted = now
                os.kill(pid, signal.SIGINT)
            if engine.interrupted is None or now < engine.interrupted + engine.grace:
                os.killpg(pid, 0)
                continue
            os.killpg(pid, signal.SIGKILL)
        del engines[pid]


def main() -> None:
    """Read until the worker is gone, then until its engines are."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engines: dict[int, _Engine] = {}
    alone, rest = False, b""
    while not alone or engines:
        if not alone and select.select([0], [], [], _LOOK_SECONDS)[0]:
            read = os.read(0, 65536)
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                _read(line.decode(), engines)
            alone = not read
        elif alone:
            time.sleep(_LOOK_SECONDS)
        _end(engines, alone=alone)


if __name__ == "__main__":
    main()
    sys.exit()
