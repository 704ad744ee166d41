"""One program with every resource type that the aws stand-in serves, each in a shape like the demo's."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi_aws import (
    appautoscaling,
    appmesh,
    cloudwatch,
    ec2,
    ecs,
    get_availability_zones,
    iam,
    lb,
    servicediscovery,
    ssm,
    vpc,
)

TRUST = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
XRAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
MESH_ACCESS = "arn:aws:iam::aws:policy/AWSAppMeshEnvoyAccess"
IMAGE = "public.ecr.aws/docker/library/busybox:1.36"
AMI = "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2"


@dataclasses.dataclass
class Variant:
    """What differs between two runs of the program."""

    purpose: str = "test"  # a tag on everything that has tags
    retention: int = 7  # days
    health_interval: int = 30  # seconds
    names: str = "a"  # part of the names of things that are named by hand
    about: str = "shared"  # the security group's description
    cidr: str = "10.0.0.0/24"
    port: int = 3000
    weight: int = 1
    policy: str = XRAY
    actions: tuple[str, ...] = ("logs:CreateLogStream", "logs:PutLogEvents")
    insights: str = "enabled"
    level: str = "info"  # the Envoy's log level, in the task definition
    ttl: int = 60  # seconds
    description: str = "first"
    dns_hostnames: bool = True
    maximum: int = 10  # tasks
    target: float = 50  # percent of the CPU
    minimum_healthy: int = 50  # percent
    instance_type: str = "t3.medium"
    egress: str = "DROP_ALL"
    log_path: str = "/dev/stdout"
    public_ip: bool = False


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
    """The program in a variant.

    With `imported` (ids by logical name) it adopts what exists in place of making it; `names` are then those that were
    made up for what the program does not name itself.
    """

    def name(logical: str) -> str | None:
        return (names or {}).get(logical)

    def options(name: str, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(import_=(imported or {}).get(name), depends_on=list(after))

    def run() -> None:
        tags = {"purpose": v.purpose}
        zones = get_availability_zones(state="available").names

        network = ec2.Vpc(
            "network",
            cidr_block=v.cidr,
            enable_dns_hostnames=v.dns_hostnames,
            tags={**tags, "Name": "network"},
            opts=options("network"),
        )
        public = ec2.Subnet(
            "public",
            vpc_id=network.id,
            cidr_block=v.cidr.replace("/24", "/27"),
            availability_zone=zones[0],
            map_public_ip_on_launch=True,
            tags=tags,
            opts=options("public"),
        )
        gateway = ec2.InternetGateway("gateway", vpc_id=network.id, tags=tags, opts=options("gateway"))
        address = ec2.Eip("address", domain="vpc", tags=tags, opts=options("address"))
        nat = ec2.NatGateway(
            "nat", subnet_id=public.id, allocation_id=address.allocation_id, tags=tags, opts=options("nat", gateway)
        )
        outward = ec2.RouteTable("outward", vpc_id=network.id, tags=tags, opts=options("outward"))
        ec2.Route(
            "default",
            route_table_id=outward.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=options("default"),
        )
        inward = ec2.RouteTable(
            "inward",
            vpc_id=network.id,
            routes=[{"cidr_block": "0.0.0.0/0", "nat_gateway_id": nat.id}],
            tags=tags,
            opts=options("inward"),
        )
        ec2.RouteTableAssociation(
            "association",
            route_table_id=outward.id if v.purpose == "test" else inward.id,
            subnet_id=public.id,
            opts=options("association"),
        )
        shared = ec2.SecurityGroup(
            "shared",
            name=name("shared"),
            vpc_id=network.id,
            description=v.about,
            tags=tags,
            opts=options("shared"),
        )
        vpc.SecurityGroupIngressRule(
            "ingress",
            security_group_id=shared.id,
            ip_protocol="tcp",
            from_port=v.port,
            to_port=v.port,
            cidr_ipv4="10.0.0.0/8",
            description=v.description,
            tags=tags,
            opts=options("ingress"),
        )
        vpc.SecurityGroupEgressRule(
            "egress",
            security_group_id=shared.id,
            ip_protocol="-1",
            cidr_ipv4="0.0.0.0/0",
            description=v.description,
            opts=options("egress"),
        )
        inline = ec2.SecurityGroup(
            "inline",
            name=name("inline"),
            vpc_id=network.id,
            description="rules of its own",
            ingress=[{"protocol": "tcp", "from_port": v.port, "to_port": v.port, "cidr_blocks": ["0.0.0.0/0"]}],
            egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}],
            opts=options("inline"),
        )

        role = iam.Role(
            "role",
            name=name("role"),
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]}),
            description=v.description,
            tags=tags,
            opts=options("role"),
        )
        statement = {"Effect": "Allow", "Action": list(v.actions), "Resource": "*"}
        iam.RolePolicy(
            "policy",
            name=name("policy"),
            role=role.name,
            policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            opts=options("policy"),
        )
        iam.RolePolicyAttachment("attachment", role=role.name, policy_arn=v.policy, opts=options("attachment"))
        profile = iam.InstanceProfile(
            "profile", name=name("profile"), role=role.name, tags=tags, opts=options("profile")
        )
        image = ssm.get_parameter(name=AMI).value
        ec2.Instance(
            "instance",
            ami=image,
            instance_type=v.instance_type,
            subnet_id=public.id,
            vpc_security_group_ids=[shared.id],
            iam_instance_profile=profile.name,
            user_data="#!/bin/sh\nyum install -y siege\n",
            tags={**tags, "Name": "instance"},
            opts=options("instance"),
        )
        cloudwatch.LogGroup("logs", name=name("logs"), retention_in_days=v.retention, tags=tags, opts=options("logs"))

        namespace = servicediscovery.PrivateDnsNamespace(
            "namespace",
            name=f"{v.names}.local",
            vpc=network.id,
            description=v.description,
            tags=tags,
            opts=options("namespace"),
        )
        registry = servicediscovery.Service(
            "registry",
            name="crystal",
            dns_config={"namespace_id": namespace.id, "dns_records": [{"ttl": v.ttl, "type": "A"}]},
            health_check_custom_config={"failure_threshold": 1},
            tags=tags,
            opts=options("registry"),
        )

        mesh = appmesh.Mesh(
            "mesh", name=f"mesh-{v.names}", spec={"egress_filter": {"type": v.egress}}, tags=tags, opts=options("mesh")
        )
        listener: Any = {"port_mapping": {"port": v.port, "protocol": "http"}}
        entry = appmesh.VirtualGateway(
            "entry", name="entry", mesh_name=mesh.name, spec={"listeners": [listener]}, tags=tags, opts=options("entry")
        )
        node_spec: Any = {
            "listeners": [listener],
            "service_discovery": {"aws_cloud_map": {"namespace_name": namespace.name, "service_name": registry.name}},
            "logging": {"access_log": {"file": {"path": v.log_path}}},
        }
        node = appmesh.VirtualNode(
            "node",
            name="node",
            mesh_name=mesh.name,
            spec=node_spec,
            tags=tags,
            opts=options("node"),
        )
        router = appmesh.VirtualRouter(
            "router",
            name="router",
            mesh_name=mesh.name,
            spec={"listeners": [listener]},
            tags=tags,
            opts=options("router"),
        )
        appmesh.Route(
            "route",
            name="route",
            mesh_name=mesh.name,
            virtual_router_name=router.name,
            spec={
                "http_route": {
                    "match": {"prefix": "/"},
                    "action": {"weighted_targets": [{"virtual_node": node.name, "weight": v.weight}]},
                }
            },
            tags=tags,
            opts=options("route"),
        )
        provider: Any = {"virtual_router": {"virtual_router_name": router.name}}
        if v.purpose != "test":
            provider = {"virtual_node": {"virtual_node_name": node.name}}
        virtual = appmesh.VirtualService(
            "virtual",
            name="crystal.service.local",
            mesh_name=mesh.name,
            spec={"provider": provider},
            tags=tags,
            opts=options("virtual"),
        )
        appmesh.GatewayRoute(
            "way",
            name="way",
            mesh_name=mesh.name,
            virtual_gateway_name=entry.name,
            spec={
                "http_route": {
                    "match": {"prefix": "/" if v.weight == 1 else "/crystal"},
                    "action": {"target": {"virtual_service": {"virtual_service_name": virtual.name}}},
                }
            },
            tags=tags,
            opts=options("way"),
        )

        cluster = ecs.Cluster(
            "cluster",
            name=f"cluster-{v.names}",
            settings=[{"name": "containerInsights", "value": v.insights}],
            tags=tags,
            opts=options("cluster"),
        )
        task = ecs.TaskDefinition(
            "task",
            family="crystal",
            cpu="256",
            memory="1024",
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE", "EC2"],
            task_role_arn=role.arn,
            execution_role_arn=role.arn,
            container_definitions=containers(v.level),
            proxy_configuration={"container_name": "envoy", "properties": {"AppPorts": "3000", "IgnoredUID": "1337"}},
            tags=tags,
            opts=options("task"),
        )
        balancer = lb.LoadBalancer(
            "balancer",
            name=name("balancer"),
            load_balancer_type="network",
            subnets=[public.id],
            tags=tags,
            opts=options("balancer", gateway),
        )
        group = lb.TargetGroup(
            "group",
            name=name("group"),
            port=80,
            protocol="TCP",
            target_type="ip",
            vpc_id=network.id,
            health_check={"protocol": "TCP", "interval": v.health_interval},
            tags=tags,
            opts=options("group"),
        )
        door = lb.Listener(
            "door",
            load_balancer_arn=balancer.arn,
            port=80 if v.port == 3000 else 81,
            protocol="TCP",
            default_actions=[{"type": "forward", "target_group_arn": group.arn}],
            tags=tags,
            opts=options("door"),
        )
        service = ecs.Service(
            "service",
            name="crystal",
            cluster=cluster.arn,
            task_definition=task.arn,
            desired_count=1,
            launch_type="FARGATE",
            network_configuration={
                "subnets": [public.id],
                "security_groups": [shared.id],
                "assign_public_ip": v.public_ip,
            },
            deployment_circuit_breaker={"enable": True, "rollback": True},
            deployment_minimum_healthy_percent=v.minimum_healthy,
            health_check_grace_period_seconds=60,
            load_balancers=[{"container_name": "app", "container_port": 3000, "target_group_arn": group.arn}],
            service_registries={"registry_arn": registry.arn},
            wait_for_steady_state=True,
            tags=tags,
            opts=options("service", door, inline),
        )
        scaled = appautoscaling.Target(
            "scaled",
            min_capacity=1,
            max_capacity=v.maximum,
            resource_id=pulumi.Output.concat("service/", cluster.name, "/", service.name),
            scalable_dimension="ecs:service:DesiredCount",
            service_namespace="ecs",
            tags=tags,
            opts=options("scaled"),
        )
        appautoscaling.Policy(
            "scaling",
            name=name("scaling"),
            policy_type="TargetTrackingScaling",
            resource_id=scaled.resource_id,
            scalable_dimension=scaled.scalable_dimension,
            service_namespace=scaled.service_namespace,
            target_tracking_scaling_policy_configuration={
                "target_value": v.target,
                "scale_in_cooldown": 30,
                "predefined_metric_specification": {"predefined_metric_type": "ECSServiceAverageCPUUtilization"},
            },
            opts=options("scaling"),
        )

    return run
