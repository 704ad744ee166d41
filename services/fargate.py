"""Running a task on Fargate: the ECS service and the name under which Cloud Map announces its tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from services.aws import appautoscaling, ecs, servicediscovery
from services.settings import DNS_TTL
from services.task import Task

SCALING_COOLDOWN = 30  # seconds, in both directions


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How many tasks there may be, and the mean CPU use (percent) that their number is to keep.

    Raises:
        ValueError: `least` is above `most`.
    """

    least: int
    most: int
    cpu_target: int

    def __post_init__(self) -> None:
        if self.least > self.most:
            raise ValueError(f"`least` ({self.least}) is above `most` ({self.most})")


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where the tasks run."""

    cluster_arn: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]  # private: tasks have no public address
    security_group_id: pulumi.Input[str]
    namespace_id: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class Balanced:
    """A load balancer's target group that the tasks join. `listener` must exist before the service."""

    target_group_arn: pulumi.Input[str]
    container: str
    port: int
    grace_period: int  # seconds after a task's start in which the load balancer's checks do not count
    listener: pulumi.Resource


def run_on_fargate(  # noqa: PLR0913 - all but two are keywords
    owner: pulumi.Resource,
    name: str,
    *,
    service_name: str,
    task: Task,
    placement: Placement,
    balanced: Balanced | None = None,
    scaling: Scaling | None = None,
    dns_ttl: int = DNS_TTL,
) -> ecs.Service:
    """The ECS service `service_name`, announced in Cloud Map under that name; it bears the component's own `name`.

    Its addresses may be kept for `dns_ttl` seconds.
    """
    opts = pulumi.ResourceOptions(parent=owner)
    announced = servicediscovery.Service(
        f"{name}-discovery",
        name=service_name,
        dns_config={
            "namespace_id": placement.namespace_id,
            "routing_policy": "MULTIVALUE",
            "dns_records": [{"type": "A", "ttl": dns_ttl}],
        },
        health_check_custom_config=_CHECKED_BY_ECS,
        opts=opts,
    )
    first = [*task.rights, balanced.listener] if balanced else list(task.rights)
    service = ecs.Service(
        name,
        name=service_name,
        cluster=placement.cluster_arn,
        launch_type="FARGATE",
        task_definition=task.definition.arn,
        desired_count=scaling.least if scaling else 1,
        deployment_minimum_healthy_percent=50,
        deployment_maximum_percent=200,
        deployment_circuit_breaker={"enable": True, "rollback": True},
        network_configuration={
            "subnets": placement.subnet_ids,
            "security_groups": [placement.security_group_id],
            "assign_public_ip": False,
        },
        service_registries={"registry_arn": announced.arn},
        load_balancers=[_joined(balanced)] if balanced else None,
        health_check_grace_period_seconds=balanced.grace_period if balanced else None,
        # Once autoscaling decides how many tasks run, a deployment must not.
        opts=pulumi.ResourceOptions(
            parent=owner, depends_on=first, ignore_changes=["desiredCount"] if scaling else None
        ),
    )
    if scaling:
        _scale(service, name, placement, scaling, opts)
    return service


# Typed loosely: the SDK warns of `failure_threshold`, since AWS takes it for 1 whatever it says. But without it the
# official plugin sends no custom health check at all, and ECS could not tell Cloud Map which tasks are healthy.
_CHECKED_BY_ECS: Any = {"failureThreshold": 1}


def _joined(balanced: Balanced) -> ecs.ServiceLoadBalancerArgs:
    return ecs.ServiceLoadBalancerArgs(
        target_group_arn=balanced.target_group_arn,
        container_name=balanced.container,
        container_port=balanced.port,
    )


def _scale(
    service: ecs.Service, name: str, placement: Placement, scaling: Scaling, opts: pulumi.ResourceOptions
) -> None:
    target = appautoscaling.Target(
        f"{name}-scaling",
        service_namespace="ecs",
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=pulumi.Output.concat("service/", placement.cluster_name, "/", service.name),
        min_capacity=scaling.least,
        max_capacity=scaling.most,
        opts=opts,
    )
    appautoscaling.Policy(
        f"{name}-scaling-by-cpu",
        policy_type="TargetTrackingScaling",
        service_namespace=target.service_namespace,
        scalable_dimension=target.scalable_dimension,
        resource_id=target.resource_id,
        target_tracking_scaling_policy_configuration={
            "predefined_metric_specification": {"predefined_metric_type": "ECSServiceAverageCPUUtilization"},
            "target_value": scaling.cpu_target,
            "scale_in_cooldown": SCALING_COOLDOWN,
            "scale_out_cooldown": SCALING_COOLDOWN,
        },
        opts=opts,
    )
