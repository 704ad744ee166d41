"""What every command needs before it starts its own work: the environment, the CLI, the lock and the console.

Here, too, Ctrl-C is handled: the first cancels the engines in good order, the second ends them at once.
"""

import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import yaml
from rich.console import Console

from automation import runs
from automation.cli import Shared
from automation.engine import Engine
from automation.environment import ROOT, Environment, find_cli, resolve
from automation.errors import UsageError
from automation.journal import Journal, exclusive
from automation.leftovers import Leftovers
from automation.steps import Graph, Step, select
from automation.timings import Timed

LEFTOVER_SECONDS = 300  # how long to wait for a dead run's engines to finish what they had begun

GRAPH = Graph()


@dataclass(kw_only=True)
class Session:
    """One command at work."""

    environment: Environment
    engine: Engine
    console: Console
    steps: tuple[Step, ...]  # the stacks that the command is about, prerequisites first
    parallel: int
    journal: Journal | None = None  # only where the command changes something
    cancelled: threading.Event = field(default_factory=threading.Event)
    broken_since: datetime | None = None  # when what may be there twice was begun: a run was killed, or an answer lost
    begun: float = field(default_factory=time.time)  # seconds since the epoch
    timeline: list[Timed] = field(default_factory=list)  # of the steps that are not in the rows of a run

    @property
    def run(self) -> str:
        """The id of the run; "" for a command that changes nothing."""
        return self.journal.id if self.journal else ""

    @contextmanager
    def timed(self, name: str, service: str = "") -> Iterator[None]:
        """Note how long a step of the run takes, of one service or of all."""
        began = time.time()
        try:
            yield
        finally:
            self.timeline.append(Timed(name=name, service=service, began=began, ended=time.time()))

    def say(self, message: str) -> None:
        """A remark to the user."""
        self.console.print(message, highlight=False, markup=False, soft_wrap=True)

    def record(self, event: str, **facts: Any) -> None:
        """A line in the run's journal."""
        if self.journal is not None:
            self.journal.write(event, **facts)

    def meanwhile(self, *loads: Callable[[], object]) -> threading.Thread:
        """Do what a later step needs while there is something else to wait for; join it before what it did is used."""

        def work() -> None:
            for load in loads:
                load()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def deployed(self, stacks: dict[str, int]) -> list[str]:
        """The services whose stack holds at least one resource."""
        return [service for service in GRAPH if stacks.get(f"{self.environment.name}-{service}", 0) > 0]


@contextmanager
def opened(
    shared: Shared, *, changes: bool, find: Callable[[str, Callable[[str], None]], Environment] = resolve
) -> Iterator[Session]:
    """A session; with `changes` it alone may change the environment until it is closed. `find` makes its environment.

    Raises `UsageError` before anything is started when a service, the project file or the environment is wrong.
    """
    console = shared.console
    steps = select(GRAPH, shared.services, shared.environment)
    _check_project_file(ROOT / "Pulumi.yaml")
    if changes and not shared.yes and not (console.is_terminal and sys.stdin.isatty()):
        message = "This changes the deployment, and there is no terminal to ask on."
        raise UsageError(message, next_command=f"{shlex.join(_command())} --yes")

    def say(message: str) -> None:
        console.print(message, highlight=False, markup=False, soft_wrap=True)

    resolved = find(shared.environment, say)
    cli = find_cli(say)
    leftovers = Leftovers(resolved.runs)
    session = Session(
        environment=resolved,
        engine=Engine(ROOT, cli, leftovers, parts=resolved.engines),
        console=console,
        steps=steps,
        parallel=shared.parallel or max(2, os.cpu_count() or 2),
    )
    with _cancellable(session):
        if not changes:
            yield session
            return
        with exclusive(resolved.runs, shlex.join(_command())) as (journal, dead):
            session.journal = journal
            if dead:
                session.say(f"Taking over from a run that was killed: {dead}.")
                session.broken_since = dead.started
                _settle(session, leftovers)
            yield session


def _settle(session: Session, leftovers: Leftovers) -> None:
    """Let the dead run's engines finish, then clear locks that engines which died themselves left behind."""
    alive = leftovers.alive()
    if alive:
        session.say(f"Waiting for {len(alive)} of its engines to finish what they had begun …")
    if (seconds := leftovers.seconds_left()) > 0:
        session.say(f"Waiting {seconds:.0f} s for its engines on other machines to end …")
        session.cancelled.wait(seconds)
    own = session.journal.id if session.journal else ""
    if (dead := runs.latest(session.environment.runs, but=own)) is not None:
        session.engine.gone |= {(line["host"], line["process"]) for line in dead.of("stack-placed")}
    still_running = leftovers.wait(LEFTOVER_SECONDS)
    if still_running:
        pids = " ".join(str(process.pid) for process in still_running)
        message = f"Engines of the killed run still work after {LEFTOVER_SECONDS} s (processes {pids})."
        raise UsageError(message, next_command=f"kill -INT {pids}")
    ours = [stack for stack in session.engine.stacks() if stack.startswith(f"{session.environment.name}-")]
    with ThreadPoolExecutor(max_workers=session.parallel) as pool:
        list(pool.map(session.engine.unlock, session.engine.locked(ours)))


@contextmanager
def _cancellable(session: Session) -> Iterator[None]:
    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        again = session.cancelled.is_set()
        session.cancelled.set()
        remark = (
            "Ending the engines at once."
            if again
            else "Stopping: the engines finish what is in flight (again: at once)."
        )
        sys.stderr.write(f"\n{remark}\n")
        session.engine.interrupt()

    previous = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _check_project_file(path: Path) -> None:
    """A malformed Pulumi.yaml is told here, once, instead of by four engines."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{path.name} is missing.", next_command=f"git checkout -- {path.name}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = str(error).replace("\n", " ")
        raise UsageError(f"{path.name} is malformed: {why}", next_command=f"git checkout -- {path.name}") from error
    if not isinstance(document, dict) or "name" not in document or "runtime" not in document:
        message = f"{path.name} is malformed: it must be a mapping with 'name' and 'runtime'"
        raise UsageError(message, next_command=f"git checkout -- {path.name}")


def _command() -> list[str]:
    return ["python", *sys.argv]
