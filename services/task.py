"""One Fargate task of the mesh: log group, roles and task definition; the same for the gateway and every service."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import pulumi

from services import images, tracing
from services.aws import cloudwatch, ecs, iam
from services.containers import (
    ENVOY_NAME,
    PROXY_USER,
    Application,
    Container,
    Envoy,
    Logs,
    healthy,
    serialise,
)
from services.run import RUN, TAG
from services.settings import Settings, SettingsError
from services.sizes import FREE_SHARE, TASK_CPU, TASK_MEMORY

LOG_RETENTION = 7  # days

_TRUST_ECS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)

# What enters and leaves the task goes through Envoy, except for the traffic of Envoy itself and of the collector, and
# for that to the addresses from which ECS and EC2 hand out credentials and metadata.
_REDIRECTION = {
    "EgressIgnoredIPs": "169.254.170.2,169.254.169.254",
    "IgnoredUID": PROXY_USER,
    "ProxyEgressPort": "15001",
    "ProxyIngressPort": "15000",
}


@dataclass(frozen=True, kw_only=True)
class TaskPlan:
    """What runs in the task. Without an application it is a gateway's.

    Raises:
        ValueError: the application's container has a name that is taken, or the containers reserve too much memory.
    """

    family: str
    envoy: Envoy
    application: Application | None = None
    cpu: int = TASK_CPU
    memory: int = TASK_MEMORY

    def __post_init__(self) -> None:
        name = self.application.name if self.application else None
        if name in (ENVOY_NAME, tracing.SIDECAR_NAME):
            raise ValueError(
                f"`application` may not be named '{name}': `envoy` and the tracing sidecar have these names"
            )
        reserved = self.envoy.reservation + tracing.SIDECAR_RESERVATION
        reserved += self.application.reservation if self.application else 0
        most = int(self.memory * (1 - FREE_SHARE))
        if reserved > most:
            raise ValueError(
                f"`application` and `envoy` reserve {reserved} MiB with the tracing sidecar; "
                f"of the task's {self.memory} MiB at most {most} may be reserved"
            )


class Seat(Protocol):
    """An Envoy's place in a mesh."""

    @property
    def redirected(self) -> bool:
        """Whether what enters and leaves the task is to be redirected into the Envoy."""

    @property
    def arn(self) -> pulumi.Input[str] | None:
        """Of the node or gateway of App Mesh that the task's Envoy may represent; None where there is none."""

    def container(self, envoy: Envoy, logs: Logs) -> Container:
        """The Envoy's container definition."""


@dataclass(frozen=True, kw_only=True)
class AppMeshSeat:
    """A virtual node or gateway of App Mesh, which tells its Envoy what to do."""

    arn: pulumi.Input[str]
    redirected: bool = True

    def container(self, envoy: Envoy, logs: Logs) -> Container:
        """The Envoy's container definition."""
        return envoy.container(images.ENVOY, self.arn, logs)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task as registered with ECS."""

    definition: ecs.TaskDefinition
    role: iam.Role
    logs: cloudwatch.LogGroup
    rights: Sequence[pulumi.Resource]  # what must exist before the task can start


def register_task(owner: pulumi.Resource, name: str, plan: TaskPlan, *, seat: Seat, settings: Settings) -> Task:
    """Register the task of the component `owner`, whose Envoy has that seat in the mesh.

    Raises:
        SettingsError: its containers do not fit into the size that the settings give it.
    """
    try:
        plan = replace(plan, cpu=settings.cpu or plan.cpu, memory=settings.memory or plan.memory)
    except ValueError as error:
        next_command = "pulumi config set memory auto"
        raise SettingsError(f"memory is '{settings.memory}', but {error}. Next: {next_command}") from error
    opts = pulumi.ResourceOptions(parent=owner)
    group = cloudwatch.LogGroup(f"{name}-logs", retention_in_days=LOG_RETENTION, opts=opts)
    logs = Logs(group=group.name, region=settings.region)
    containers = [plan.application.container(logs, after_envoy=seat.redirected)] if plan.application else []
    envoy = seat.container(plan.envoy, logs)
    if plan.application and not seat.redirected:
        # What starts first ends last: the application answers for as long as its Envoy does, which ends late.
        envoy = {**envoy, "dependsOn": [healthy(plan.application.name)]}
    redirection = (
        {"AppPorts": str(plan.application.port), **_REDIRECTION} if plan.application and seat.redirected else {}
    )
    contents = tracing.instrument(
        tracing.TaskContents(containers=(*containers, envoy), redirection=redirection), settings, logs
    )

    task_role = iam.Role(f"{name}-task-role", assume_role_policy=_TRUST_ECS, opts=opts)
    execution_role = iam.Role(f"{name}-execution-role", assume_role_policy=_TRUST_ECS, opts=opts)
    rights: list[pulumi.Resource] = []
    if seat.arn is not None:
        joining = _allow(["appmesh:StreamAggregatedResources"], seat.arn)
        rights.append(iam.RolePolicy(f"{name}-join-mesh", role=task_role.name, policy=joining, opts=opts))
    write_logs = iam.RolePolicy(
        f"{name}-write-logs",
        role=execution_role.name,
        policy=_allow(["logs:CreateLogStream", "logs:PutLogEvents"], pulumi.Output.concat(group.arn, ":*")),
        opts=opts,
    )
    attachments = [
        iam.RolePolicyAttachment(f"{name}-{arn.rpartition('/')[2]}", role=task_role.name, policy_arn=arn, opts=opts)
        for arn in contents.policies
    ]
    proxy = ecs.TaskDefinitionProxyConfigurationArgs(
        type="APPMESH", container_name=ENVOY_NAME, properties=contents.redirection
    )
    run = RUN.get()
    definition = ecs.TaskDefinition(
        f"{name}-task",
        family=plan.family,
        requires_compatibilities=["EC2", "FARGATE"] if plan.application else ["FARGATE"],
        network_mode="awsvpc",
        cpu=str(plan.cpu),
        memory=str(plan.memory),
        task_role_arn=task_role.arn,
        execution_role_arn=execution_role.arn,
        proxy_configuration=proxy if contents.redirection else None,
        container_definitions=serialise(contents.containers),
        tags={TAG: run} if run else None,
        opts=pulumi.ResourceOptions(parent=owner, ignore_changes=None if run else ["tags"]),
    )
    return Task(definition=definition, role=task_role, logs=group, rights=(*rights, write_logs, *attachments))


def _allow(actions: Sequence[str], resource: pulumi.Input[str]) -> pulumi.Output[str]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [statement]})
