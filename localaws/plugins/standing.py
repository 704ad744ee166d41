"""Plugins that serve every engine of a run, rather than one engine each.

A plugin that an engine starts for itself costs more than what it does: its SDKs take up to two seconds to load. Those
here are children of the embedded AWS, started when they are first asked for, and attached to by all engines whose
PULUMI_DEBUG_PROVIDERS names their ports. They end with the embedded AWS, which holds a pipe to each.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import IO

from localaws.plugins import PLUGINS


class Standing:
    """The plugins of one embedded AWS. `environment` makes the variables that they run with."""

    def __init__(self, environment: Callable[[], Mapping[str, str]]) -> None:
        self._environment = environment
        self._processes: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        self._guard = threading.Lock()

    def ports(self) -> dict[str, int]:
        """Return the port of each by its name; one that does not run is started.

        Raises:
            OSError: one can't be started.

        """
        with self._guard:
            missing = [name for name in PLUGINS if not self._runs(name)]
            started = {name: self._start(name) for name in missing}  # side by side, then heard one after the other
            for name, process in started.items():
                self._processes[name] = process, _port(process.stdout)
            return {name: port for name, (_, port) in self._processes.items()}

    def _runs(self, name: str) -> bool:
        return name in self._processes and self._processes[name][0].poll() is None

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-P", "-m", f"localaws.plugins.{name}"]
        return subprocess.Popen(
            line,
            env={**os.environ, **self._environment()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )


def _port(said: IO[bytes] | None) -> int:
    line = said.readline() if said else b""
    if not line.strip().isdigit():
        raise OSError("a plugin ended before it had said its port")
    return int(line)
