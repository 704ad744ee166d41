"""Ends the tasks' processes when the embedded AWS is gone, however it went.

Started by `localaws.tasks.processes` as a script of its own, with a pipe from the server on standard input: `+PID` says
that a process group was started, `-PID` that it has ended. The pipe's end is the server's end.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Read until the pipe ends, then kill what is left."""
    # The server ends us by closing the pipe; Ctrl-C in its terminal is not for us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    alive: set[int] = set()
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "+":
            alive.add(pid)
        else:
            alive.discard(pid)
    for pid in alive:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
