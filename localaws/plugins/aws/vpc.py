"""EC2 networking: VPCs, subnets, internet gateways."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import ClassVar

from localaws.plugins.aws.aws import Aws
from localaws.plugins.aws.ec2 import TAGGING, Ec2Resource, specified
from localaws.plugins.aws.fields import flag, output, tagged, text
from localaws.plugins.aws.rules import cidr
from localaws.plugins.aws.shaping import spelled
from localaws.plugins.aws.values import State


class Vpc(Ec2Resource):
    """A network of its own. Two of its settings can't be given to the create call and follow it."""

    token, label = "aws:ec2/vpc:Vpc", "EC2 VPC"
    missing = frozenset({"InvalidVpcID.NotFound"})
    described = ("DescribeVpcs", "VpcIds", "Vpcs")
    fields = tagged(
        {
            "assignGeneratedIpv6CidrBlock": flag(),
            "cidrBlock": text(required=True, replaces=True, checks=(cidr(16, 28),)),
            "enableDnsHostnames": flag(computed=True),
            "enableDnsSupport": flag(default=True),
            "enableNetworkAddressUsageMetrics": flag(computed=True),
            "instanceTenancy": text(default="default", choices=("default", "dedicated")),
            "arn": output(text()),
            "defaultNetworkAclId": output(text()),
            "defaultRouteTableId": output(text()),
            "defaultSecurityGroupId": output(text()),
            "dhcpOptionsId": output(text()),
            "ipv6AssociationId": output(text()),
            "ipv6CidrBlock": output(text()),
            "ipv6CidrBlockNetworkBorderGroup": output(text()),
            "mainRouteTableId": output(text()),
            "ownerId": output(text()),
        }
    )
    attributes: ClassVar[Mapping[str, str]] = {
        "enableDnsHostnames": "EnableDnsHostnames",
        "enableDnsSupport": "EnableDnsSupport",
        "enableNetworkAddressUsageMetrics": "EnableNetworkAddressUsageMetrics",
    }

    def create(self, aws: Aws, inputs: State) -> str:
        made = self.ask(
            aws,
            "CreateVpc",
            CidrBlock=inputs["cidrBlock"],
            InstanceTenancy=inputs["instanceTenancy"],
            TagSpecifications=specified("vpc", self.tags(inputs)),
        )
        return str(made["Vpc"]["VpcId"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        aws.until(
            lambda: (self.find_one(aws, identity) or {}).get("State") == "available", f"VPC {identity} to be available"
        )
        for name in sorted(self.attributes, reverse=True):  # DNS support comes before the host names that need it
            if name in inputs and inputs[name] != self._attribute(aws, identity, name):
                self.ask(aws, "ModifyVpcAttribute", VpcId=identity, **{self.attributes[name]: {"Value": inputs[name]}})

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.find_one(aws, identity)
        if found is None:
            return None
        main = self._along(aws, identity, "RouteTable", {"association.main": "true"})
        return {
            **self.plain(found),
            **{name: self._attribute(aws, identity, name) for name in self.attributes},
            "arn": aws.arn("ec2", f"vpc/{identity}", found["OwnerId"]),
            "defaultNetworkAclId": self._along(aws, identity, "NetworkAcl", {"default": "true"}),
            "defaultRouteTableId": main,
            "defaultSecurityGroupId": self._along(aws, identity, "SecurityGroup", {"group-name": "default"}),
            "mainRouteTableId": main,
            "tagsAll": TAGGING.plain(found.get("Tags")),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        if "instanceTenancy" in changed:
            self.ask(aws, "ModifyVpcTenancy", VpcId=identity, InstanceTenancy=new["instanceTenancy"])

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        self.unless_busy(aws, identity, lambda: self.ask(aws, "DeleteVpc", VpcId=identity))

    def _attribute(self, aws: Aws, identity: str, name: str) -> bool:
        answer = self.ask(aws, "DescribeVpcAttribute", VpcId=identity, Attribute=name)
        return bool(answer.get(self.attributes[name], {}).get("Value", False))

    def _along(self, aws: Aws, identity: str, kind: str, wanted: Mapping[str, str]) -> str | None:
        """The id of what AWS made along with the VPC."""
        filters = [{"Name": name, "Values": [value]} for name, value in {"vpc-id": identity, **wanted}.items()]
        found = self.ask(aws, f"Describe{kind}s", Filters=filters)[f"{kind}s"]
        key = "GroupId" if kind == "SecurityGroup" else f"{kind}Id"
        return str(found[0][key]) if found else None


class Subnet(Ec2Resource):
    """A part of a VPC in one zone."""

    token, label = "aws:ec2/subnet:Subnet", "EC2 Subnet"
    missing = frozenset({"InvalidSubnetID.NotFound"})
    described = ("DescribeSubnets", "SubnetIds", "Subnets")
    fields = tagged(
        {
            "assignIpv6AddressOnCreation": flag(default=False),
            "availabilityZone": text(computed=True, replaces=True),
            "availabilityZoneId": text(computed=True, replaces=True),
            "cidrBlock": text(required=True, replaces=True, checks=(cidr(16, 28),)),
            "enableDns64": flag(default=False),
            "enableResourceNameDnsARecordOnLaunch": flag(default=False),
            "enableResourceNameDnsAaaaRecordOnLaunch": flag(default=False),
            "ipv6Native": flag(default=False, replaces=True),
            "mapPublicIpOnLaunch": flag(default=False),
            "privateDnsHostnameTypeOnLaunch": text(computed=True, choices=("ip-name", "resource-name")),
            "vpcId": text(required=True, replaces=True),
            "arn": output(text(aws="SubnetArn")),
            "ipv6CidrBlock": output(text()),
            "ipv6CidrBlockAssociationId": output(text()),
            "ownerId": output(text()),
        }
    )

    def create(self, aws: Aws, inputs: State) -> str:
        given = self.shaped(inputs, "availabilityZone", "availabilityZoneId", "cidrBlock", "vpcId")
        made = self.ask(aws, "CreateSubnet", **given, TagSpecifications=specified("subnet", self.tags(inputs)))
        return str(made["Subnet"]["SubnetId"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        aws.until(
            lambda: (self.find_one(aws, identity) or {}).get("State") == "available",
            f"subnet {identity} to be available",
        )
        found = self.find_one(aws, identity) or {}
        for name in ("mapPublicIpOnLaunch", "assignIpv6AddressOnCreation", "enableDns64"):
            wanted = inputs.get(name, False)
            if wanted != found.get(spelled(name), False):
                self.ask(aws, "ModifySubnetAttribute", SubnetId=identity, **{spelled(name): {"Value": wanted}})

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.find_one(aws, identity)
        if found is None:
            return None
        names = found.get("PrivateDnsNameOptionsOnLaunch", {})
        return {
            **self.plain(found),
            "enableDns64": found.get("EnableDns64", False),
            "ipv6Native": found.get("Ipv6Native", False),
            "enableResourceNameDnsARecordOnLaunch": names.get("EnableResourceNameDnsARecord", False),
            "enableResourceNameDnsAaaaRecordOnLaunch": names.get("EnableResourceNameDnsAAAARecord", False),
            "privateDnsHostnameTypeOnLaunch": names.get("HostnameType", "ip-name"),
            "tagsAll": TAGGING.plain(found.get("Tags")),
        }

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        self.unless_busy(aws, identity, lambda: self.ask(aws, "DeleteSubnet", SubnetId=identity))


class InternetGateway(Ec2Resource):
    """A VPC's way out; it can be moved to another VPC."""

    token, label = "aws:ec2/internetGateway:InternetGateway", "EC2 Internet Gateway"
    missing = frozenset({"InvalidInternetGatewayID.NotFound"})
    described = ("DescribeInternetGateways", "InternetGatewayIds", "InternetGateways")
    fields = tagged({"vpcId": text(computed=True), "arn": output(text()), "ownerId": output(text())})

    def create(self, aws: Aws, inputs: State) -> str:
        made = self.ask(
            aws, "CreateInternetGateway", TagSpecifications=specified("internet-gateway", self.tags(inputs))
        )
        return str(made["InternetGateway"]["InternetGatewayId"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        attached = self._vpc(self.find_one(aws, identity) or {})
        if inputs.get("vpcId") and attached != inputs["vpcId"]:
            self.ask(aws, "AttachInternetGateway", InternetGatewayId=identity, VpcId=inputs["vpcId"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.find_one(aws, identity)
        if found is None:
            return None
        owner = found.get("OwnerId") or aws.account
        return {
            "vpcId": self._vpc(found),
            "ownerId": owner,
            "arn": aws.arn("ec2", f"internet-gateway/{identity}", owner),
            "tagsAll": TAGGING.plain(found.get("Tags")),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        if old.get("vpcId"):  # the new one follows in settle
            self.ask(aws, "DetachInternetGateway", InternetGatewayId=identity, VpcId=old["vpcId"])

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        found = self.find_one(aws, identity)
        vpc = self._vpc(found or {})
        if vpc:
            self.unless_busy(
                aws, identity, lambda: self.ask(aws, "DetachInternetGateway", InternetGatewayId=identity, VpcId=vpc)
            )
        self.ask(aws, "DeleteInternetGateway", InternetGatewayId=identity)

    @staticmethod
    def _vpc(found: State) -> str:
        attachments = found.get("Attachments") or [{}]
        return str(attachments[0].get("VpcId", ""))
