"""Processes of the Pulumi CLI that outlive this program in good order.

Each is in a session of its own and has its output in a file: when this program is killed, the engine neither dies of a
closed pipe nor of the terminal's signal, but finishes what is in flight and writes its state. The next run waits for
such leftovers (`Leftovers`) before it touches the same stacks.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from automation.leftovers import Leftovers
from automation.parts import Parts

_PLUGINS = "PULUMI_DEBUG_PROVIDERS"
_WITH_PLUGINS = ("up", "preview", "refresh", "destroy")  # the commands that start an engine


class Processes:
    """Those of one CLI that run at the moment."""

    def __init__(self, executable: Path, leftovers: Leftovers, parts: Parts) -> None:
        self.executable = executable
        self._leftovers = leftovers
        self._parts = parts
        self._running: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()

    def run(self, args: Sequence[str], folder: str, variables: Mapping[str, str]) -> tuple[int, str, str]:
        """Run the CLI to its end: exit code (of a signal, its negative), stdout and stderr."""
        path = os.pathsep.join([str(self.executable.parent), os.environ.get("PATH", os.defpath)])
        environment = {**os.environ, **variables, "PULUMI_AUTOMATION_API": "true", "PATH": path}
        if args[0] in _WITH_PLUGINS and _PLUGINS not in environment and (plugins := self._parts.plugins()):
            environment[_PLUGINS] = plugins
        with self._leftovers.output_files() as (out, err):
            process = subprocess.Popen(
                [str(self.executable), "--non-interactive", *args],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            with self._guard:
                self._running.add(process)
            try:
                with self._leftovers.record(process.pid):
                    code = process.wait()
            finally:
                with self._guard:
                    self._running.discard(process)
            return code, _read(out), _read(err)

    def interrupt(self) -> None:
        """Ask every running engine to cancel: it finishes what is in flight, then stops. A second time: at once."""
        with self._guard:
            for process in self._running:
                process.send_signal(signal.SIGINT)

    def end(self, stack: str, grace: float) -> None:
        """Interrupt the engine of one stack; kill it, and the plugins in its session, after `grace` seconds."""
        with self._guard:
            running = [process for process in self._running if stack in cast("list[str]", process.args)]
        for process in running:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _read(stream: Any) -> str:
    stream.seek(0)
    return str(stream.read().decode("utf-8", errors="replace"))
