"""The collectors that can take the segments from Envoy: what tells one from another, as data.

Each listens on the task's own loopback, UDP 2000, where Envoy sends; each is told its region; and for each of them the
five rights to write to X-Ray suffice. Metrics and logs, for which the CloudWatch agent's own managed policy is made
(CloudWatchAgentServerPolicy: every log group, every metric, EC2's tags, SSM's parameters), none of them handles here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services import images
from services.containers import PROXY_USER

RESERVATION = 256  # MiB, of any of them: AWS's samples give none of them more

_HEARD = "127.0.0.1:2000"
# The group whose traffic a redirection leaves alone, for a collector that can't run as the user.
_SPARED_GROUP = "1338"


@dataclass(frozen=True, kw_only=True)
class Collector:
    """What is a collector's own in its container and in its task."""

    image: str
    user: str = PROXY_USER  # its HTTPS to X-Ray must not be redirected into Envoy
    spared_group: str = ""  # to be left alone by the redirection, too
    variables: Mapping[str, str] = field(default_factory=dict)
    health_check: Mapping[str, Any] | None = None  # where the image has a binary for it; none of them has a shell


def _xray_daemon(_region: str) -> Collector:
    return Collector(image=images.XRAY_DAEMON)


def _adot(region: str) -> Collector:
    """Source: aws-otel-collector, Dockerfile, config_factory.go and examples/ecs.

    Of the image's own configurations, ecs-xray.yaml does not hear UDP at all, and those that do hear it on every
    address and send metrics besides.
    """
    configuration = {
        "extensions": {"health_check": {"endpoint": "127.0.0.1:13133"}},
        "receivers": {
            "awsxray": {
                "endpoint": _HEARD,
                "transport": "udp",
                "proxy_server": {"endpoint": _HEARD, "region": region},
            }
        },
        "processors": {"batch": {"send_batch_size": 50, "timeout": "1s"}},
        "exporters": {"awsxray": {"index_all_attributes": False, "region": region}},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {"traces": {"receivers": ["awsxray"], "processors": ["batch"], "exporters": ["awsxray"]}},
            "telemetry": {"metrics": {"level": "none"}},
        },
    }
    return Collector(
        image=images.ADOT,
        variables={"AOT_CONFIG_CONTENT": _text(configuration)},
        health_check={"command": ["CMD", "/healthcheck"], "interval": 5, "timeout": 3, "retries": 3, "startPeriod": 10},
    )


def _cloudwatch_agent(region: str) -> Collector:
    """Source: amazon-cloudwatch-agent, Dockerfile and translator.

    It writes files at its start where only root may write, so it can't run as the user that the redirection spares
    (aws-app-mesh-roadmap, issue 122). A group of its own is spared instead, as in AWS's cdk-ecs-service-extensions.
    """
    xray = {"bind_address": _HEARD, "tcp_proxy": {"bind_address": _HEARD}}
    configuration = {"agent": {"region": region}, "traces": {"traces_collected": {"xray": xray}}}
    return Collector(
        image=images.CLOUDWATCH_AGENT,
        user=f"0:{_SPARED_GROUP}",
        spared_group=_SPARED_GROUP,
        variables={"CW_CONFIG_CONTENT": _text(configuration)},
    )


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How a collector that runs is known to a user, and what it does when something is wrong."""

    words: str  # what a user calls it
    undelivered: str = (
        '"Exporting failed"'  # filter pattern, of CloudWatch Logs, of lines about what X-Ray did not take
    )
    ends_without_region: bool = True  # none in its environment, nor anywhere else where it looks


# The repository's name of the image → its behaviour.
_BEHAVIOURS = {
    "aws-xray-daemon": Behaviour(words="X-Ray daemon", undelivered='"[Error]"'),
    "aws-otel-collector": Behaviour(words="ADOT collector"),
    # On ECS it finds its region out.
    "cloudwatch-agent": Behaviour(words="CloudWatch agent", ends_without_region=False),
}

# Value of the configuration key `collector` → the collector for a region.
COLLECTORS: Mapping[str, Callable[[str], Collector]] = {
    "xray-daemon": _xray_daemon,
    "adot": _adot,
    "cloudwatch-agent": _cloudwatch_agent,
}


def behaviour(container: Mapping[str, Any]) -> Behaviour:
    """The behaviour of the collector that runs in a container; that of the daemon where it is none that we know."""
    repository = str(container.get("image", "")).partition("@")[0].rpartition("/")[2].partition(":")[0]
    return _BEHAVIOURS.get(repository, _BEHAVIOURS["aws-xray-daemon"])


def lacks_region(container: Mapping[str, Any]) -> bool:
    """Whether the collector in a container, as ECS describes it, is told no region and ends at once."""
    variables = {variable["name"]: variable["value"] for variable in container.get("environment", ())}
    told = "AWS_REGION" in variables or {"-n", "--region"} & set(container.get("command", ()))
    # Of a configuration it is enough that it has one somewhere: whoever wrote it meant it so.
    return (
        not told
        and "region" not in variables.get("AOT_CONFIG_CONTENT", "")
        and behaviour(container).ends_without_region
    )


def _text(configuration: Mapping[str, Any]) -> str:
    """JSON, which is YAML, too; the same text always."""
    return json.dumps(configuration, sort_keys=True, separators=(",", ":"))
