"""Why a hop is not on the service map, found by looking: in ECS, in IAM, in the logs and in what X-Ray has.

Each look either finds the cause or passes on to the next; the order is that of a segment's way from Envoy to the map.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from automation.hops import End, Hop
from automation.verify import Aws
from checks.collectors import read
from checks.tracing import variables
from services import tracing
from services.collectors import behaviour, lacks_region

Kind = Literal[
    "no-sidecar",
    "no-policy",
    "no-region",
    "not-heard",
    "sidecar-stopped",
    "no-traffic",
    "sampled-away",
    "header-not-forwarded",
    "not-delivered",
    "unknown",
]

_ACCESS_LOG = "/mesh-envoy-container"
_COLLECTOR_LOG = "/xray-container"
# A filter pattern of CloudWatch Logs, and what tells a request from what else an Envoy may log of one.
_HTTP = '"HTTP/1"'
_REQUEST = re.compile(r'"[A-Z]+ \S+ HTTP/[\d.]+" \d{3} ')
_PERCENT = 100


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The likeliest cause, and what to do about it."""

    kind: Kind
    message: str
    next_command: str | None = None


def find(hop: Hop, aws: Aws, *, since: float, sent: int | None, option: str = "") -> Cause:
    """The cause why `hop` has not been seen since `since` (seconds since the epoch).

    `sent` is how many requests are known to have been sent, None where nobody counted; `option` is what commands need
    to mean the environment.
    """
    looks: Sequence[Callable[[], Iterator[Cause]]] = (
        lambda: _at_both_ends(hop, aws, option),
        lambda: _in_the_logs(hop, aws, since, sent, option),
    )
    try:
        for look in looks:
            for cause in look():
                return cause
    except (BotoCoreError, ClientError) as error:
        return Cause(kind="unknown", message=f"AWS could not be asked for the cause: {error}")
    return Cause(
        kind="unknown",
        message=(
            "both ends are set up for tracing and requests arrive; X-Ray may need another minute, "
            f"or the collector's log tells more (log group {hop.target.log_group})"
        ),
        next_command=f"python automation/traces.py wait{option}",
    )


def not_forwarded(hop: Hop) -> Cause:
    """The cause of a hop that is seen, but in traces of its own."""
    return Cause(
        kind="header-not-forwarded",
        message=(
            f"the application of {hop.source.service} does not pass X-Amzn-Trace-Id on from the request it gets to the "
            f"one it makes, so its call to {hop.target.service} begins a trace of its own"
        ),
    )


def _at_both_ends(hop: Hop, aws: Aws, option: str) -> Iterator[Cause]:
    for end in (hop.source, hop.target):
        running = aws.services([end.target]).get(end.service)
        if running is None:
            yield Cause(kind="unknown", message=f"ECS has no active service {end.target.ecs_service}")
            continue
        containers = {each["name"]: each for each in aws.containers(running["taskDefinition"])}
        again = f"python automation/enable.py {end.service}{option} --refresh"
        sidecar = containers.get(tracing.SIDECAR_NAME)
        if sidecar is None or variables(containers.get(tracing.ENVOY_NAME, {})).get(tracing.FLAG_VARIABLE) != "1":
            missing = "runs no X-Ray sidecar" if sidecar is None else "has an Envoy whose tracing is off"
            yield Cause(kind="no-sidecar", message=f"{end.service} {missing}", next_command=again)
            continue
        if tracing.POLICY_ARN not in aws.policies(end.target.role):
            policy = tracing.POLICY_ARN.rpartition("/")[2]
            what = behaviour(sidecar).words.split()[-1]
            message = f"the task role of {end.service} lacks {policy}, so its {what} may not write to X-Ray"
            yield Cause(kind="no-policy", message=message, next_command=again)
        yield from _unheard(end, sidecar, again)
        yield from _stopped_sidecar(end, sidecar, aws, again)


def _unheard(end: End, sidecar: Mapping[str, Any], again: str) -> Iterator[Cause]:
    collector = read(sidecar, variables(sidecar))
    if collector and collector.unheard:
        message = f"the {behaviour(sidecar).words} of {end.service} does not hear Envoy: {collector.unheard}"
        yield Cause(kind="not-heard", message=message, next_command=again)


def _stopped_sidecar(end: End, sidecar: Mapping[str, Any], aws: Aws, again: str) -> Iterator[Cause]:
    stopped = [
        container
        for task in aws.tasks([end.target])[end.target.service]
        for container in task["containers"]
        if container["name"] == tracing.SIDECAR_NAME and container["lastStatus"] == "STOPPED"
    ]
    if not stopped:
        return
    words = behaviour(sidecar).words
    if lacks_region(sidecar):
        message = f"the {words} of {end.service} has no region and ended at once: set AWS_REGION in its environment"
        yield Cause(kind="no-region", message=message, next_command=again)
    code, reason = stopped[0].get("exitCode"), stopped[0].get("reason") or "no reason given"
    message = f"the {words} of {end.service} has stopped (exit code {code}: {reason})"
    yield Cause(kind="sidecar-stopped", message=message, next_command=f"aws logs tail {end.log_group}")


def _in_the_logs(hop: Hop, aws: Aws, since: float, sent: int | None, option: str) -> Iterator[Cause]:
    lines = aws.log_lines(hop.target.log_group, _ACCESS_LOG, since, _HTTP)
    arrived = sum(bool(_REQUEST.search(line)) for line in lines)
    if not arrived:
        counted = f" ({sent} were sent to the gateway)" if sent else ""
        message = f"no request has reached {hop.target.service}{counted}"
        yield Cause(
            kind="no-traffic", message=message, next_command=f"python automation/enable.py{option} --traffic 200"
        )
    for end in (hop.source, hop.target):
        containers = {each["name"]: each for each in aws.containers(end.target.task_definition)}
        collector = behaviour(containers.get(tracing.SIDECAR_NAME, {}))
        for line in aws.log_lines(end.log_group, _COLLECTOR_LOG, since, collector.undelivered)[-1:]:
            message = f"the {collector.words} of {end.service} could not deliver: {line}"
            yield Cause(kind="not-delivered", message=message, next_command=f"aws logs tail {end.log_group}")
    # The first Envoy on the way decides.
    rate = hop.source.sampling_rate
    if rate < 1:
        message = (
            f"{arrived} requests reached {hop.target.service}, and none of them was sampled: beyond the first of each "
            f"second, which other calls may take, {rate * _PERCENT:g} % are"
        )
        yield Cause(
            kind="sampled-away", message=message, next_command=f"python automation/enable.py{option} --sampling-rate 1"
        )
