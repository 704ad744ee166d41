"""A Dask cluster on this machine, whose workers may be killed."""

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import psutil

from tests.engine.checkout import Checkout
from tests.engine.cluster import free_ports

_NUMBER = 2


class Workers:
    """A scheduler, and workers with an engine each at a time."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        (port,) = free_ports(1)
        self.address = f"tcp://127.0.0.1:{port}"
        self._scheduler = self._dask("scheduler", "--port", str(port), "--dashboard-address", "127.0.0.1:0")
        self._workers = [self._worker() for _ in range(_NUMBER)]
        self._lost = 0

    def one(self) -> Iterator[int]:
        """One of the workers, in turn, and its nanny, which would start it again; not what guards their engines."""
        lost = self._workers[self._lost % _NUMBER]
        self._lost += 1
        with psutil.Process(lost.pid).oneshot():
            processes = [psutil.Process(lost.pid), *psutil.Process(lost.pid).children(recursive=True)]
        return (process.pid for process in processes if os.getpgid(process.pid) == lost.pid)

    def complete(self) -> None:
        """Start workers in place of those that are gone."""
        for place, worker in enumerate(self._workers):
            if worker.poll() is not None:
                self._workers[place] = self._worker()

    def close(self) -> None:
        """End them all."""
        for process in (*self._workers, self._scheduler):
            process.terminate()
            process.wait()

    def _worker(self) -> "subprocess.Popen[str]":
        folder = self._checkout.root / ".runs" / "dask"
        return self._dask("worker", self.address, "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder))

    def _dask(self, *command: str) -> "subprocess.Popen[str]":
        silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        given = (*command, "--host", "127.0.0.1")
        return self._checkout.popen("-m", "dask", *given, start_new_session=True, **silent)
