"""Target groups: what a load balancer sends to, and how it tells who is well."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from localaws.plugins.aws.aws import Aws
from localaws.plugins.aws.comparing import Change
from localaws.plugins.aws.elbv2 import LONGEST_NAME, NAME_CHECKS, PROTOCOLS, ElbResource, understood, written
from localaws.plugins.aws.fields import block, flag, output, tagged, text, unordered, whole
from localaws.plugins.aws.rules import between, length
from localaws.plugins.aws.values import State

GROUP_ATTRIBUTES: Mapping[str, str] = {
    "connectionTermination": "deregistration_delay.connection_termination.enabled",
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "lambdaMultiValueHeadersEnabled": "lambda.multi_value_headers.enabled",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
    "preserveClientIp": "preserve_client_ip.enabled",
    "proxyProtocolV2": "proxy_protocol_v2.enabled",
    "slowStart": "slow_start.duration_seconds",
}
HEALTH_CHECK = block(
    {
        "enabled": flag(default=True),
        "healthyThreshold": whole(default=3, checks=(between(2, 10),)),
        "interval": whole(default=30, checks=(between(5, 300),)),
        "matcher": text(computed=True),
        "path": text(computed=True),
        "port": text(default="traffic-port"),
        "protocol": text(default="HTTP", choices=("HTTP", "HTTPS", "TCP")),
        "timeout": whole(computed=True, checks=(between(2, 120),)),
        "unhealthyThreshold": whole(default=3, checks=(between(2, 10),)),
    },
    computed=True,
)


class TargetGroup(ElbResource):
    """A target group; its id is its ARN."""

    token, label = "aws:lb/targetGroup:TargetGroup", "ELBv2 Target Group"
    missing = frozenset({"TargetGroupNotFound"})
    fields = tagged(
        {
            "connectionTermination": flag(computed=True),
            "deregistrationDelay": whole(default=300, checks=(between(0, 3600),)),
            "healthCheck": HEALTH_CHECK,
            "ipAddressType": text(computed=True, replaces=True, choices=("ipv4", "ipv6")),
            "lambdaMultiValueHeadersEnabled": flag(default=False),
            "loadBalancingAlgorithmType": text(
                computed=True, choices=("round_robin", "least_outstanding_requests", "weighted_random")
            ),
            "loadBalancingAnomalyMitigation": text(computed=True, choices=("on", "off")),
            "loadBalancingCrossZoneEnabled": text(
                computed=True, choices=("true", "false", "use_load_balancer_configuration")
            ),
            "name": text(
                computed=True, replaces=True, autoname=LONGEST_NAME, aws="TargetGroupName", checks=NAME_CHECKS
            ),
            "namePrefix": text(computed=True, replaces=True, local=True, checks=(length(1, 6),)),
            "port": whole(replaces=True, checks=(between(1, 65535),)),
            "preserveClientIp": text(computed=True, choices=("true", "false")),
            "protocol": text(replaces=True, choices=PROTOCOLS),
            "protocolVersion": text(computed=True, replaces=True, choices=("GRPC", "HTTP1", "HTTP2")),
            "proxyProtocolV2": flag(default=False),
            "slowStart": whole(default=0),
            "stickiness": block(
                {
                    "cookieDuration": whole(default=86400),
                    "cookieName": text(),
                    "enabled": flag(default=True),
                    "type": text(
                        required=True,
                        choices=(
                            "lb_cookie",
                            "app_cookie",
                            "source_ip",
                            "source_ip_dest_ip",
                            "source_ip_dest_ip_proto",
                        ),
                    ),
                },
                computed=True,
            ),
            "targetType": text(default="instance", replaces=True, choices=("instance", "ip", "lambda", "alb")),
            "vpcId": text(replaces=True),
            "arn": output(text(aws="TargetGroupArn")),
            "arnSuffix": output(text()),
            "loadBalancerArns": output(unordered(text())),
        }
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        for name in ("port", "protocol", "vpcId"):
            if inputs["targetType"] != "lambda" and inputs.get(name) is None:
                yield name, f"is required for targets of type {inputs['targetType']}"
        if inputs.get("protocol") in {"TCP", "TLS", "UDP", "TCP_UDP"} and inputs.get("slowStart"):
            yield "slowStart", "is only for target groups of application load balancers"

    def suppressed(self, change: Change, old: State, new: State) -> bool:
        """The health check's protocol is the only default that depends on the group's own."""
        return change.top == "lambdaMultiValueHeadersEnabled" and new.get("targetType") != "lambda"

    def create(self, aws: Aws, inputs: State) -> str:
        given = self.shaped(inputs, "ipAddressType", "port", "protocol", "protocolVersion", "targetType", "vpcId")
        made = self.ask(
            aws, "CreateTargetGroup", **given, Name=inputs["name"], **_health(inputs), Tags=self.tags(inputs)
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        present = self._attributes(aws, identity)
        wanted = {
            key: written(inputs[name]) for name, key in GROUP_ATTRIBUTES.items() if name in inputs and key in present
        }
        wanted |= _stickiness(inputs.get("stickiness"))
        changed = [{"Key": key, "Value": value} for key, value in wanted.items() if present.get(key) != value]
        if changed:
            self.ask(aws, "ModifyTargetGroupAttributes", TargetGroupArn=identity, Attributes=changed)

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        answer = self.find(aws, "DescribeTargetGroups", TargetGroupArns=[identity])
        if not answer or not answer["TargetGroups"]:
            return None
        found, present = answer["TargetGroups"][0], self._attributes(aws, identity)
        return {
            "ipAddressType": "ipv4",
            **self.plain(found),
            **{
                name: understood(self.fields, name, present[key]) if key in present else self.fields[name].default
                for name, key in GROUP_ATTRIBUTES.items()
            },
            "arnSuffix": identity.rpartition(":")[2],
            "healthCheck": {
                "enabled": found.get("HealthCheckEnabled", True),
                "healthyThreshold": found["HealthyThresholdCount"],
                "interval": found["HealthCheckIntervalSeconds"],
                "matcher": (found.get("Matcher") or {}).get("HttpCode", ""),
                "path": found.get("HealthCheckPath", ""),
                "port": found["HealthCheckPort"],
                "protocol": found["HealthCheckProtocol"],
                "timeout": found["HealthCheckTimeoutSeconds"],
                "unhealthyThreshold": found["UnhealthyThresholdCount"],
            },
            "stickiness": _stickiness_state(present),
            "tagsAll": self.read_tags(aws, identity),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        if "healthCheck" in changed:
            self.ask(aws, "ModifyTargetGroup", TargetGroupArn=identity, **_health(new))

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        self.ask(aws, "DeleteTargetGroup", TargetGroupArn=identity)

    def _attributes(self, aws: Aws, identity: str) -> dict[str, str]:
        answer = self.ask(aws, "DescribeTargetGroupAttributes", TargetGroupArn=identity)
        return {item["Key"]: item["Value"] for item in answer["Attributes"]}


def _health(inputs: State) -> State:
    """The health check as parameters of a create or change."""
    check = inputs.get("healthCheck")
    if not check:
        return {}
    http = check.get("protocol") in {"HTTP", "HTTPS"}
    matcher = check.get("matcher")
    return {
        "HealthCheckEnabled": check.get("enabled"),
        "HealthCheckIntervalSeconds": check.get("interval"),
        "HealthCheckPath": check.get("path") or None,
        "HealthCheckPort": check.get("port"),
        "HealthCheckProtocol": check.get("protocol"),
        "HealthCheckTimeoutSeconds": check.get("timeout") or None,
        "HealthyThresholdCount": check.get("healthyThreshold"),
        "UnhealthyThresholdCount": check.get("unhealthyThreshold"),
        "Matcher": {"HttpCode": matcher} if http and matcher else None,
    }


def _stickiness(given: State | None) -> dict[str, str]:
    if not given:
        return {}
    attributes = {"stickiness.enabled": written(given.get("enabled", True)), "stickiness.type": given["type"]}
    if given["type"] == "lb_cookie":
        attributes["stickiness.lb_cookie.duration_seconds"] = written(given["cookieDuration"])
    if given["type"] == "app_cookie":
        attributes["stickiness.app_cookie.duration_seconds"] = written(given["cookieDuration"])
        attributes["stickiness.app_cookie.cookie_name"] = given.get("cookieName", "")
    return attributes


def _stickiness_state(present: Mapping[str, str]) -> State | None:
    if "stickiness.type" not in present:
        return None
    duration = present.get("stickiness.lb_cookie.duration_seconds", "86400")
    return {
        "enabled": present.get("stickiness.enabled") == "true",
        "type": present["stickiness.type"],
        "cookieDuration": int(duration),
        "cookieName": present.get("stickiness.app_cookie.cookie_name", ""),
    }
