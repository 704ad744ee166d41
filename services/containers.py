"""Container definitions in the shape of the ECS API, as plain data. Leaves may be Pulumi outputs.

Defaults that ECS would fill in are written out and everything is sorted, so that an unchanged task shows no change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

Container = Mapping[str, Any]

MESH_PORT = 3000  # TCP; the gateway listens here, and every application that does not say
INGRESS_PORT = 8080  # TCP; in a mesh of our own, of the Envoy beside an application
ENVOY_NAME = "envoy"
PROXY_USER = "1337"  # the user whose traffic the task's redirection leaves alone
OPEN_FILES = 15000  # limit for Envoy

# AWS's recommendation for Envoy in ECS (App Mesh user guide, "Envoy image"); times in seconds.
ENVOY_HEALTH_CHECK = {
    "command": ["CMD-SHELL", "curl -s http://localhost:9901/server_info | grep state | grep -q LIVE"],
    "interval": 5,
    "timeout": 2,
    "retries": 3,
    "startPeriod": 10,
}


def _request(line: str) -> str:
    """A request to Envoy's administration as bash's printf writes it; HTTP/1.0 is refused."""
    return rf"{line} HTTP/1.1\r\nHost: envoy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


# The plain image has bash, but no curl. Its administration answers on the task's loopback alone.
PLAIN_ENVOY_HEALTH_CHECK = {
    **ENVOY_HEALTH_CHECK,
    "startPeriod": 60,  # it is ready once it has asked DNS for all its backends, however long that takes
    "command": [
        "CMD",
        "bash",
        "-c",
        f"exec 3<>/dev/tcp/127.0.0.1/9901 && printf '{_request('GET /ready')}' >&3 && grep -q LIVE <&3",
    ],
}

# Told to end, it answers on for as long as callers may have its address from DNS, then has those that are still
# connected go elsewhere, and ends. Seconds.
STAYING, LEAVING = 10, 5
STOP_TIMEOUT = 30
_ENDING_LATE = f"""\
envoy "$@" & envoy=$!
leave() {{
  sleep {STAYING}
  exec 3<>/dev/tcp/127.0.0.1/9901 && printf '{_request("POST /drain_listeners?graceful")}' >&3
  sleep {LEAVING}
  kill -TERM $envoy
}}
trap leave TERM
wait $envoy; wait $envoy"""

# Without it a task counts as ready once its process exists, and a deployment takes the old one away too early. ECS does
# not heed the same check that the images carry; theirs allows 3 s, too.
APPLICATION_HEALTH_CHECK = {"interval": 10, "timeout": 3, "retries": 3, "startPeriod": 10}


@dataclass(frozen=True, kw_only=True)
class Logs:
    """Where a task's containers write."""

    group: pulumi.Input[str]
    region: str

    def under(self, prefix: str) -> dict[str, Any]:
        """The log configuration of a container whose streams begin with `prefix`."""
        options = {"awslogs-group": self.group, "awslogs-region": self.region, "awslogs-stream-prefix": prefix}
        return {"logDriver": "awslogs", "options": options}


@dataclass(frozen=True, kw_only=True)
class Envoy:
    """What differs between one Envoy and another."""

    log_level: str  # trace, debug, info, warning, error, critical or off
    log_prefix: str
    reservation: int = 128  # MiB
    # A service's Envoy runs as the user that its task's redirection spares. A gateway has none; it listens on a port.
    is_gateway: bool = False

    def container(self, image: str, resource_arn: pulumi.Input[str], logs: Logs) -> Container:
        """Its container definition; `resource_arn` is the virtual node or virtual gateway that it represents."""
        variables = {
            "APPMESH_RESOURCE_ARN": resource_arn,
            "AWS_REGION": logs.region,
            "ENABLE_ENVOY_STATS_TAGS": "1",
            "ENVOY_LOG_LEVEL": self.log_level,
        }
        return {
            **self._common(image, variables, logs),
            "healthCheck": ENVOY_HEALTH_CHECK,
            **({"portMappings": [port(MESH_PORT)]} if self.is_gateway else {"user": PROXY_USER}),
        }

    def own_container(self, image: str, bootstrap: pulumi.Input[str], logs: Logs) -> Container:
        """The container definition of a plain Envoy, told by `bootstrap` (JSON) all that it is to do."""
        options = ["--log-level", self.log_level, "--drain-time-s", str(LEAVING), "--drain-strategy", "immediate"]
        return {
            **self._common(image, {"AWS_REGION": logs.region}, logs),
            "command": ["bash", "-c", _ENDING_LATE, "envoy", *options, "--config-yaml", bootstrap],
            "stopTimeout": STOP_TIMEOUT,
            "healthCheck": PLAIN_ENVOY_HEALTH_CHECK,
            "portMappings": [port(MESH_PORT if self.is_gateway else INGRESS_PORT)],
        }

    def _common(self, image: str, variables: Mapping[str, pulumi.Input[str]], logs: Logs) -> Container:
        return {
            "name": ENVOY_NAME,
            "image": image,
            "essential": True,
            "memoryReservation": self.reservation,
            "environment": environment(variables),
            "ulimits": [{"name": "nofile", "softLimit": OPEN_FILES, "hardLimit": OPEN_FILES}],
            "logConfiguration": logs.under(self.log_prefix),
        }


@dataclass(frozen=True, kw_only=True)
class Application:
    """The container that does a service's own work."""

    name: str
    image: str
    log_prefix: str
    variables: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    health_path: str = "/health"  # answered with 200 once it is ready; its image must have curl
    reservation: int = 128  # MiB
    port: int = MESH_PORT  # TCP

    def container(self, logs: Logs, *, after_envoy: bool) -> Container:
        """Its container definition. After its Envoy it starts once that is healthy, and ends before it."""
        check = f"curl -sf http://localhost:{self.port}{self.health_path}"
        return {
            "name": self.name,
            "image": self.image,
            "essential": True,
            "memoryReservation": self.reservation,
            "environment": environment({**self.variables, "REGION": logs.region}),
            "portMappings": [port(self.port)],
            **({"dependsOn": [healthy(ENVOY_NAME)]} if after_envoy else {}),
            "healthCheck": {"command": ["CMD-SHELL", check], **APPLICATION_HEALTH_CHECK},
            "logConfiguration": logs.under(self.log_prefix),
        }


def environment(variables: Mapping[str, pulumi.Input[str]]) -> list[dict[str, pulumi.Input[str]]]:
    """Variables as ECS lists them, sorted by name."""
    return [{"name": name, "value": variables[name]} for name in sorted(variables)]


def healthy(container: str) -> dict[str, str]:
    """The condition to start once another container is healthy."""
    return {"containerName": container, "condition": "HEALTHY"}


def port(number: int) -> dict[str, Any]:
    """A TCP port that the container listens on."""
    return {"containerPort": number, "hostPort": number, "protocol": "tcp"}


def serialise(containers: Sequence[Container]) -> pulumi.Output[str]:
    """The definitions as the text that a task definition takes: the same text for the same definitions, always."""
    return pulumi.Output.json_dumps(list(containers), sort_keys=True, separators=(",", ":"))
