"""Load balancers and their listeners."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.comparing import Change
from localaws.plugins.aws.fields import Fields, block, flag, many, output, tagged, text, unordered, whole
from localaws.plugins.aws.resource import Resource, Tagging
from localaws.plugins.aws.rules import between, is_arn, length, pattern
from localaws.plugins.aws.values import State, unknown

TAGGING = Tagging("AddTags", "RemoveTags", "ResourceArns", many=True)
LONGEST_NAME = 32  # characters
NAME_CHECKS = (
    length(1, LONGEST_NAME),
    pattern(
        r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?",
        "consist of letters, digits and hyphens, with no hyphen at either end",
    ),
)
PROTOCOLS = ("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC")

# Attributes: Pulumi's property, AWS's key, the kinds of load balancer that have it.
Attribute = tuple[str, frozenset[str]]
NETWORK, APPLICATION, BOTH = frozenset({"network"}), frozenset({"application"}), frozenset({"network", "application"})
BALANCER_ATTRIBUTES: Mapping[str, Attribute] = {
    "clientKeepAlive": ("client_keep_alive.seconds", APPLICATION),
    "desyncMitigationMode": ("routing.http.desync_mitigation_mode", APPLICATION),
    "dnsRecordClientRoutingPolicy": ("dns_record.client_routing_policy", NETWORK),
    "dropInvalidHeaderFields": ("routing.http.drop_invalid_header_fields.enabled", APPLICATION),
    "enableCrossZoneLoadBalancing": ("load_balancing.cross_zone.enabled", NETWORK),
    "enableDeletionProtection": ("deletion_protection.enabled", BOTH),
    "enableHttp2": ("routing.http2.enabled", APPLICATION),
    "enableTlsVersionAndCipherSuiteHeaders": ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", APPLICATION),
    "enableWafFailOpen": ("waf.fail_open.enabled", APPLICATION),
    "enableXffClientPort": ("routing.http.xff_client_port.enabled", APPLICATION),
    "enableZonalShift": ("zonal_shift.config.enabled", BOTH),
    "idleTimeout": ("idle_timeout.timeout_seconds", APPLICATION),
    "preserveHostHeader": ("routing.http.preserve_host_header.enabled", APPLICATION),
    "xffHeaderProcessingMode": ("routing.http.xff_header_processing.mode", APPLICATION),
}


def written(value: Any) -> str:
    """A property as the text that attributes are."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def understood(fields: Fields, name: str, value: str) -> Any:
    """The reverse, by the property's kind."""
    kind = fields[name].kind.name
    return value == "true" if kind == "FLAG" else int(value) if kind == "WHOLE" else value


class ElbResource(Resource):
    """What the three share: the id is the ARN, tags are read by a call of their own."""

    service = "elbv2"
    tagging = TAGGING

    def read_tags(self, aws: Aws, arn: str) -> State:
        """The tags of one resource."""
        described = self.ask(aws, "DescribeTags", ResourceArns=[arn])["TagDescriptions"]
        return TAGGING.plain(described[0]["Tags"] if described else [])


class LoadBalancer(ElbResource):
    """A load balancer; application or network."""

    token, label = "aws:lb/loadBalancer:LoadBalancer", "ELBv2 Load Balancer"
    missing = frozenset({"LoadBalancerNotFound"})
    fields = tagged(
        {
            "clientKeepAlive": whole(default=3600, checks=(between(60, 604800),)),
            "desyncMitigationMode": text(default="defensive", choices=("monitor", "defensive", "strictest")),
            "dnsRecordClientRoutingPolicy": text(default="any_availability_zone"),
            "dropInvalidHeaderFields": flag(default=False),
            "enableCrossZoneLoadBalancing": flag(default=False),
            "enableDeletionProtection": flag(default=False),
            "enableHttp2": flag(default=True),
            "enableTlsVersionAndCipherSuiteHeaders": flag(default=False),
            "enableWafFailOpen": flag(default=False),
            "enableXffClientPort": flag(default=False),
            "enableZonalShift": flag(default=False),
            "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": text(computed=True, choices=("on", "off")),
            "idleTimeout": whole(default=60, checks=(between(1, 4000),)),
            "internal": flag(computed=True, replaces=True),
            "ipAddressType": text(computed=True, choices=("ipv4", "dualstack", "dualstack-without-public-ipv4")),
            "loadBalancerType": text(
                default="application", replaces=True, choices=("application", "gateway", "network"), aws="Type"
            ),
            "name": text(
                computed=True, replaces=True, autoname=LONGEST_NAME, aws="LoadBalancerName", checks=NAME_CHECKS
            ),
            "namePrefix": text(computed=True, replaces=True, local=True, checks=(length(1, 6),)),
            "preserveHostHeader": flag(default=False),
            "securityGroups": unordered(text(), computed=True),
            "subnetMappings": unordered(
                block(
                    {
                        "subnetId": text(required=True),
                        "allocationId": text(),
                        "privateIpv4Address": text(aws="PrivateIPv4Address"),
                    }
                ),
                computed=True,
            ),
            "subnets": unordered(text(), computed=True),
            "xffHeaderProcessingMode": text(default="append", choices=("append", "preserve", "remove")),
            "arn": output(text(aws="LoadBalancerArn")),
            "arnSuffix": output(text()),
            "dnsName": output(text(aws="DNSName")),
            "vpcId": output(text()),
            "zoneId": output(text(aws="CanonicalHostedZoneId")),
        }
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        if bool(inputs.get("subnets")) == bool(inputs.get("subnetMappings")):
            yield "subnets", "is needed, or `subnetMappings` in its place"

    def suppressed(self, change: Change, old: State, new: State) -> bool:
        """Attributes of the other kinds of load balancer are defaults that lead nowhere."""
        kinds = BALANCER_ATTRIBUTES.get(change.top, ("", BOTH))[1]
        return new.get("loadBalancerType") not in kinds

    def create(self, aws: Aws, inputs: State) -> str:
        given = self.shaped(inputs, "ipAddressType", "loadBalancerType", "securityGroups", "subnetMappings", "subnets")
        scheme = "internal" if inputs.get("internal") else "internet-facing"
        made = self.ask(aws, "CreateLoadBalancer", **given, Name=inputs["name"], Scheme=scheme, Tags=self.tags(inputs))
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        aws.until(lambda: self._status(aws, identity) == "active", f"load balancer {identity} to be active", 600)
        present, kind = self._attributes(aws, identity), inputs["loadBalancerType"]
        self._write(
            aws,
            identity,
            {
                key: written(inputs[name])
                for name, (key, kinds) in BALANCER_ATTRIBUTES.items()
                if name in inputs
                and kind in kinds
                and present.get(key) != written(inputs[name])
                and (key in present or inputs[name] != self.fields[name].default)
            },
        )

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self._find(aws, identity)
        if found is None:
            return None
        present = self._attributes(aws, identity)
        zones = found.get("AvailabilityZones", [])
        kind = found["Type"]
        return {
            **self.plain(found),
            **{
                name: understood(self.fields, name, present[key]) if key in present else self.fields[name].default
                for name, (key, kinds) in BALANCER_ATTRIBUTES.items()
                if kind in kinds or name in prior
            },
            "arnSuffix": identity.rpartition(":loadbalancer/")[2],
            "internal": found.get("Scheme") == "internal",
            "subnets": [zone["SubnetId"] for zone in zones],
            "subnetMappings": [{"subnetId": zone["SubnetId"], **_address(zone)} for zone in zones],
            "tagsAll": self.read_tags(aws, identity),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        if "securityGroups" in changed:
            self.ask(aws, "SetSecurityGroups", LoadBalancerArn=identity, SecurityGroups=new.get("securityGroups", []))
        if changed & {"subnets", "subnetMappings"}:
            self.ask(
                aws,
                "SetSubnets",
                LoadBalancerArn=identity,
                **self.shaped(new, *sorted(changed & {"subnets", "subnetMappings"})),
            )
        if "ipAddressType" in changed:
            self.ask(aws, "SetIpAddressType", LoadBalancerArn=identity, IpAddressType=new["ipAddressType"])

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        self.ask(aws, "DeleteLoadBalancer", LoadBalancerArn=identity)
        aws.until(lambda: self._find(aws, identity) is None, f"load balancer {identity} to be deleted", 600)

    def _find(self, aws: Aws, identity: str) -> State | None:
        answer = self.find(aws, "DescribeLoadBalancers", LoadBalancerArns=[identity])
        return answer["LoadBalancers"][0] if answer and answer["LoadBalancers"] else None

    def _status(self, aws: Aws, identity: str) -> str:
        found = self._find(aws, identity) or {}
        if found.get("State", {}).get("Code") == "failed":
            raise AwsError(f"load balancer {identity} failed: {found['State'].get('Reason', '')}")
        return "active" if found.get("State", {}).get("Code") in {"active", "active_impaired"} else ""

    def _attributes(self, aws: Aws, identity: str) -> dict[str, str]:
        answer = self.ask(aws, "DescribeLoadBalancerAttributes", LoadBalancerArn=identity)
        return {item["Key"]: item["Value"] for item in answer["Attributes"]}

    def _write(self, aws: Aws, identity: str, attributes: Mapping[str, str]) -> None:
        if attributes:
            pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
            self.ask(aws, "ModifyLoadBalancerAttributes", LoadBalancerArn=identity, Attributes=pairs)


def _address(zone: State) -> State:
    addresses = zone.get("LoadBalancerAddresses") or [{}]
    return {"allocationId": addresses[0]["AllocationId"]} if addresses[0].get("AllocationId") else {}


ACTION = block(
    {
        "type": text(
            required=True,
            choices=("forward", "authenticate-oidc", "authenticate-cognito", "redirect", "fixed-response"),
        ),
        "fixedResponse": block(
            {"contentType": text(required=True), "messageBody": text(), "statusCode": text(computed=True)},
            aws="FixedResponseConfig",
        ),
        "forward": block(
            {
                "targetGroups": unordered(
                    block({"arn": text(required=True, aws="TargetGroupArn"), "weight": whole(default=1)}), required=True
                ),
                "stickiness": block(
                    {"duration": whole(required=True, aws="DurationSeconds"), "enabled": flag(default=False)},
                    aws="TargetGroupStickinessConfig",
                ),
            },
            aws="ForwardConfig",
        ),
        "order": whole(computed=True, checks=(between(1, 50000),)),
        "redirect": block(
            {name: text(default=f"#{{{name}}}") for name in ("host", "port", "protocol", "query")}
            | {"path": text(default="/#{path}"), "statusCode": text(required=True, choices=("HTTP_301", "HTTP_302"))},
            aws="RedirectConfig",
        ),
        "targetGroupArn": text(checks=(is_arn,)),
    }
)


class Listener(ElbResource):
    """What a load balancer listens on, and what it does with what comes."""

    token, label = "aws:lb/listener:Listener", "ELBv2 Listener"
    missing = frozenset({"ListenerNotFound"})
    naming = "loadBalancerArn"
    fields = tagged(
        {
            "alpnPolicy": text(choices=("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None")),
            "certificateArn": text(checks=(is_arn,)),
            "defaultActions": many(ACTION, required=True),
            "loadBalancerArn": text(required=True, replaces=True, checks=(is_arn,)),
            "port": whole(checks=(between(1, 65535),)),
            "protocol": text(computed=True, choices=PROTOCOLS),
            "sslPolicy": text(computed=True),
            "tcpIdleTimeoutSeconds": whole(computed=True, checks=(between(60, 6000),)),
            "arn": output(text(aws="ListenerArn")),
        }
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        for index, action in enumerate(inputs["defaultActions"]):
            if action["type"] == "forward" and not (action.get("targetGroupArn") or action.get("forward")):
                yield f"defaultActions[{index}].targetGroupArn", "is needed to forward, or `forward` in its place"

    def create(self, aws: Aws, inputs: State) -> str:
        made = self.ask(
            aws,
            "CreateListener",
            **self._shaped(aws, inputs),
            LoadBalancerArn=inputs["loadBalancerArn"],
            Tags=self.tags(inputs),
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        answer = self.find(aws, "DescribeListeners", ListenerArns=[identity])
        if not answer or not answer["Listeners"]:
            return None
        found = answer["Listeners"][0]
        plain = self.plain({**found, "AlpnPolicy": next(iter(found.get("AlpnPolicy") or ()), None)})
        for index, action in enumerate(plain.get("defaultActions", ())):
            action.setdefault("order", index + 1)
            given = (
                (prior.get("defaultActions") or [{}] * (index + 1))[index]
                if index < len(prior.get("defaultActions") or [{}])
                else {}
            )
            if not given.get("forward"):
                action.pop("forward", None)  # AWS answers both spellings of the same target
            elif not given.get("targetGroupArn"):
                action.pop("targetGroupArn", None)
        certificate = next((item["CertificateArn"] for item in found.get("Certificates") or ()), None)
        return {**plain, "certificateArn": certificate, "tagsAll": self.read_tags(aws, identity), **self._idle(found)}

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        self.ask(aws, "ModifyListener", ListenerArn=identity, **self._shaped(aws, new))

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        self.ask(aws, "DeleteListener", ListenerArn=identity)

    def _shaped(self, aws: Aws, inputs: State) -> State:
        given = self.shaped(inputs, "defaultActions", "port", "protocol", "sslPolicy")
        if "Protocol" not in given and not unknown(inputs["loadBalancerArn"]) and "/app/" in inputs["loadBalancerArn"]:
            given["Protocol"] = "HTTP"
        if inputs.get("certificateArn"):
            given["Certificates"] = [{"CertificateArn": inputs["certificateArn"]}]
        if inputs.get("alpnPolicy"):
            given["AlpnPolicy"] = [inputs["alpnPolicy"]]
        return given

    @staticmethod
    def _idle(found: State) -> State:
        return {"tcpIdleTimeoutSeconds": 350} if found.get("Protocol") == "TCP" else {}
