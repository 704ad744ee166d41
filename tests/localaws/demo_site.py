"""The demo on an embedded AWS that runs tasks for real: gateway, frontend, nodejs and crystal, by plain AWS calls."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from localaws.instance import Instance
from services.collectors import Collector
from tests.localaws.ecs_site import ENVOY, XRAY, Site
from tests.localaws.support import client_of, send

ALL_SERVICES = ("crystal", "nodejs", "frontend", "gateway")
ENVOY_LOG = "/mesh-envoy-container"
TRACED = {"ENABLE_ENVOY_XRAY_TRACING": "1"}
MESH_PORT = 3000
WRITE_ACCESS = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
_IMAGES = "public.ecr.aws/aws-containers/ecsdemo-"
_ENVOY_CHECK = "curl -s http://localhost:9901/server_info | grep state | grep -q LIVE"
_REDIRECTION = {
    "AppPorts": str(MESH_PORT),
    "EgressIgnoredIPs": "169.254.170.2,169.254.169.254",
    "IgnoredUID": "1337",
    "ProxyEgressPort": "15001",
    "ProxyIngressPort": "15000",
}


_DAEMON = Collector(image=XRAY)


class Demo(Site):
    """The demo's four services in one site."""

    ttl = 60  # seconds, of a task's address in DNS

    def __init__(self, instance: Instance, collector: Collector = _DAEMON) -> None:
        super().__init__(lambda service: client_of(instance, service))
        self.instance, self.collector = instance, collector
        self.logs, self.xray = client_of(instance, "logs"), client_of(instance, "xray")
        self.mesh.create_mesh(meshName=self.name)
        operation = self.cloud_map.create_private_dns_namespace(Name=f"{self.name}.local", Vpc=self.vpc)["OperationId"]
        self.namespace = self.cloud_map.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
        for name in ALL_SERVICES:
            self.logs.create_log_group(logGroupName=self.log_group(name))
        self.iam = client_of(instance, "iam")
        self.roles = {name: self._role(name) for name in ALL_SERVICES}

    def deploy(self, *, variables: Mapping[str, str] | None = None, tracing: Mapping[str, str] | None = None) -> None:
        """Make all four services, steady; `variables` are those of the frontend, `tracing` those of all Envoys."""
        tracing = tracing or {}
        for name in ("crystal", "nodejs"):
            self.serve(name, tracing=tracing)
        crystal, nodejs = self.backends()
        urls = {"CRYSTAL_URL": f"{crystal}/crystal", "NODEJS_URL": nodejs}
        self.serve("frontend", {**urls, **(variables or {})}, backends=("crystal", "nodejs"), tracing=tracing)
        self.open_gateway(tracing=tracing)
        for name in ALL_SERVICES:
            self.stable(name)

    def backends(self) -> Sequence[str]:
        """Return where the frontend finds crystal and nodejs."""
        return [f"http://{self.host(name)}:{MESH_PORT}" for name in ("crystal", "nodejs")]

    def change(self, name: str, change: Callable[[dict[str, dict[str, Any]]], None]) -> None:
        """Deploy a service anew, its containers changed: `change` gets them by name, and changes them in place."""
        current = self.service(name)["taskDefinition"]
        definition = self.ecs.describe_task_definition(taskDefinition=current)["taskDefinition"]
        containers = {each["name"]: each for each in definition["containerDefinitions"]}
        change(containers)
        kept = ("family", "taskRoleArn", "proxyConfiguration")
        revision = self.define(*containers.values(), **{key: definition[key] for key in kept if key in definition})
        self.update(name, taskDefinition=revision)
        self.until(lambda: self.service(name), lambda service: service["deployments"][0]["rolloutState"] == "COMPLETED")

    def role_of(self, name: str) -> str:
        """Return the name of a service's task role."""
        return f"{self.name}-{name}"

    def host(self, name: str) -> str:
        """Return the name of a virtual service."""
        return f"{name}.{self.name}.local"

    def serve(
        self,
        name: str,
        variables: Mapping[str, str] | None = None,
        *,
        backends: tuple[str, ...] = (),
        tracing: Mapping[str, str] | None = None,
    ) -> None:
        """Make a service of an application with its Envoy, its virtual node and its virtual service."""
        node = self.mesh.create_virtual_node(
            meshName=self.name,
            virtualNodeName=name,
            spec={
                "listeners": [{"portMapping": {"port": MESH_PORT, "protocol": "http"}}],
                "serviceDiscovery": {
                    "awsCloudMap": {"namespaceName": f"{self.name}.local", "serviceName": name},
                },
                "backends": [{"virtualService": {"virtualServiceName": self.host(each)}} for each in backends],
                "logging": {"accessLog": {"file": {"path": "/dev/stdout"}}},
            },
        )["virtualNode"]
        self.mesh.create_virtual_service(
            meshName=self.name,
            virtualServiceName=self.host(name),
            spec={"provider": {"virtualNode": {"virtualNodeName": name}}},
        )
        self.create(
            self.define(
                *self.containers(name, node["metadata"]["arn"], variables or {}, tracing or {}),
                proxyConfiguration={
                    "type": "APPMESH",
                    "containerName": "envoy",
                    "properties": pairs({**_REDIRECTION, "IgnoredGID": self.collector.spared_group}),
                },
                family=f"{self.name}-{name}",
                taskRoleArn=self.roles[name],
            ),
            name,
            serviceRegistries=[{"registryArn": self.announced_as(name)}],
        )

    def containers(
        self, name: str, arn: str, variables: Mapping[str, str], tracing: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """Return the container definitions of an application's task."""
        app = {
            **self.application(name, variables),
            "dependsOn": [{"containerName": "envoy", "condition": "HEALTHY"}],
        }
        return [app, *self.proxies(name, arn, tracing, user="1337")]

    def application(self, name: str, variables: Mapping[str, str]) -> dict[str, Any]:
        """Return an application that waits for nothing."""
        return {
            "name": f"{name}-app",
            "image": f"{_IMAGES}{name}:latest",
            "environment": pairs(variables),
            "healthCheck": {"command": ["CMD-SHELL", "curl -sf http://localhost:3000/health"], "interval": 5},
            "logConfiguration": self.logged(name, "app"),
        }

    def proxies(self, name: str, arn: str, tracing: Mapping[str, str], **more: Any) -> list[dict[str, Any]]:
        """Return an Envoy and, where it traces, a collector."""
        envoy = {
            "name": "envoy",
            "image": ENVOY,
            "environment": pairs({"APPMESH_RESOURCE_ARN": arn, **tracing}),
            "healthCheck": {"command": ["CMD-SHELL", _ENVOY_CHECK], "interval": 5, "timeout": 2},
            "logConfiguration": self.logged(name, ENVOY_LOG),
            **more,
        }
        if not tracing:
            return [envoy]
        return [{**envoy, "dependsOn": [{"containerName": "xray", "condition": "START"}]}, self.sidecar(name)]

    def sidecar(self, name: str) -> dict[str, Any]:
        """Return a collector."""
        health_check = self.collector.health_check
        return {
            "name": "xray",
            "image": self.collector.image,
            "user": self.collector.user,
            "essential": False,
            "environment": pairs({"AWS_REGION": "us-east-1", **self.collector.variables}),
            "logConfiguration": self.logged(name, "/xray-container"),
            **({"healthCheck": dict(health_check)} if health_check else {}),
        }

    def log_group(self, name: str) -> str:
        """Return the name of a service's log group."""
        return f"{self.name}-{name}"

    def logged(self, name: str, prefix: str) -> dict[str, Any]:
        options = {
            "awslogs-group": self.log_group(name),
            "awslogs-region": "us-east-1",
            "awslogs-stream-prefix": prefix,
        }
        return {"logDriver": "awslogs", "options": options}

    def open_gateway(self, *, tracing: Mapping[str, str]) -> None:
        """Make the gateway; all that comes in goes to the frontend."""
        gateway = self.mesh.create_virtual_gateway(
            meshName=self.name,
            virtualGatewayName="gateway",
            spec={"listeners": [{"portMapping": {"port": MESH_PORT, "protocol": "http"}}]},
        )["virtualGateway"]
        self.mesh.create_gateway_route(
            meshName=self.name,
            virtualGatewayName="gateway",
            gatewayRouteName="frontend",
            spec={
                "httpRoute": {
                    "match": {"prefix": "/"},
                    "action": {"target": {"virtualService": {"virtualServiceName": self.host("frontend")}}},
                }
            },
        )
        self.behind_balancer(self.proxies("gateway", gateway["metadata"]["arn"], tracing))

    def behind_balancer(self, containers: list[dict[str, Any]]) -> None:
        """Make the gateway of these containers, the first of which is its Envoy, and the load balancer before it."""
        group = self.balancers.create_target_group(
            Name=self.name, Protocol="TCP", Port=80, VpcId=self.vpc, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        balancer = self.balancers.create_load_balancer(
            Name=self.name, Type="network", Subnets=list(self.subnets.values())
        )["LoadBalancers"][0]["LoadBalancerArn"]
        self.balancers.create_listener(
            LoadBalancerArn=balancer,
            Protocol="TCP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        containers[0]["portMappings"] = [{"containerPort": MESH_PORT}]
        self.create(
            self.define(*containers, family=f"{self.name}-gateway", taskRoleArn=self.roles["gateway"]),
            "gateway",
            loadBalancers=[{"targetGroupArn": group, "containerName": "envoy", "containerPort": MESH_PORT}],
        )

    def url(self) -> str:
        """Return where the load balancer really listens."""
        _, body = send(self.instance, "GET", "/_localaws/doors")
        port = re.findall(rf'"balancer": "{self.name}".*?"local_port": (\d+)', body)[0]
        return f"http://127.0.0.1:{port}/"

    def page(self, path: str = "") -> str:
        """Return the demo page, or what else is answered, or why nothing is."""
        with urllib3.PoolManager(retries=False, timeout=20) as pool:
            try:
                return pool.request("GET", f"{self.url()}{path}", redirect=False).data.decode()
            except HTTPError as error:
                return str(error)

    def log(self, prefix: str, name: str) -> list[str]:
        """Return what the containers of a service's running tasks have printed under a prefix."""
        ids = [task["taskArn"].rpartition("/")[2] for task in self.tasks(name)]
        streams = self.logs.describe_log_streams(logGroupName=self.log_group(name), logStreamNamePrefix=prefix)[
            "logStreams"
        ]
        names = [stream["logStreamName"] for stream in streams if stream["logStreamName"].rpartition("/")[2] in ids]
        answers = [
            self.logs.get_log_events(logGroupName=self.log_group(name), logStreamName=stream) for stream in names
        ]
        return [event["message"] for answer in answers for event in answer["events"]]

    def _role(self, name: str) -> str:
        role = self.iam.create_role(RoleName=self.role_of(name), AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
        self.iam.attach_role_policy(RoleName=self.role_of(name), PolicyArn=WRITE_ACCESS)
        return str(role)

    def announced_as(self, name: str) -> str:
        """Make a service's name in Cloud Map; return its ARN."""
        records = {"DnsRecords": [{"Type": "A", "TTL": self.ttl}], "RoutingPolicy": "MULTIVALUE"}
        created = self.cloud_map.create_service(
            Name=name,
            NamespaceId=self.namespace,
            DnsConfig=records,
            HealthCheckCustomConfig={"FailureThreshold": 1},
        )
        return str(created["Service"]["Arn"])


def pairs(variables: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def processes_of(instance: Instance) -> list[str]:
    """Return the command lines of what runs for an instance's tasks."""
    folder = str(instance.state)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            variables = (process / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if ("envoy" in line and folder in line) or f"HOME={folder}/tasks" in variables:
            found.append(line)
    return found
