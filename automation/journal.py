"""One run at a time in an environment, and a record of what each run did.

The lock is the operating system's: it ends with the process that holds it, however that ends. `owner.json` beside it
only tells who holds it; one that is found under a free lock was left by a run that was killed.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from automation.errors import AutomationError, ExitCode, LockedError, UsageError

_KEPT_RUNS = 200


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who holds, or held, an environment."""

    pid: int
    started: datetime
    command: str

    def __str__(self) -> str:
        return f"'{self.command}', process {self.pid}, started {self.started.astimezone():%Y-%m-%d %H:%M:%S}"


class Journal:
    """A run's record: one JSON object a line, written before and after each step."""

    def __init__(self, file: Path) -> None:
        self.id = file.stem
        self._file = file.open("a", encoding="utf-8")
        self._guard = threading.Lock()  # stacks report from their own threads

    def write(self, event: str, **facts: Any) -> None:
        """Append one line; it is on disk when this returns."""
        line = json.dumps({"time": datetime.now(UTC).isoformat(), "event": event, **facts}) + "\n"
        with self._guard:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextmanager
def exclusive(folder: Path, command: str) -> Iterator[tuple[Journal, Owner | None]]:
    """Hold the environment; yields the run's journal and the killed owner it was taken over from, if any.

    Raises `LockedError` when another run holds it, `UsageError` when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", blocking=False)
        lock.acquire()
    except Timeout as error:
        message = f"Another run holds environment '{folder.name}': {_owner(folder) or 'it is just starting'}."
        raise LockedError(message, next_command="wait for it to end, or stop it with Ctrl-C where it runs") from error
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        dead = _owner(folder)
        journal = _start(folder, command)
        try:
            yield journal, dead
        except AutomationError as error:
            _ended(journal, error.exit_code, str(error))
            raise
        except BaseException as error:
            _ended(journal, ExitCode.STACK_FAILED, repr(error))
            raise
        finally:
            journal.close()
            (folder / "owner.json").unlink(missing_ok=True)
    finally:
        lock.release()


def folder_of(environment: str) -> Path:
    """Where the locks and journals of an environment are."""
    return Path(__file__).resolve().parent.parent / ".runs" / environment


def unwritable(path: Path, error: OSError) -> UsageError:
    """The one answer to a disk that is full or read-only."""
    reason = error.strerror or str(error)
    return UsageError(f"Cannot write to {path}: {reason}.", next_command=f"df -h {path.parent} && ls -ld {path.parent}")


def _start(folder: Path, command: str) -> Journal:
    now = datetime.now(UTC)
    try:
        runs = folder / "runs"
        runs.mkdir(exist_ok=True)
        for old in sorted(runs.glob("*.jsonl"))[: -_KEPT_RUNS + 1]:
            old.unlink(missing_ok=True)
        owner = {"pid": os.getpid(), "started": now.isoformat(), "command": command}
        temporary = folder / "owner.json.new"
        temporary.write_text(json.dumps(owner), encoding="utf-8")
        temporary.replace(folder / "owner.json")
        journal = Journal(runs / f"{now:%Y%m%dT%H%M%S}-{os.getpid()}.jsonl")
        journal.write("run-started", **owner)
    except OSError as error:
        raise unwritable(folder, error) from error
    return journal


def _ended(journal: Journal, code: ExitCode, message: str) -> None:
    with suppress(OSError):  # the disk may be what ended it
        journal.write("run-ended", exitCode=code, summary=message)


def _owner(folder: Path) -> Owner | None:
    try:
        facts = json.loads((folder / "owner.json").read_text(encoding="utf-8"))
        return Owner(pid=facts["pid"], started=datetime.fromisoformat(facts["started"]), command=facts["command"])
    except (OSError, ValueError, KeyError):
        return None
