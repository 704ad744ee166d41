"""The run as a trace: what `--run-traces`, or `runTraces` of the environment's file, sends at its end."""

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from automation import spans
from automation.report import Report
from automation.session import Session

_ID = re.compile(r"\d{8}T\d{6}-\d+")


def publish(
    session: Session, reports: Sequence[Report], document: Mapping[str, Any], wanted: str | None = None
) -> None:
    """Send a run's trace where it is `wanted` (None: where the environment's file says); one remark of it.

    `reports` are those of its flips, `document` is what `--json` prints of it. It takes a few seconds at most, and that
    it cannot be sent is no failure of the run.
    """
    to = wanted or session.environment.files.common.run_traces or "off"
    if to == "off" or not session.run or not reports:
        return
    from automation import telemetry  # noqa: PLC0415 - loaded by who wants it alone

    environment = session.environment
    trace = trace_id(environment.name, session.run)
    about = {"run": session.run, "environment": environment.name, "command": document["command"]}
    run = spans.Run(
        about={**about, "exit": document["exitCode"]},
        problem=document["summary"] if document["exitCode"] else "",
        began=session.begun,
        ended=time.time(),
        rows=[row for report in reports for row in report.rows],
        rolled_back=[row for report in reports for row in report.rolled_back],
        timeline=session.timeline,
        doing="destroy" if document["command"] == "destroy" else "deploy",
        wall=time.time() - time.monotonic(),
    )
    problem = telemetry.send(spans.of(run), trace, to=to, region=environment.region)
    if problem:
        session.say(f"The run's trace is not complete: {problem}.")
    elif to == "xray":
        session.say(f"The run as a trace: python automation/traces.py show {trace}{environment.option}")
    else:
        session.say(f"The run as a trace: {plain(trace)}")


def begun(run: str) -> datetime | None:
    """When the run with an id began, UTC; None where that is no id of a run."""
    return datetime.strptime(run.partition("-")[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if _ID.fullmatch(run) else None


def trace_id(environment: str, run: str) -> str:
    """The id that a run's trace has, as X-Ray writes it; it follows from the run's own."""
    when = begun(run)
    seconds = int(when.timestamp()) if when else 0
    return f"1-{seconds:08x}-{hashlib.sha256(f'{environment}/{run}'.encode()).hexdigest()[:24]}"


def plain(trace: str) -> str:
    """A trace id as everybody but X-Ray writes it: 32 hex digits."""
    return trace.removeprefix("1-").replace("-", "")
