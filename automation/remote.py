"""What a worker of a Dask cluster does for a run: one engine run over one stack, in the worker's own checkout.

The worker finds its own CLI, backend and AWS, and hands back what came of it. It holds a lease on the stack: the run
gives a sign of life every `BEAT` seconds, and an engine whose run is silent for too long is ended (`automation.guard`),
as is one whose worker is gone. So whoever starts the run's engines knows when one elsewhere has ended for certain.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from distributed import Queue, Variable, get_client, get_worker

from automation.engine import Engine, Update, load_program
from automation.environment import ROOT, Environment, find_cli, resolve
from automation.errors import UsageError
from automation.events import Progress
from automation.leftovers import Leftovers
from automation.sameness import Facts, facts, source

BEAT = 1.0  # seconds
_ANSWER = 10.0  # seconds that the scheduler has to answer

_SOURCE = source(ROOT)  # of the program as it is loaded here, whatever becomes of the files


@dataclass(frozen=True, kw_only=True)
class Lease:
    """How long an engine goes on without a sign of life from its run, and how long it then has to end in good order."""

    seconds: float
    grace: float

    @property
    def over(self) -> float:
        """Seconds after which no engine is left of a run that gives no more signs."""
        return self.seconds + self.grace + 2 * BEAT


@dataclass(frozen=True, kw_only=True)
class Job:
    """One try to deploy one stack."""

    id: str
    run: str  # the name under which the run gives its orders, and is told how it goes
    environment: str
    stack: str
    configuration: str | None  # text of the stack's file; None where there is none
    configured: Mapping[str, str]
    refresh: bool
    progress: Progress
    tag: str  # of the task definition: the run's id
    lease: Lease
    expected: Facts


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of a job."""

    update: Update
    configuration: str | None


@dataclass(frozen=True, kw_only=True)
class _Place:
    """What this worker deploys with."""

    environment: Environment
    cli: Path
    facts: Facts


def here(environment: Environment) -> Facts:
    """What this machine deploys with in an environment."""
    return facts(_SOURCE, environment)


async def about(environment: str, mark: str) -> Facts:
    """What a worker would deploy with; `mark` is a file that the run made in the backend."""
    return await asyncio.to_thread(_about, environment, mark)


def deploy(job: Job) -> Done | None:
    """Do it; None where it was begun before, by a worker that the cluster took for dead and began it anew for."""
    worker, client = get_worker(), get_client()
    heard = time.monotonic()
    if not _is_first(job, client):
        return None
    place = _place(job.environment)
    place.facts.require(job.expected, f"worker {worker.address}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"Pulumi.{job.stack}.yaml"
        if job.configuration is not None:
            file.write_text(job.configuration, encoding="utf-8")
        contact = _Contact(
            job=job,
            worker=worker.address,
            orders=Variable(job.run, client=client),
            tell=worker.log_event,
            heard=heard,
        )
        engine = Engine(ROOT, place.cli, _Guarded(Path(folder), contact), parts=place.environment.engines)
        with contact.kept(engine):
            update = engine.up(
                job.stack,
                job.progress,
                configured=job.configured,
                refresh=job.refresh,
                run=job.tag,
                config_file=file,
            )
        return Done(update=update, configuration=file.read_text(encoding="utf-8") if file.exists() else None)


def _is_first(job: Job, client: Any) -> bool:
    """Take the job's one ticket."""
    try:
        Queue(job.id, client=client).get(timeout=BEAT)
    except TimeoutError:
        return False
    return True


def _about(environment: str, mark: str) -> Facts:
    place = _place(environment)
    load_program()
    if mark and not Path(mark).exists():
        message = f"it does not see {Path(mark).parent}, where Pulumi keeps the state, as it is here"
        raise UsageError(message, next_command="give all workers the same folder, or a bucket (docs/scheduler.md)")
    return place.facts


_served: list[str] = []  # the environment whose variables this process has
_serving = threading.Lock()


def _place(environment: str) -> _Place:
    with _serving:
        if _served not in ([], [environment]):
            message = f"it serves environment '{_served[0]}' since it was started, so not '{environment}'"
            raise UsageError(message, next_command="start workers of its own for each environment")
        place = _found(environment)
        _served[:] = [environment]
        return place


@cache
def _found(name: str) -> _Place:
    def say(message: str) -> None:
        sys.stderr.write(f"{message}\n")

    environment = resolve(name, say, start=False)
    cli = find_cli(say)
    return _Place(environment=environment, cli=cli, facts=here(environment))


@dataclass(kw_only=True)
class _Contact:
    """With the run, while an engine works."""

    job: Job
    worker: str  # its address
    orders: Variable
    tell: Callable[[str, Mapping[str, Any]], None]
    heard: float  # when the run was last known to be there
    pids: set[int] = field(default_factory=set)  # of the engine

    @contextmanager
    def kept(self, engine: Engine) -> Iterator[None]:
        """Heed the run's orders, and tell it how it goes."""
        over = threading.Event()
        threading.Thread(
            target=self._keep, args=(engine, over), name=f"contact of {self.job.stack}", daemon=True
        ).start()
        try:
            yield
        finally:
            over.set()

    def began(self, pid: int) -> None:
        """The engine was started."""
        self.pids.add(pid)
        self.tell(
            self.job.run,
            {"job": self.job.id, "worker": self.worker, "host": socket.gethostname(), "process": pid},
        )

    def _keep(self, engine: Engine, over: threading.Event) -> None:
        beat, interrupts, ended, told = 0, 0, False, ""
        job, progress = self.job, self.job.progress
        while not over.wait(BEAT):
            asked = time.monotonic()
            with suppress(OSError, TimeoutError):
                orders = self.orders.get(timeout=_ANSWER)
                if job.id in orders["end"] and not ended:
                    ended = True
                    threading.Thread(target=engine.end, args=(job.stack, job.lease.grace), daemon=True).start()
                for _ in range(interrupts, orders["interrupts"]):
                    engine.interrupt()
                interrupts = orders["interrupts"]
                if orders["beat"] != beat and not ended:
                    beat, self.heard = orders["beat"], asked
                    _guard().heard(self.pids, asked)
            if progress.current != told:
                told = progress.current
                facts = {name: getattr(progress, name) for name in ("steps", "done", "current")}
                self.tell(job.run, {"job": job.id, **facts, "applied": dict(progress.applied)})


class _Guarded(Leftovers):
    """Engines that end with this worker, and with their run."""

    def __init__(self, folder: Path, contact: _Contact) -> None:
        super().__init__(folder)
        self._contact = contact

    @contextmanager
    def record(self, pid: int) -> Iterator[None]:
        """Have the process guarded for as long as it runs."""
        contact, guard = self._contact, _guard()
        guard.add(pid, contact.job.lease, contact.heard)
        contact.began(pid)
        try:
            yield
        finally:
            contact.pids.discard(pid)
            guard.remove(pid)


class _Guard:
    """The process `automation.guard` of this worker."""

    def __init__(self) -> None:
        self._writing = threading.Lock()
        read, self._pipe = os.pipe()
        guard = [sys.executable, "-S", str(Path(__file__).with_name("guard.py"))]
        self._process = subprocess.Popen(guard, stdin=read, start_new_session=True)
        os.close(read)

    def add(self, pid: int, lease: Lease, heard: float) -> None:
        self._write(f"+{pid} {lease.seconds} {lease.grace} {heard}")

    def heard(self, pids: set[int], heard: float) -> None:
        for pid in tuple(pids):
            self._write(f"={pid} {heard}")

    def remove(self, pid: int) -> None:
        self._write(f"-{pid}")

    def _write(self, line: str) -> None:
        with self._writing:
            os.write(self._pipe, f"{line}\n".encode())


@cache
def _guard() -> _Guard:
    return _Guard()
