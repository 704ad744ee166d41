"""Engines that may outlive the run that started them, and the files their output goes to.

Each running CLI process has a file `engines/<pid>` holding the process's creation time, so that a reused process
number is not taken for it. Those on other machines (`--scheduler`) end by themselves once their run is silent.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import psutil

_ELSEWHERE = "elsewhere"


class Leftovers:
    """The engine processes of one environment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "engines"

    @contextmanager
    def output_files(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        """Two unnamed files for a process's stdout and stderr; they vanish with the last process that has them open."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._folder) as out, tempfile.TemporaryFile(dir=self._folder) as err:
            yield out, err

    @contextmanager
    def record(self, pid: int) -> Iterator[None]:
        """Remember the process for as long as it runs."""
        file = self._folder / str(pid)
        with suppress(psutil.NoSuchProcess):  # it ended before we could look at it
            file.write_text(repr(psutil.Process(pid).create_time()), encoding="utf-8")
        try:
            yield
        finally:
            file.unlink(missing_ok=True)

    @contextmanager
    def elsewhere(self, seconds: float) -> Iterator[Callable[[], None]]:
        """While it lasts, engines work on other machines, which end by themselves so long after the last sign.

        Yields what is to be called with every sign that is given to them.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / _ELSEWHERE
        file.write_text(repr(seconds), encoding="utf-8")
        try:
            yield file.touch
        finally:
            file.unlink(missing_ok=True)

    def seconds_left(self) -> float:
        """How long engines of a dead run may still work on other machines."""
        file = self._folder / _ELSEWHERE
        try:
            return max(0.0, file.stat().st_mtime + float(file.read_text(encoding="utf-8")) - time.time())
        except (FileNotFoundError, ValueError):
            return 0.0

    def alive(self) -> list[psutil.Process]:
        """Engines that a dead run left running. Records of ended ones are removed."""
        processes = []
        for file in self._folder.glob("[0-9]*") if self._folder.is_dir() else ():
            process = _process(int(file.name), file.read_text(encoding="utf-8"))
            if process is not None:
                processes.append(process)
            else:
                file.unlink(missing_ok=True)
        return processes

    def wait(self, timeout: float) -> list[psutil.Process]:
        """Wait (seconds) for the leftovers to finish; returns those that still run."""
        _, still_running = psutil.wait_procs(self.alive(), timeout=timeout)
        return list(still_running)


def _process(pid: int, created: str) -> psutil.Process | None:
    """The process, if it is the one that was recorded and still works."""
    try:
        process = psutil.Process(pid)
        same = repr(process.create_time()) == created and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if same else None
