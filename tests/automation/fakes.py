"""A session whose engine only notes what it is asked for, and fails as it is told."""

import io
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import yaml
from rich.console import Console

from automation.engine import Deployed, Engine, Update
from automation.environment import Environment
from automation.events import Progress
from automation.journal import Journal
from automation.run import Row
from automation.session import Session
from automation.stackfiles import StackFiles
from automation.steps import Step

FLAG = "ecs-tracing:tracing"
GRAPH = {"platform": (), "crystal": ("platform",), "nodejs": ("platform",), "frontend": ("crystal", "nodejs")}


class FakeEngine:
    """Configuration is really written; a deployment is one line in `calls`."""

    def __init__(self, folder: Path) -> None:
        self.calls: list[str] = []
        self.problems: dict[str, list[str]] = {}  # by stack, of the next tries
        self.hangs: dict[str, threading.Event] = {}  # by stack: works until this is set
        self.tagged: dict[str, str] = {}  # by stack, the run that its task definition is given as a tag
        self.outputs: Mapping[str, Mapping[str, Any]] = {}  # by service
        self._folder = folder
        self._guard = threading.Lock()

    def configure(self, stack: str, values: Mapping[str, str]) -> None:
        self._edit(stack, lambda config: config.update(values))

    def unset(self, stack: str, keys: Sequence[str]) -> None:
        self._edit(stack, lambda config: [config.pop(key) for key in keys])

    def up(  # noqa: PLR0913 - as the engine's
        self,
        stack: str,
        progress: Progress,
        *,
        configured: Mapping[str, str] | None = None,
        refresh: bool = False,
        turn: Callable[[], bool] = lambda: True,
        run: str = "",
    ) -> Update:
        self.configure(stack, configured or {})
        if not turn():
            return Update(progress=progress, problem="a stack that it needs is not there")
        with self._guard:
            self.calls.append(f"up {stack}" + (" refresh" if refresh else ""))
            self.tagged |= {stack: run} if run else {}
        if stack in self.hangs:
            assert self.hangs[stack].wait(10)
        problems = self.problems.get(stack)
        if problems:
            progress.errors.append(problems.pop(0))
            return Update(progress=progress, problem=progress.errors[0])
        progress.applied["update"] += 1
        return Update(progress=progress)

    def stacks(self) -> dict[str, int]:
        return {f"local-{service}": 1 for service in GRAPH}

    def deployed(self, stack: str) -> Deployed:
        return Deployed(resources=1, outputs=self.outputs[stack.removeprefix("local-")])

    def state(self, _stack: str) -> Mapping[str, Any]:
        return {"resources": [], "pending_operations": []}

    def end(self, stack: str, grace: float) -> None:
        self.calls.append(f"end {stack} {grace:g}")
        self.problems[stack] = ["error: update canceled"]
        self.hangs[stack].set()

    def unlock(self, stack: str) -> None:
        self.calls.append(f"unlock {stack}")

    def _edit(self, stack: str, change: Callable[[dict[str, Any]], object]) -> None:
        file = self._folder / f"Pulumi.{stack}.yaml"
        document = yaml.safe_load(file.read_text()) if file.exists() else {"config": {}}
        change(document["config"])
        file.write_text(yaml.safe_dump(document))


@contextmanager
def fake_session(folder: Path) -> Iterator[tuple[Session, FakeEngine]]:
    """The session of a run with a journal, about all four services, and its engine."""
    stacks = folder / "stacks"
    stacks.mkdir(parents=True)
    (folder / "runs").mkdir()
    engine = FakeEngine(stacks)
    environment = Environment(
        name="local", region="us-east-1", files=StackFiles(stacks, "local"), runs=folder, poll_seconds=0.01
    )
    journal = Journal(folder / "runs" / "own.jsonl")
    session = Session(
        environment=environment,
        engine=cast("Engine", engine),
        console=Console(file=io.StringIO(), width=200),
        steps=tuple(row.step for row in rows()),
        parallel=1,
        journal=journal,
    )
    session.record("run-started", command="python automation/enable.py", pid=1, started="")
    yield session, engine
    journal.close()


def rows() -> list[Row]:
    """A row for each service."""
    return [Row(step=Step(service=name, stack=f"local-{name}", needs=needs)) for name, needs in GRAPH.items()]
