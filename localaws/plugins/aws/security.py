"""EC2 security groups, and their rules as resources of their own."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar

from localaws.plugins.aws.aws import Aws
from localaws.plugins.aws.comparing import Change
from localaws.plugins.aws.ec2 import TAGGING, Ec2Resource, specified
from localaws.plugins.aws.fields import block, flag, output, tagged, text, unordered, whole
from localaws.plugins.aws.rules import between, cidr, length, pattern
from localaws.plugins.aws.values import State

LONGEST_NAME = 255  # characters
DESCRIPTION_CHECKS = (
    length(0, 255),
    pattern(r"[0-9A-Za-z_ .:/()#,@\[\]+=&;{}!$*-]*", "consist of letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"),
)
ANY_PROTOCOL = "-1"
PORTS = between(-1, 65535)  # -1: all, for ICMP types and for all protocols
PROTOCOLS = {"all": "-1", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}


def same_protocol(one: str, other: str) -> bool:
    """Whether a protocol's name and number mean the same."""
    return protocol(one) == protocol(other)


def protocol(name: str) -> str:
    """The name that AWS answers for a protocol given by name or number."""
    return PROTOCOLS.get(name.lower(), name.lower())


INLINE_RULE = block(
    {
        "cidrBlocks": unordered(text(checks=(cidr(),))),
        "description": text(),
        "fromPort": whole(required=True),
        "ipv6CidrBlocks": unordered(text()),
        "prefixListIds": unordered(text()),
        "protocol": text(required=True, same=same_protocol),
        "securityGroups": unordered(text()),
        "self": flag(),
        "toPort": whole(required=True),
    }
)


class SecurityGroup(Ec2Resource):
    """A security group. Its rules are its own only where they are given here.

    AWS's first egress rule is taken away, as the official provider does: what may go out is to be written down.
    """

    token, label = "aws:ec2/securityGroup:SecurityGroup", "EC2 Security Group"
    missing = frozenset({"InvalidGroup.NotFound", "InvalidGroupId.NotFound"})
    described = ("DescribeSecurityGroups", "GroupIds", "SecurityGroups")
    naming = "name"
    fields = tagged(
        {
            "description": text(default="Managed by Pulumi", replaces=True, checks=DESCRIPTION_CHECKS),
            "egress": unordered(INLINE_RULE, computed=True),
            "ingress": unordered(INLINE_RULE, computed=True),
            "name": text(
                computed=True, replaces=True, autoname=LONGEST_NAME, aws="GroupName", checks=(length(1, LONGEST_NAME),)
            ),
            "namePrefix": text(computed=True, replaces=True, local=True),
            "revokeRulesOnDelete": flag(local=True, default=False),
            "vpcId": text(computed=True, replaces=True),
            "arn": output(text(aws="SecurityGroupArn")),
            "ownerId": output(text()),
        }
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        if inputs.get("name", "").startswith("sg-"):
            yield "name", f"can't begin with sg-, which AWS keeps for ids; {inputs['name']!r} does"

    def create(self, aws: Aws, inputs: State) -> str:
        made = self.ask(
            aws,
            "CreateSecurityGroup",
            GroupName=inputs["name"],
            Description=inputs["description"],
            VpcId=inputs.get("vpcId"),
            TagSpecifications=specified("security-group", self.tags(inputs)),
        )
        return str(made["GroupId"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        found = self.find_one(aws, identity) or {}
        rules = {"ingress": found.get("IpPermissions", []), "egress": found.get("IpPermissionsEgress", [])}
        if fresh and rules["egress"] and not inputs.get("egress"):
            self.ask(aws, "RevokeSecurityGroupEgress", GroupId=identity, IpPermissions=rules["egress"])
        for way, operation in (("ingress", "Ingress"), ("egress", "Egress")):
            if inputs.get(way):
                present, wanted = (
                    _permissions(_inline(rules[way], identity), identity),
                    _permissions(inputs[way], identity),
                )
                gone = [item for item in present if item not in wanted]
                new = [item for item in wanted if item not in present]
                if gone:
                    self.ask(aws, f"RevokeSecurityGroup{operation}", GroupId=identity, IpPermissions=gone)
                if new:
                    self.ask(aws, f"AuthorizeSecurityGroup{operation}", GroupId=identity, IpPermissions=new)

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.find_one(aws, identity)
        if found is None:
            return None
        owner = found.get("OwnerId") or aws.account
        return {
            **self.plain(found),
            "arn": aws.arn("ec2", f"security-group/{identity}", owner),
            "ownerId": owner,
            "ingress": _inline(found.get("IpPermissions", []), identity),
            "egress": _inline(found.get("IpPermissionsEgress", []), identity),
            "tagsAll": TAGGING.plain(found.get("Tags")),
        }

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        if state.get("revokeRulesOnDelete"):
            found = self.find_one(aws, identity) or {}
            for operation, rules in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
                if found.get(rules):
                    self.ask(aws, f"RevokeSecurityGroup{operation}", GroupId=identity, IpPermissions=found[rules])
        self.unless_busy(aws, identity, lambda: self.ask(aws, "DeleteSecurityGroup", GroupId=identity))


class SecurityGroupRule(Ec2Resource):
    """What rules of both directions share. The id is AWS's `sgr-…`."""

    missing = frozenset({"InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound"})
    described = ("DescribeSecurityGroupRules", "SecurityGroupRuleIds", "SecurityGroupRules")
    way: ClassVar[str]
    fields = tagged(
        {
            "cidrIpv4": text(checks=(cidr(),)),
            "cidrIpv6": text(),
            "description": text(checks=DESCRIPTION_CHECKS),
            "fromPort": whole(checks=(PORTS,)),
            "ipProtocol": text(required=True, same=same_protocol),
            "prefixListId": text(),
            "referencedSecurityGroupId": text(),
            "securityGroupId": text(required=True, replaces=True, aws="GroupId"),
            "toPort": whole(checks=(PORTS,)),
            "arn": output(text(aws="SecurityGroupRuleArn")),
            "securityGroupRuleId": output(text()),
        }
    )
    SOURCES: ClassVar[tuple[str, ...]] = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        given = [name for name in self.SOURCES if inputs.get(name)]
        if len(given) != 1:
            found = f"{', '.join(given)} are given" if given else "none is given"
            yield next(iter(given), self.SOURCES[0]), f"exactly one is needed of {', '.join(self.SOURCES)}; {found}"
        kind = protocol(inputs["ipProtocol"])
        for name in ("fromPort", "toPort"):
            if kind in {"tcp", "udp"} and inputs.get(name) is None:
                yield name, f"is required for {kind}"
            if kind == ANY_PROTOCOL and inputs.get(name, -1) != -1:
                yield name, "can't be given for all protocols"

    def suppressed(self, change: Change, old: State, new: State) -> bool:
        """Port 0 is a port: the common comparison takes it for nothing."""
        if change.top not in {"fromPort", "toPort"}:
            return False
        return bool(new.get(change.top, -1) == old.get(change.top, -1))

    def create(self, aws: Aws, inputs: State) -> str:
        made = self.ask(
            aws,
            f"AuthorizeSecurityGroup{self.way}",
            GroupId=inputs["securityGroupId"],
            IpPermissions=[_permission(inputs)],
            TagSpecifications=specified("security-group-rule", self.tags(inputs)),
        )
        return str(made["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.find_one(aws, identity)
        if found is None or bool(found.get("IsEgress")) != (self.way == "Egress"):
            return None
        plain = self.plain({name: value for name, value in found.items() if value != ""})
        if protocol(plain["ipProtocol"]) == ANY_PROTOCOL:
            plain = {name: value for name, value in plain.items() if name not in {"fromPort", "toPort"}}
        return {
            **plain,
            "referencedSecurityGroupId": found.get("ReferencedGroupInfo", {}).get("GroupId"),
            "securityGroupRuleId": identity,
            "arn": aws.arn("ec2", f"security-group-rule/{identity}", found.get("GroupOwnerId", "")),
            "tagsAll": TAGGING.plain(found.get("Tags")),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        rule = {
            "IpProtocol": new["ipProtocol"],
            "FromPort": new.get("fromPort", -1),
            "ToPort": new.get("toPort", -1),
            "CidrIpv4": new.get("cidrIpv4"),
            "CidrIpv6": new.get("cidrIpv6"),
            "PrefixListId": new.get("prefixListId"),
            "ReferencedGroupId": new.get("referencedSecurityGroupId"),
            "Description": new.get("description"),
        }
        given = {name: value for name, value in rule.items() if value is not None}
        changes = [{"SecurityGroupRuleId": identity, "SecurityGroupRule": given}]
        self.ask(aws, "ModifySecurityGroupRules", GroupId=new["securityGroupId"], SecurityGroupRules=changes)

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        group = state["securityGroupId"]
        self.ask(aws, f"RevokeSecurityGroup{self.way}", GroupId=group, SecurityGroupRuleIds=[identity])


class SecurityGroupIngressRule(SecurityGroupRule):
    """A rule for what may come in."""

    token, label, way = (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "VPC Security Group Rule",
        "Ingress",
    )


class SecurityGroupEgressRule(SecurityGroupRule):
    """A rule for what may go out."""

    token, label, way = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "VPC Security Group Rule", "Egress"


def _permission(inputs: State) -> State:
    """A rule as AWS takes it: ports and protocol, and one list with one source in it."""
    ports = (
        {}
        if protocol(inputs["ipProtocol"]) == ANY_PROTOCOL
        else {"FromPort": inputs.get("fromPort"), "ToPort": inputs.get("toPort")}
    )
    said = {"Description": inputs["description"]} if inputs.get("description") else {}
    sources = {
        "IpRanges": ("CidrIp", inputs.get("cidrIpv4")),
        "Ipv6Ranges": ("CidrIpv6", inputs.get("cidrIpv6")),
        "PrefixListIds": ("PrefixListId", inputs.get("prefixListId")),
        "UserIdGroupPairs": ("GroupId", inputs.get("referencedSecurityGroupId")),
    }
    return {
        "IpProtocol": inputs["ipProtocol"],
        **{name: value for name, value in ports.items() if value is not None},
        **{name: [{member: value, **said}] for name, (member, value) in sources.items() if value},
    }


def _inline(permissions: list[State], group: str) -> list[State]:
    """AWS's permissions as rules of a group, one for each permission and description."""
    rules: dict[tuple[Any, ...], State] = {}
    members = {
        "IpRanges": ("cidrBlocks", "CidrIp"),
        "Ipv6Ranges": ("ipv6CidrBlocks", "CidrIpv6"),
        "PrefixListIds": ("prefixListIds", "PrefixListId"),
        "UserIdGroupPairs": ("securityGroups", "GroupId"),
    }
    for item in permissions:
        base = {"protocol": item["IpProtocol"], "fromPort": item.get("FromPort", 0), "toPort": item.get("ToPort", 0)}
        for key, (name, member) in members.items():
            for source in item.get(key, ()):
                said = source.get("Description", "")
                rule = rules.setdefault((*base.values(), said), {**base, "description": said, "self": False})
                if source[member] == group:
                    rule["self"] = True
                else:
                    rule.setdefault(name, []).append(source[member])
    return list(rules.values())


def _permissions(rules: list[State], group: str) -> list[State]:
    """The reverse, one permission for each source, so that they can be told apart."""
    names = {
        "cidrBlocks": "cidrIpv4",
        "ipv6CidrBlocks": "cidrIpv6",
        "prefixListIds": "prefixListId",
        "securityGroups": "referencedSecurityGroupId",
    }
    return [
        _permission({**rule, "ipProtocol": rule["protocol"], name: source})
        for rule in rules
        for name, source in (
            *((single, item) for many, single in names.items() for item in rule.get(many) or ()),
            *([("referencedSecurityGroupId", group)] if rule.get("self") else []),
        )
    ]
