"""What to compare with `traces.py compare --run`: the time before a run, and the time after it.

A run's times are in its journal, if it was made on this machine; else in its trace, if it was sent; else in AWS, where
the task definitions that it registered bear its id.
"""

import math
from collections.abc import Mapping
from datetime import datetime

from automation import review, runs, runtrace
from automation.cli import Reading, Shared
from automation.environment import Environment
from automation.errors import UsageError
from automation.hops import Outputs
from automation.journal import folder_of
from automation.runs import Run
from automation.session import opened
from automation.verify import Aws, Target
from services.run import TAG
from traces.fetch import XRay
from traces.model import Trace
from traces.ranges import Range

MOST_SECONDS = 600  # of either range, as of all that traces.py shows unless told otherwise

Times = tuple[float, float]  # begin of the first deployment, end of the last verification; seconds since the epoch


def ranges_of(given: Reading, run: str, now: datetime) -> tuple[Range, Range]:
    """The ranges before and after a run. Neither reaches into the runs before and after it, as far as they are known.

    Raises `UsageError` for an id that nobody knows, and for a run that deployed nothing or has not ended.
    """
    option = "" if given.environment == "local" else f" --env {given.environment}"
    listing = f"python automation/history.py{option}"
    known = runs.every(folder_of(given.environment))
    own = next((each for each in known if each.id == run), None)
    times = _in_journal(own) if own else _elsewhere(given, run)
    if times is None:
        message = (
            f"Run '{run}' deployed nothing, or has not ended."
            if own
            else f"There is no run '{run}' in environment '{given.environment}': no journal here, no trace, no tag."
        )
        raise UsageError(message, next_command=listing)
    return _around(times, [found for each in known if each.id != run and (found := _in_journal(each))], now)


def _around(times: Times, others: list[Times], now: datetime) -> tuple[Range, Range]:
    begin, end = math.floor(times[0]), math.ceil(times[1])
    since = max([begin - MOST_SECONDS, *(math.ceil(other[1]) for other in others if other[1] <= begin)])
    until = min([end + MOST_SECONDS, *(math.floor(other[0]) for other in others if other[0] >= end)])
    latest = math.ceil(now.timestamp())
    return Range(min(since, begin - 1), begin), Range(end, max(end + 1, min(until, latest)))


def _in_journal(run: Run) -> Times | None:
    begun = next(run.of("stack-started"), None)
    ended = [line for kind in ("stack-ended", "verified") for line in run.of(kind)]
    if begun is None or not ended or run.exit_code is None:
        return None
    stamps = [datetime.fromisoformat(line["time"]).timestamp() for line in (begun, *ended)]
    return stamps[0], max(stamps[1:])


def _elsewhere(given: Reading, run: str) -> Times | None:
    if runtrace.begun(run) is None:
        return None
    shared = Shared(environment=given.environment, as_json=given.as_json, services=(), yes=False, parallel=None)
    with opened(shared, changes=False) as session:
        found = XRay.of(session.environment.region).traces([runtrace.trace_id(given.environment, run)]).value
        if found and (times := _in_trace(found[0])):
            return times
        return _in_tags(run, review.outputs(session), session.environment)


def _in_trace(trace: Trace) -> Times | None:
    steps = [segment for _, segment in trace.walk() if segment.name in ("deploy", "verify") and segment.end]
    begun = [segment.start for segment in steps if segment.name == "deploy"]
    return (min(begun), max(segment.end or segment.start for segment in steps)) if begun else None


def _in_tags(run: str, outputs: Mapping[str, Outputs], environment: Environment) -> Times | None:
    """From the registration of the first task definition that bears the id to the end of the last one's rollout."""
    aws = Aws(region=environment.region)
    targets = [Target.from_outputs(service, found, tracing=True) for service, found in outputs.items()]
    bearing = {target.service: at for target in targets if (at := _registered(run, target, aws))}
    if not bearing:
        return None
    services = aws.services([target for target in targets if target.service in bearing])
    rollouts = [each["updatedAt"].timestamp() for found in services.values() for each in found["deployments"]]
    return min(bearing.values()), max([*bearing.values(), *rollouts])


def _registered(run: str, target: Target, aws: Aws) -> float | None:
    """When what runs was registered, if the run did it."""
    answer = aws.ecs.describe_task_definition(taskDefinition=target.task_definition, include=["TAGS"])
    bears = {"key": TAG, "value": run} in answer.get("tags", ())
    return float(answer["taskDefinition"]["registeredAt"].timestamp()) if bears else None
