"""What the tracing flag adds to a task. No other module knows.

Four things: the flag in Envoy's environment (and the sampling rate where it is not Envoy's own), a collector as a
sidecar, Envoy's waiting for its start, and the right of the task to write to X-Ray. A collector that can't run as the
user that the task's redirection spares brings a fifth: the redirection spares its group. Source: section 4 of the
architecture's reference, repaired as docs/differences.md says.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from envoymesh import Endpoint, Tracing
from services.collectors import COLLECTORS, RESERVATION, lacks_region
from services.containers import ENVOY_NAME, PROXY_USER, Container, Logs, environment
from services.settings import DEFAULT_SAMPLING_RATE, Settings

__all__ = [
    "DEFAULT_SAMPLING_RATE",
    "ENVOY_NAME",
    "FLAG_VARIABLE",
    "NAMES",
    "POLICY_ARN",
    "RATE_VARIABLE",
    "SIDECAR_NAME",
    "TaskContents",
    "findings",
    "instrument",
    "tracer",
]

POLICY_ARN = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
FLAG_VARIABLE = "ENABLE_ENVOY_XRAY_TRACING"
RATE_VARIABLE = "XRAY_SAMPLING_RATE"
SIDECAR_NAME = "xray"  # whichever collector it is, so that whoever looks for it need not know
SIDECAR_RESERVATION = RESERVATION

# What of it shows in a plan, for the checks, which import nothing from here: the fields of `checks.tracing.Names`.
NAMES: Mapping[str, str] = {
    "envoy": ENVOY_NAME,
    "sidecar": SIDECAR_NAME,
    "flag": FLAG_VARIABLE,
    "rate": RATE_VARIABLE,
    "policy_arn": POLICY_ARN,
    "proxy_user": PROXY_USER,
}

_WAIT_FOR_SIDECAR = {"containerName": SIDECAR_NAME, "condition": "START"}


@dataclass(frozen=True, kw_only=True)
class TaskContents:
    """What the flag can change of a task."""

    containers: tuple[Container, ...]
    policies: tuple[str, ...] = ()  # ARNs of managed policies of the task role
    redirection: Mapping[str, str] = field(default_factory=dict)  # properties of its proxy configuration, if it has one


def instrument(contents: TaskContents, settings: Settings, logs: Logs) -> TaskContents:
    """`contents` as the settings want it: unchanged with the flag off."""
    if not settings.tracing:
        return contents
    traced = (
        _traced_envoy(container, settings) if container["name"] == ENVOY_NAME else container
        for container in contents.containers
    )
    return TaskContents(
        containers=(*traced, _sidecar(settings, logs)),
        policies=(*contents.policies, POLICY_ARN),
        redirection=_redirection(contents, settings),
    )


def tracer(mesh: str, node: str, settings: Settings) -> Tracing | None:
    """What the bootstrap of a plain Envoy has of it; App Mesh's image reads its environment instead."""
    if not settings.tracing:
        return None
    return Tracing(
        segment_name=f"{mesh}/{node}",
        daemon=Endpoint(address="127.0.0.1", port=2000),
        mesh=mesh,
        node=node,
        sampling_rate=settings.sampling_rate,
    )


def _traced_envoy(envoy: Container, settings: Settings) -> Container:
    variables = {variable["name"]: variable["value"] for variable in envoy["environment"]}
    variables[FLAG_VARIABLE] = "1"
    if settings.sampling_rate != DEFAULT_SAMPLING_RATE:
        variables[RATE_VARIABLE] = f"{settings.sampling_rate:g}"
    # Envoy never resends a segment: those from before the daemon listens would be lost.
    waits_for = [*envoy.get("dependsOn", ()), _WAIT_FOR_SIDECAR]
    return {**envoy, "environment": environment(variables), "dependsOn": waits_for}


def _sidecar(settings: Settings, logs: Logs) -> Container:
    collector = COLLECTORS[settings.collector](settings.region)
    return {
        "name": SIDECAR_NAME,
        "image": collector.image,
        # Losing it costs traces, not the application: it is restarted in place and leaves the task alone.
        "essential": False,
        "restartPolicy": {"enabled": True},
        "memoryReservation": SIDECAR_RESERVATION,
        "user": collector.user,
        # Without a region it asks the EC2 metadata, which Fargate has not, and exits.
        "environment": environment({"AWS_REGION": settings.region, **collector.variables}),
        "logConfiguration": logs.under("/xray-container"),
        **({"healthCheck": collector.health_check} if collector.health_check else {}),
    }


def _redirection(contents: TaskContents, settings: Settings) -> Mapping[str, str]:
    group = COLLECTORS[settings.collector](settings.region).spared_group
    return {**contents.redirection, "IgnoredGID": group} if contents.redirection and group else contents.redirection


def findings(
    container_definitions: Sequence[Mapping[str, Any]], policy_arns: Collection[str], *, tracing: bool
) -> list[str]:
    """What contradicts the wanted flag, in sentences for the user; empty when all is consistent.

    `container_definitions` are as ECS's DescribeTaskDefinition answers them, `policy_arns` those of the task role's
    managed policies.
    """
    containers = {container["name"]: container for container in container_definitions}
    envoy = containers.get(ENVOY_NAME)
    if envoy is None:
        return [f"the task has no container '{ENVOY_NAME}'"]
    variables = {variable["name"]: variable["value"] for variable in envoy.get("environment", ())}
    waits = SIDECAR_NAME in {other["containerName"] for other in envoy.get("dependsOn", ())}
    # What is there, and how its absence (wanted: on) and its presence (wanted: off) are told.
    signs = (
        (variables.get(FLAG_VARIABLE) == "1", f"{FLAG_VARIABLE}=1 in Envoy's environment"),
        (SIDECAR_NAME in containers, f"the container '{SIDECAR_NAME}'"),
        (waits, f"Envoy's waiting for '{SIDECAR_NAME}' to start"),
        (POLICY_ARN in policy_arns, f"the policy {POLICY_ARN.rpartition('/')[2]} on the task role"),
    )
    if tracing:
        found = [f"{what} is missing" for present, what in signs if not present]
        return found + _sidecar_findings(containers.get(SIDECAR_NAME))
    leftover_rate = (RATE_VARIABLE in variables, f"{RATE_VARIABLE} in Envoy's environment")
    return [f"{what} is still there" for present, what in (*signs, leftover_rate) if present]


def _sidecar_findings(sidecar: Mapping[str, Any] | None) -> list[str]:
    if sidecar is None or not lacks_region(sidecar):
        return []
    return [f"the container '{SIDECAR_NAME}' has no AWS_REGION and cannot start"]
