"""Another revision, deployed on an embedded AWS of its own, to preview the working tree against it.

No account is needed and none is touched: the base gets a fresh instance with its own state and port, simulated tasks
and credentials that mean nothing elsewhere. All of it is gone afterwards, whatever happens.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from automation import display, environments
from automation.engine import Engine
from automation.environment import ROOT, embedded
from automation.errors import UsageError
from automation.leftovers import Leftovers
from automation.run import Outcome, Row, State, execute
from automation.session import Session
from automation.stackfiles import StackFiles
from services import SERVICES, entries, fleet
from services.fleet_model import FleetError


@contextmanager
def deployed_base(session: Session, revision: str) -> Iterator[Sequence[Row]]:
    """Let `session` look at `revision` deployed; yields the rows of its deployment, which may have failed.

    Raises `UsageError` where there is no such revision.
    """
    commit = _commit(revision)
    scratch = Path(tempfile.mkdtemp(prefix="preview-"))
    tree, kept = scratch / "base", dict(os.environ)
    executable = session.engine.executable
    try:
        _git("worktree", "add", "--detach", "--quiet", str(tree), commit)
        (tree / ".venv").symlink_to(sys.prefix)
        with embedded(scratch / "aws", session.say) as parts:
            name = session.environment.name
            files = StackFiles(tree / "stacks", name, common=environments.read(tree, name), secrets=False)
            region = str(files.read(SERVICES.platforms[0].name).get("aws:region", session.environment.region))
            leftovers = Leftovers(scratch / "runs")
            session.environment = replace(session.environment, runs=scratch / "runs")
            session.engine = Engine(tree, executable, leftovers, inline=False, parts=parts)
            there = _services(tree)
            rows = [Row(step=step) for step in session.steps if step.service in there]
            session.say(f"Deploying {revision} on an embedded AWS of its own (about half a minute) …")
            for row in rows:
                files.write_changed(row.step.service, {"aws:region": region}, files.path(row.step.service))
            for step in session.steps:  # all of them in the base: making a stack writes to its file
                session.engine.create(step.stack)
            _deploy(session, rows)
            session.engine = Engine(ROOT, executable, leftovers, parts=parts)
            yield rows
    finally:
        os.environ.clear()
        os.environ.update(kept)
        _git("worktree", "remove", "--force", str(tree), check=False)
        shutil.rmtree(scratch, ignore_errors=True)
        _git("worktree", "prune", check=False)


def _services(tree: Path) -> Collection[str]:
    """The services of a revision: those of its fleet, or else those that have a module."""
    try:
        if declared := fleet.read(tree):
            return entries(declared)
    except FleetError as error:
        message = f"--against: in that revision {str(error).partition(' Next: ')[0]}"
        raise UsageError(
            message, next_command="git log --oneline -- fleet.yaml   (then take another revision)"
        ) from error
    own = {name for name, entry in SERVICES.items() if entry.declared is None}
    return {name for name in own or entries(None) if (tree / "services" / f"{name}.py").exists()}


def _deploy(session: Session, rows: Sequence[Row]) -> None:
    engine = session.engine

    def deploy(row: Row) -> Outcome:
        update = engine.up(row.step.stack, row.progress)
        if update.problem is not None:
            state = State.CANCELLED if session.cancelled.is_set() else State.FAILED
            return Outcome(state=state, reason=update.problem)
        return Outcome(state=State.DONE)

    board = display.Board(session.console, rows)
    with board.shown():
        execute(rows, deploy, parallel=session.parallel, observe=board.changed, cancelled=session.cancelled)


def _commit(revision: str) -> str:
    try:
        found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        message = f"--against: there is no revision '{revision}' here."
        raise UsageError(message, next_command="git fetch origin && git branch --all") from error
    return found.strip()


def _git(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=check, capture_output=True, text=True)
    return done.stdout
