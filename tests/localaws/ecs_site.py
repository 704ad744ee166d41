"""A place for the ECS tests to work in: a network, a cluster, Cloud Map and a mesh, and short ways to use them."""

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

Seen = TypeVar("Seen")

_PATIENCE_SECONDS = 60.0  # a busy machine is slow; nobody waits so long where all is well
_BETWEEN_LOOKS_SECONDS = 0.02

APP = "public.ecr.aws/aws-containers/ecsdemo-crystal:latest"
ENVOY = "public.ecr.aws/appmesh/aws-appmesh-envoy:v1.29.12.1-prod"
XRAY = "public.ecr.aws/xray/aws-xray-daemon:3.3.14"


class Site:
    """One cluster with all that a service needs around it; names are unique, so sites share an instance."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self.ecs, self.ec2, self.cloud_map = client("ecs"), client("ec2"), client("servicediscovery")
        self.mesh, self.balancers = client("appmesh"), client("elbv2")
        self.scaling = client("application-autoscaling")
        self.name = f"site-{uuid.uuid4().hex[:8]}"
        self.cluster = self.ecs.create_cluster(clusterName=self.name)["cluster"]["clusterName"]
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
        self.subnets = {
            block: self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=block, AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for block, zone in (("10.0.0.96/27", "us-east-1a"), ("10.0.0.128/27", "us-east-1b"))
        }
        self.group = self.ec2.create_security_group(GroupName=self.name, Description="tasks", VpcId=self.vpc)["GroupId"]

    def registry(self) -> dict[str, Any]:
        """Create a Cloud Map service."""
        operation = self.cloud_map.create_private_dns_namespace(Name=f"{self.name}.local", Vpc=self.vpc)["OperationId"]
        namespace = self.cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
        records = {"DnsRecords": [{"Type": "A", "TTL": 60}]}
        created = self.cloud_map.create_service(Name="crystal", NamespaceId=namespace, DnsConfig=records)
        return dict(created["Service"])

    def node(self) -> str:
        """Create a virtual node and return its ARN."""
        self.mesh.create_mesh(meshName=self.name)
        created = self.mesh.create_virtual_node(meshName=self.name, virtualNodeName="crystal", spec={})
        return str(created["virtualNode"]["metadata"]["arn"])

    def define(self, *containers: dict[str, Any], **more: Any) -> str:
        """Register a task definition, by default with one container, and return its ARN."""
        given = {
            "family": self.name,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": list(containers) or [{"name": "app", "image": APP}],
        }
        return str(self.ecs.register_task_definition(**given | more)["taskDefinition"]["taskDefinitionArn"])

    def network(self) -> dict[str, Any]:
        return {"awsvpcConfiguration": {"subnets": list(self.subnets.values()), "securityGroups": [self.group]}}

    def create(self, definition: str, name: str = "crystal", **more: Any) -> dict[str, Any]:
        """Create a service on Fargate, by default with one task."""
        given = {"desiredCount": 1, "launchType": "FARGATE", "networkConfiguration": self.network()}
        created = self.ecs.create_service(
            cluster=self.cluster, serviceName=name, taskDefinition=definition, **given | more
        )
        return dict(created["service"])

    def update(self, name: str = "crystal", **changes: Any) -> dict[str, Any]:
        return dict(self.ecs.update_service(cluster=self.cluster, service=name, **changes)["service"])

    def service(self, name: str = "crystal", *include: str) -> dict[str, Any]:
        found = self.ecs.describe_services(cluster=self.cluster, services=[name], include=list(include))
        return dict(found["services"][0])

    def tasks(self, name: str = "crystal", desired: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster=self.cluster, serviceName=name, desiredStatus=desired)["taskArns"]
        return self.described(*arns) if arns else []

    def described(self, *arns: str) -> list[dict[str, Any]]:
        return list(self.ecs.describe_tasks(cluster=self.cluster, tasks=list(arns))["tasks"])

    def run(self, definition: str, **more: Any) -> str:
        """Run one task and return its ARN."""
        given = {"launchType": "FARGATE", "networkConfiguration": self.network()}
        started = self.ecs.run_task(cluster=self.cluster, taskDefinition=definition, **given | more)
        return str(started["tasks"][0]["taskArn"])

    def stable(self, name: str = "crystal") -> dict[str, Any]:
        """Wait as AWS's users do, and return the service then."""
        waiter = self.ecs.get_waiter("services_stable")
        attempts = round(_PATIENCE_SECONDS / _BETWEEN_LOOKS_SECONDS)
        pace = {"Delay": _BETWEEN_LOOKS_SECONDS, "MaxAttempts": attempts}
        waiter.wait(cluster=self.cluster, services=[name], WaiterConfig=pace)
        return self.until(lambda: self.service(name), lambda found: "steady state" in found["events"][0]["message"])

    def ended(self, arn: str) -> dict[str, Any]:
        """Wait for a task to stop, and return it then."""
        return self.until(lambda: self.described(arn)[0], lambda task: task["lastStatus"] == "STOPPED")

    def until(self, look: Callable[[], Seen], good: Callable[[Seen], bool]) -> Seen:
        """Look again and again, and return the first good sight."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not good(seen := look()):
            assert time.monotonic() < deadline, f"still not as awaited: {seen}"
            threading.Event().wait(_BETWEEN_LOOKS_SECONDS)
        return seen


def envoy(arn: str, **more: Any) -> dict[str, Any]:
    """Return the definition of an Envoy container as the services of this project have it."""
    check = {"command": ["CMD-SHELL", "curl -s http://localhost:9901/server_info"], "interval": 5, "timeout": 2}
    variables = [{"name": "APPMESH_RESOURCE_ARN", "value": arn}]
    return {"name": "envoy", "image": ENVOY, "environment": variables, "healthCheck": check} | more


def xray(region: str = "us-east-1", **more: Any) -> dict[str, Any]:
    """Return the definition of an X-Ray daemon container; without a region it can't run."""
    variables = [{"name": "AWS_REGION", "value": region}] if region else []
    return {"name": "xray", "image": XRAY, "environment": variables} | more


def messages(service: dict[str, Any]) -> list[str]:
    """Return the texts of a service's events, newest first, without the name in front of each."""
    return [event["message"].removeprefix(f"(service {service['serviceName']}) ") for event in service["events"]]
