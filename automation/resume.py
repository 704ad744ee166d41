"""--resume: the last run's wish once more, without the stacks that it brought to their end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from automation import runs
from automation.deployment import verified_as
from automation.errors import UsageError
from automation.report import Report
from automation.run import State
from automation.runs import FLIPS, Run
from automation.session import Session
from automation.verify import Aws, is_deployed, look


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What is taken over from the run that is continued."""

    id: str
    begun: datetime
    services: Sequence[str]
    settings: Mapping[str, str]
    waves: str
    succeeded: Mapping[str, str] = field(default_factory=dict)  # configuration's fingerprint by service
    before: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)  # overwritten configuration by service


def earlier(folder: Path, command: str, environment: str) -> Earlier:
    """The run of an environment that is to be continued with `command`; `folder` is the environment's.

    Raises `UsageError` where there is none, or where it was another command.
    """
    option = "" if environment == "local" else f" --env {environment}"
    last = runs.latest(folder)
    if last is None:
        message = f"Nothing to resume: there was no run in environment '{environment}' yet."
        raise UsageError(message, next_command=f"python automation/{command}.py{option}")
    told = f"the last run ({last.id}, {last.command}"
    if not last.is_open:
        message = f"Nothing to resume: {told}) in environment '{environment}' came to its end."
        raise UsageError(message, next_command=f"python automation/history.py{option}")
    if last.command not in FLIPS:
        message = f"Nothing to resume: {told}, {last.outcome}) goes on when it is called again."
        raise UsageError(message, next_command=last.command_line)
    if last.command != command:
        message = f"There is no {command} to resume: {told}, {last.outcome}) is another command."
        raise UsageError(message, next_command=f"{command_for(last)}{option}")
    if not last.wish:
        message = f"Nothing to resume: {told}, {last.outcome}) ended before it began."
        raise UsageError(message, next_command=last.command_line.replace(" --resume", ""))
    return Earlier(
        id=last.id,
        begun=last.begun,
        services=last.wish["services"],
        settings=last.wish["settings"],
        waves=last.wish["waves"],
        succeeded=last.succeeded,
        before=last.before,
    )


def command_for(run: Run) -> str:
    """``python automation/enable.py --resume``."""
    return f"python automation/{run.command}.py --resume"


def hint(session: Session) -> None:
    """Tell of a flip that was killed, unless this run continues it."""
    own = session.journal.id if session.journal else ""
    last = runs.latest(session.environment.runs, but=own)
    if last is not None and last.outcome == "killed" and last.command in FLIPS and last.wish:
        session.say(f"resume: {command_for(last)}{session.environment.option}")


def take_over(session: Session, report: Report, wanted: Mapping[str, str], before: Earlier, aws: Aws) -> None:
    """Make final what needs nothing more: it succeeded, its configuration is still the same, and AWS runs it."""
    files = session.environment.files
    session.broken_since = before.begun
    for row in report.rows:
        row.before = before.before.get(row.step.service, {})
    same = [
        row
        for row in report.rows
        if before.succeeded.get(row.step.service) == files.fingerprint(row.step.service)
        and not files.missing(row.step.service, wanted)
    ]
    targets = verified_as(session, same, report.traced)
    running = look(targets, aws)
    kept = [row for row, target in zip(same, targets, strict=True) if is_deployed(target, running[target.service])]
    for row in kept:
        row.state, row.reason = State.UNCHANGED, f"done by run {before.id}"
        session.record(
            "stack-kept",
            service=row.step.service,
            stack=row.step.stack,
            outcome=State.UNCHANGED,
            configuration=before.succeeded[row.step.service],
        )
    done = ", ".join(row.step.service for row in kept)
    session.say(f"Continuing run {before.id}" + (f"; done already: {done}." if done else "."))
