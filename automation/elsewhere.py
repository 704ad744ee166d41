"""The engine of a run whose stacks are deployed by a cluster's workers; all else it does here."""

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from distributed import Client

from automation.cluster import Cluster, Placed
from automation.engine import Engine, Update
from automation.environment import ROOT, Environment
from automation.errors import EngineError
from automation.events import Progress
from automation.leftovers import Leftovers
from automation.remote import BEAT, Job, Lease
from automation.sameness import Facts

LEASE_LOCAL, LEASE = Lease(seconds=10, grace=5), Lease(seconds=30, grace=30)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What all jobs of a run have in common."""

    environment: Environment
    expected: Facts  # of every worker

    @property
    def lease(self) -> Lease:
        """On each stack."""
        return LEASE_LOCAL if self.environment.is_local else LEASE


class RemoteEngine(Engine):
    """All stacks of the project, deployed elsewhere.

    When `up` returns, no engine that it started works any more, and none of their locks is left: that of a worker that
    is gone was waited for as long as it may have gone on, since only then is it known to have ended.
    """

    def __init__(self, executable: Path, client: Client, terms: Terms, placed: Callable[[Placed], None]) -> None:
        super().__init__(ROOT, executable, Leftovers(terms.environment.runs), parts=terms.environment.engines)
        self.cluster = Cluster(client, placed)
        self._terms = terms

    def up(  # noqa: PLR0913 - each is a rule of its own, given by name
        self,
        stack: str,
        progress: Progress,
        *,
        configured: Mapping[str, str] | None = None,
        refresh: bool = False,
        turn: Callable[[], bool] | None = None,
        run: str = "",
        config_file: Path | None = None,
    ) -> Update:
        """As `Engine.up`; nothing is begun before it is the stack's turn."""
        if turn is not None and not turn():
            return Update(progress=progress, problem="a stack that it needs is not there")
        file = config_file or self._file(stack)
        job = Job(
            id=uuid.uuid4().hex,
            run=self.cluster.run,
            environment=self._terms.environment.name,
            stack=stack,
            configuration=file.read_text(encoding="utf-8") if file.exists() else None,
            configured=configured or {},
            refresh=refresh,
            progress=progress,
            tag=run,
            lease=self._terms.lease,
            expected=self._terms.expected,
        )
        try:
            with self.cluster.place(job, progress) as placed:
                done = placed.result()
                if done is None:
                    return self._without_result(placed)
        except ConnectionError:
            return Update(progress=progress, problem="the Dask scheduler is gone")
        if done.configuration is not None:
            file.write_text(done.configuration, encoding="utf-8")
        progress.become(done.update.progress)
        return replace(done.update, progress=progress)

    def interrupt(self) -> None:
        """Cancel every running engine in good order; called again, end them at once."""
        super().interrupt()
        self.cluster.interrupts += 1

    def end(self, stack: str, grace: float) -> None:
        """Interrupt the engine of one stack; kill it after its lease's grace."""
        super().end(stack, grace)
        self.cluster.end(stack)

    def _file(self, stack: str) -> Path:
        environment = self._terms.environment
        return environment.files.path(stack.removeprefix(f"{environment.name}-"))

    def _without_result(self, placed: Placed) -> Update:
        if placed.withdrawn:
            return Update(progress=placed.progress, problem="no worker had begun it")
        problem = f"the worker {placed.worker or 'that it was given to'} is gone"
        placed.progress.current = f"{problem}; waiting until its engine has ended for certain"
        self._outlast(placed)
        if placed.job.configured:  # as the engine did with its worker's copy
            self.configure(placed.job.stack, placed.job.configured)
        if not self.cluster.answers:
            problem = "the Dask scheduler is gone"
        return Update(progress=placed.progress, problem=problem)

    def _outlast(self, placed: Placed) -> None:
        """Wait until the engine of a job without a result must have ended, then clear its lock away."""
        stack = placed.job.stack
        self.cluster.end(stack)
        over = time.monotonic() + placed.job.lease.over
        while time.monotonic() < over:
            if self.cluster.interrupts > 1:
                return
            time.sleep(BEAT)
        if placed.owner:
            self.gone.add(placed.owner)
            with suppress(EngineError):
                self.unlock(stack)
