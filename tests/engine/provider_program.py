"""One program with every resource type that the aws stand-in serves, each in a shape like the demo's."""

import json
from collections.abc import Callable, Mapping

import pulumi
from pulumi_aws import appautoscaling, ecs, lb

from tests.engine.provider_foundations import foundations
from tests.engine.provider_mesh import mesh_of
from tests.engine.provider_variant import Adoption, Variant

IMAGE = "public.ecr.aws/docker/library/busybox:1.36"


def containers(level: str) -> str:
    """An application and its Envoy."""
    return json.dumps(
        [
            {
                "name": "app",
                "image": IMAGE,
                "essential": True,
                "portMappings": [{"containerPort": 3000}],
                "environment": [{"name": "REGION", "value": "us-east-1"}, {"name": "A", "value": "1"}],
                "dependsOn": [{"containerName": "envoy", "condition": "HEALTHY"}],
            },
            {
                "name": "envoy",
                "image": IMAGE,
                "user": "1337",
                "memoryReservation": 128,
                "environment": [{"name": "ENVOY_LOG_LEVEL", "value": level}],
                "healthCheck": {"command": ["CMD-SHELL", "true"]},
                "ulimits": [{"name": "nofile", "softLimit": 15000, "hardLimit": 15000}],
            },
        ]
    )


def program(
    v: Variant, imported: Mapping[str, str] | None = None, names: Mapping[str, str] | None = None
) -> Callable[[], None]:
    """The program in a variant; with `imported` and `names` it adopts what exists (see `Adoption`)."""

    def run() -> None:
        adopt, tags = Adoption(imported or {}, names or {}), v.tags
        base = foundations(v, adopt)
        registry = mesh_of(v, base.network, adopt)
        cluster = ecs.Cluster(
            "cluster",
            name=f"cluster-{v.names}",
            settings=[{"name": "containerInsights", "value": v.insights}],
            tags=tags,
            opts=adopt.options("cluster"),
        )
        task = ecs.TaskDefinition(
            "task",
            family="crystal",
            cpu="256",
            memory="1024",
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE", "EC2"],
            task_role_arn=base.role.arn,
            execution_role_arn=base.role.arn,
            container_definitions=containers(v.level),
            proxy_configuration={"container_name": "envoy", "properties": {"AppPorts": "3000", "IgnoredUID": "1337"}},
            tags=tags,
            opts=adopt.options("task"),
        )
        balancer = lb.LoadBalancer(
            "balancer",
            name=adopt.name("balancer"),
            load_balancer_type="network",
            subnets=[base.public.id],
            tags=tags,
            opts=adopt.options("balancer", base.gateway),
        )
        group = lb.TargetGroup(
            "group",
            name=adopt.name("group"),
            port=80,
            protocol="TCP",
            target_type="ip",
            vpc_id=base.network.id,
            health_check={"protocol": "TCP", "interval": v.health_interval},
            tags=tags,
            opts=adopt.options("group"),
        )
        door = lb.Listener(
            "door",
            load_balancer_arn=balancer.arn,
            port=80 if v.port == 3000 else 81,
            protocol="TCP",
            default_actions=[{"type": "forward", "target_group_arn": group.arn}],
            tags=tags,
            opts=adopt.options("door"),
        )
        service = ecs.Service(
            "service",
            name="crystal",
            cluster=cluster.arn,
            task_definition=task.arn,
            desired_count=1,
            launch_type="FARGATE",
            network_configuration={
                "subnets": [base.public.id],
                "security_groups": [base.shared.id],
                "assign_public_ip": v.public_ip,
            },
            deployment_circuit_breaker={"enable": True, "rollback": True},
            deployment_minimum_healthy_percent=v.minimum_healthy,
            health_check_grace_period_seconds=60,
            load_balancers=[{"container_name": "app", "container_port": 3000, "target_group_arn": group.arn}],
            service_registries={"registry_arn": registry.arn},
            wait_for_steady_state=True,
            tags=tags,
            opts=adopt.options("service", door, base.inline),
        )
        scaled = appautoscaling.Target(
            "scaled",
            min_capacity=1,
            max_capacity=v.maximum,
            resource_id=pulumi.Output.concat("service/", cluster.name, "/", service.name),
            scalable_dimension="ecs:service:DesiredCount",
            service_namespace="ecs",
            tags=tags,
            opts=adopt.options("scaled"),
        )
        appautoscaling.Policy(
            "scaling",
            name=adopt.name("scaling"),
            policy_type="TargetTrackingScaling",
            resource_id=scaled.resource_id,
            scalable_dimension=scaled.scalable_dimension,
            service_namespace=scaled.service_namespace,
            target_tracking_scaling_policy_configuration={
                "target_value": v.target,
                "scale_in_cooldown": 30,
                "predefined_metric_specification": {"predefined_metric_type": "ECSServiceAverageCPUUtilization"},
            },
            opts=adopt.options("scaling"),
        )

    return run
