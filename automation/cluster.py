"""A run's side of a Dask cluster: it places jobs, gives orders and signs of life, and hears how it goes.

Jobs go through the cluster's `Executor`. Orders are one document that the scheduler keeps and the workers read again
and again, so that none can be lost: which engines have to end, how often the user interrupted, and a beat.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from distributed import Client, KilledWorker, Queue, Variable

from automation import remote
from automation.events import Progress
from automation.locks import Owner
from automation.remote import BEAT, Done, Job

_LOST = (CancelledError, KilledWorker, OSError)  # what the cluster says of a job whose worker, or scheduler, is gone
# What a client that has lost its scheduler raises; in between it simply lacks what it would call.
_NO_SCHEDULER = (AttributeError, OSError, RuntimeError, TimeoutError, ValueError)


@dataclass(kw_only=True)
class Placed:
    """A job that the cluster has."""

    job: Job
    progress: Progress  # the run's own
    ticket: Queue  # whoever takes it may begin the job
    future: "Future[Done | None]"
    worker: str = ""  # that began it
    owner: Owner | None = None  # its engine
    withdrawn: bool = False  # taken back before it was begun

    def result(self) -> Done | None:
        """What came of it; None where its worker is gone, or where it was withdrawn. Raises what the worker raised."""
        try:
            return self.future.result()
        except _LOST:
            return None


class Cluster:
    """The cluster as one run uses it."""

    def __init__(self, client: Client, placed: Callable[[Placed], None]) -> None:
        """`placed` is told of each job whose engine begins."""
        self.run = f"ecs-tracing-{uuid.uuid4().hex}"
        self.interrupts = 0
        self._end: set[str] = set()
        self._client = client
        self._told_placed = placed
        self._jobs: dict[str, Placed] = {}
        self._orders = Variable(self.run, client=client)

    @property
    def answers(self) -> bool:
        """Whether its scheduler is there."""
        return bool(self._client.status == "running")

    @contextmanager
    def place(self, job: Job, progress: Progress) -> Iterator[Placed]:
        """Give the cluster a job. Raises `ConnectionError` where there is no scheduler any more."""
        try:
            ticket = Queue(job.id, client=self._client, maxsize=1)
            ticket.put("begin")
            executor = self._client.get_executor(pure=False, retries=0)
            future = executor.submit(remote.deploy, job, key=f"{job.stack}-{job.id}")
        except _NO_SCHEDULER as error:
            raise ConnectionError(str(error)) from error
        self._jobs[job.id] = placed = Placed(job=job, progress=progress, ticket=ticket, future=future)
        try:
            yield placed
        finally:
            del self._jobs[job.id]
            with suppress(*_NO_SCHEDULER):
                ticket.close()

    def end(self, stack: str) -> None:
        """Have the engines of a stack end: interrupted first, killed after the lease's grace."""
        self._end |= {placed.job.id for placed in tuple(self._jobs.values()) if placed.job.stack == stack}

    @contextmanager
    def attended(self, each_beat: Callable[[], None]) -> Iterator[None]:
        """Give orders and signs of life, and hear how it goes, as long as this lasts."""
        over = threading.Event()
        self._give_orders(0)
        self._client.subscribe_topic(self.run, lambda event: self._hear(event[1]))

        def attend() -> None:
            beat = 0
            while not over.wait(BEAT):
                each_beat()
                beat += 1
                with suppress(*_NO_SCHEDULER):  # the workers notice that, too
                    self._give_orders(beat)
                    self._withdraw()

        attending = threading.Thread(target=attend, name="orders to the cluster", daemon=True)
        attending.start()
        try:
            yield
        finally:
            over.set()
            attending.join()
            with suppress(*_NO_SCHEDULER):
                self._orders.delete()

    def _give_orders(self, beat: int) -> None:
        self._orders.set({"beat": beat, "interrupts": self.interrupts, "end": sorted(self._end)}, timeout=BEAT)

    def _withdraw(self) -> None:
        """Take back what is to end and was not begun."""
        for placed in tuple(self._jobs.values()):
            ends = self.interrupts or placed.job.id in self._end
            if not ends or placed.owner or placed.withdrawn:
                continue
            with suppress(TimeoutError):
                placed.ticket.get(timeout=BEAT / 10)
                placed.withdrawn = True
                placed.future.cancel()

    def _hear(self, told: dict[str, Any]) -> None:
        placed = self._jobs.get(told["job"])
        if placed is None:
            return
        if "process" in told:
            placed.owner, placed.worker = (told["host"], told["process"]), told["worker"]
            self._told_placed(placed)
            return
        for name in ("steps", "done", "current"):
            setattr(placed.progress, name, told[name])
        placed.progress.applied.clear()
        placed.progress.applied.update(told["applied"])
