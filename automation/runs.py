"""What the journals say of earlier runs; reads files, and neither AWS nor Pulumi's state.

A journal is readable however its run ended: of a run that was killed the last line may be torn, and is left out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from automation.errors import ExitCode

FLIPS = ("enable", "disable", "deploy")

_OUTCOMES = {
    ExitCode.DONE: "done",
    ExitCode.STACK_FAILED: "failed",
    ExitCode.BAD_USAGE: "refused",
    ExitCode.NOT_VERIFIED: "not verified",
    ExitCode.INTERRUPTED: "interrupted",
}

Facts = Mapping[str, Any]  # one line of a journal


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run, as its journal has it."""

    id: str
    lines: Sequence[Facts]  # the first is the run's start
    alive: bool = False  # whether its process still works

    @property
    def begun(self) -> datetime:
        """When it began, UTC."""
        return datetime.fromisoformat(self.lines[0]["time"])

    @property
    def seconds(self) -> float | None:
        """How long it took; None as long as that is not known."""
        if self._end is None:
            return None
        return (datetime.fromisoformat(self._end["time"]) - self.begun).total_seconds()

    @property
    def command_line(self) -> str:
        """As it was typed."""
        return str(self.lines[0].get("command", ""))

    @property
    def command(self) -> str:
        """``enable``."""
        return Path(([*self.command_line.split(), "", ""])[1]).stem

    @property
    def wish(self) -> Facts:
        """What a flip was asked for: `services`, `settings` and `waves`; empty for other commands."""
        return next(self.of("wished"), {})

    @property
    def services(self) -> list[str]:
        """Those that it was about, as far as it got to say so."""
        named = [str(line["service"]) for line in self.lines if "service" in line]
        return list(self.wish.get("services") or dict.fromkeys(named))

    @property
    def exit_code(self) -> int | None:
        """What the process answered; None for one that was killed or still works."""
        return None if self._end is None else int(self._end["exitCode"])

    @property
    def declined(self) -> bool:
        """The plan was shown and not agreed to."""
        return bool(self._end and self._end.get("declined"))

    @property
    def outcome(self) -> str:
        """In one or two words."""
        if self.exit_code is None:
            return "running" if self.alive else "killed"
        return "declined" if self.declined else _OUTCOMES.get(ExitCode(self.exit_code), "failed")

    @property
    def summary(self) -> str:
        """The sentence that it ended with."""
        return str(self._end["summary"]) if self._end else ""

    @property
    def is_open(self) -> bool:
        """Whether something is left of it to do."""
        return self.exit_code != ExitCode.DONE

    @property
    def succeeded(self) -> dict[str, str]:
        """The services that were brought to what was wished and verified, and their configuration's fingerprint."""
        found: dict[str, str] = {}
        for line in self.lines:
            if line["event"] in ("stack-ended", "stack-kept") and line.get("outcome") in ("done", "unchanged"):
                found[line["service"]] = line["configuration"]
            elif line["event"] in ("stack-started", "rollback-started"):
                found.pop(line.get("service", ""), None)
        return {service: configuration for service, configuration in found.items() if service not in self.unverified}

    @property
    def unverified(self) -> list[str]:
        """The services that AWS did not run as they were deployed."""
        problems = {service: each for line in self.of("verified") for service, each in line["problems"].items()}
        return [service for service, each in problems.items() if each]

    @property
    def before(self) -> dict[str, dict[str, str | None]]:
        """What the run overwrote of each service's configuration, first values, by full key."""
        found: dict[str, dict[str, str | None]] = {}
        for line in self.lines:
            if line["event"] == "stack-started" and "before" in line:
                found[line["service"]] = {**line["before"], **found.get(line["service"], {})}
            elif line["event"] == "rollback-ended" and line["outcome"] in ("done", "unchanged"):
                found.pop(line["service"], None)
        return found

    def of(self, event: str) -> Iterator[Facts]:
        """The lines about one kind of event."""
        return (line for line in self.lines if line["event"] == event)

    @property
    def _end(self) -> Facts | None:
        return next(self.of("run-ended"), None)


def every(folder: Path) -> list[Run]:
    """The runs of an environment, newest first; `folder` is the environment's."""
    owner = _json((folder / "owner.json").read_text(encoding="utf-8")) if (folder / "owner.json").exists() else None
    found = [run for file in (folder / "runs").glob("*.jsonl") if (run := _read(file, owner))]
    return sorted(found, key=lambda run: run.begun, reverse=True)


def latest(folder: Path, *, but: str = "") -> Run | None:
    """The newest run that did something, or died before it said that it would not; `but` is the id of one's own."""
    return next(
        (run for run in every(folder) if run.id != but and not run.declined and run.exit_code != ExitCode.BAD_USAGE),
        None,
    )


def _read(file: Path, owner: Facts | None) -> Run | None:
    texts = file.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line for line in map(_json, texts) if line and "event" in line]
    if not lines or lines[0]["event"] != "run-started":
        return None
    alive = owner is not None and owner.get("started") == lines[0].get("started") and _works(lines[0])
    return Run(id=file.stem, lines=lines, alive=alive)


def _works(start: Facts) -> bool:
    """Whether the process that wrote this still works, and is not another with its number."""
    try:
        return psutil.Process(start["pid"]).create_time() <= datetime.fromisoformat(start["time"]).timestamp()
    except psutil.NoSuchProcess:
        return False


def _json(text: str) -> Facts | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
