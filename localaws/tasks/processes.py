"""Processes of the tasks' containers: started, listened to, signalled, and never left behind."""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from localaws.ecs import alarm
from localaws.tasks import watchdog

Sink = Callable[[bytes], None]

_CHUNK = 65_536  # bytes read at once

_log = logging.getLogger(__name__)


class Process:
    """One process, the leader of a group of its own. Its output goes to `sink`, in whatever pieces it comes."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], sink: Sink) -> None:
        """Start it; `argv` begins with the path of the program.

        Raises:
            OSError: it can't be started.

        """
        reading, writing = os.pipe()
        try:
            self.pid = os.posix_spawn(
                argv[0],
                list(argv),
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, writing, 1),
                    (os.POSIX_SPAWN_DUP2, writing, 2),
                ],
                setpgroup=0,
                setsigmask=(),  # the server keeps signals from its threads; this one has to hear them
            )
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self.exit_code: int | None = None
        self._ended = threading.Event()
        Guard.tell(f"+{self.pid}")
        listener = threading.Thread(target=self._listen, args=(reading, sink), name=f"listens to {self.pid}")
        listener.daemon = True
        listener.start()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; nothing to do where it has ended."""
        if not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait for its end, so long at most; return whether it has ended."""
        return self._ended.wait(seconds)

    def end(self, patience: float) -> None:
        """Ask it to end, and after `patience` seconds force it to. Blocks until it has ended."""
        # As container engines do: the first process is told, and what it leaves behind goes with it.
        if not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
        if not self._ended.wait(patience):
            self.signal(signal.SIGKILL)
            self._ended.wait()

    def _listen(self, output: int, sink: Sink) -> None:
        while chunk := os.read(output, _CHUNK):
            sink(chunk)
        os.close(output)
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        # A shell, and ECS with it, tells death by a signal so.
        self.exit_code = 128 - code if code < 0 else code
        self._ended.set()
        Guard.tell(f"-{self.pid}")
        alarm.wake()


class Guard:
    """The watchdog of all processes of this server: kills those that are left when the server is gone."""

    _lock = threading.Lock()
    _pipe: int | None = None

    @classmethod
    def tell(cls, line: str) -> None:
        """Say that a process group has been started (`+PID`), or has ended (`-PID`): its number may go to another."""
        with cls._lock:
            if cls._pipe is None:
                cls._pipe = cls._start()
            try:
                os.write(cls._pipe, f"{line}\n".encode())
            except BrokenPipeError:
                _log.error("The tasks' watchdog is gone: processes may be left behind if this server is killed")

    @staticmethod
    def _start() -> int:
        reading, pipe = os.pipe()
        argv = [sys.executable, "-I", "-S", str(watchdog.__file__)]
        os.posix_spawn(
            sys.executable,
            argv,
            {},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, reading, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            ],
            setpgroup=0,
        )
        os.close(reading)
        return pipe
