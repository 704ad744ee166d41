"""EC2 addresses: elastic ones, and NAT gateways."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.ec2 import TAGGING, Ec2Resource, specified
from localaws.plugins.aws.fields import output, tagged, text, unordered, whole
from localaws.plugins.aws.values import State


class Eip(Ec2Resource):
    """An address that stays; its id is the allocation's."""

    token, label = "aws:ec2/eip:Eip", "EC2 EIP"
    missing = frozenset({"InvalidAllocationID.NotFound", "InvalidAddress.NotFound"})
    described = ("DescribeAddresses", "AllocationIds", "Addresses")
    fields = tagged(
        {
            "address": text(replaces=True),
            "associateWithPrivateIp": text(),
            "domain": text(computed=True, replaces=True, choices=("vpc", "standard")),
            "instance": text(computed=True, aws="InstanceId"),
            "networkBorderGroup": text(computed=True, replaces=True),
            "networkInterface": text(computed=True, aws="NetworkInterfaceId"),
            "publicIpv4Pool": text(computed=True, replaces=True),
            "allocationId": output(text()),
            "arn": output(text()),
            "associationId": output(text()),
            "carrierIp": output(text()),
            "customerOwnedIp": output(text()),
            "privateDns": output(text()),
            "privateIp": output(text(aws="PrivateIpAddress")),
            "ptrRecord": output(text()),
            "publicDns": output(text()),
            "publicIp": output(text()),
        }
    )

    def create(self, aws: Aws, inputs: State) -> str:
        made = self.ask(
            aws,
            "AllocateAddress",
            Domain=inputs.get("domain", "vpc"),
            Address=inputs.get("address"),
            TagSpecifications=specified("elastic-ip", self.tags(inputs)),
        )
        return str(made["AllocationId"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        goal = {"InstanceId": inputs.get("instance"), "NetworkInterfaceId": inputs.get("networkInterface")}
        found = self.find_one(aws, identity) or {}
        if any(value and found.get(name) != value for name, value in goal.items()):
            private = inputs.get("associateWithPrivateIp")
            self.ask(
                aws,
                "AssociateAddress",
                AllocationId=identity,
                PrivateIpAddress=private,
                AllowReassociation=True,
                **goal,
            )

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.find_one(aws, identity)
        if found is None:
            return None
        public, private = found["PublicIp"], found.get("PrivateIpAddress")
        zone = "compute-1" if aws.region == "us-east-1" else f"{aws.region}.compute"
        inner = "ec2" if aws.region == "us-east-1" else f"{aws.region}.compute"
        return {
            "networkBorderGroup": aws.region,
            "publicIpv4Pool": "amazon",
            **self.plain(found),
            "allocationId": identity,
            "arn": aws.arn("ec2", f"elastic-ip/{identity}"),
            "publicDns": f"ec2-{public.replace('.', '-')}.{zone}.amazonaws.com",
            "privateDns": f"ip-{private.replace('.', '-')}.{inner}.internal" if private else None,
            "tagsAll": TAGGING.plain(found.get("Tags")),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        if old.get("associationId") and not (new.get("instance") or new.get("networkInterface")):
            self.ask(aws, "DisassociateAddress", AssociationId=old["associationId"])

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        found = self.find_one(aws, identity)
        if found and found.get("AssociationId") and (state.get("instance") or state.get("networkInterface")):
            self.ask(aws, "DisassociateAddress", AssociationId=found["AssociationId"])
        if found:
            self.ask(aws, "ReleaseAddress", AllocationId=identity)


class NatGateway(Ec2Resource):
    """What private subnets reach the outside through."""

    token, label = "aws:ec2/natGateway:NatGateway", "EC2 NAT Gateway"
    missing = frozenset({"NatGatewayNotFound", "InvalidNatGatewayID.NotFound"})
    described = ("DescribeNatGateways", "NatGatewayIds", "NatGateways")
    gone_states = frozenset({"deleted", "failed"})
    fields = tagged(
        {
            "allocationId": text(replaces=True),
            "availabilityMode": text(computed=True, replaces=True, choices=("zonal",)),
            "connectivityType": text(default="public", replaces=True, choices=("public", "private")),
            "privateIp": text(computed=True, replaces=True),
            "secondaryAllocationIds": unordered(text(), computed=True),
            "secondaryPrivateIpAddressCount": whole(computed=True),
            "secondaryPrivateIpAddresses": unordered(text(), computed=True),
            "subnetId": text(required=True, replaces=True),
            "associationId": output(text()),
            "autoProvisionZones": output(text()),
            "autoScalingIps": output(text()),
            "networkInterfaceId": output(text()),
            "publicIp": output(text()),
            "regionalNatGatewayAddresses": output(unordered(text())),
            "regionalNatGatewayAutoMode": output(text()),
            "routeTableId": output(text()),
        }
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        if inputs["connectivityType"] == "public" and not inputs.get("allocationId"):
            yield "allocationId", "is required for a public NAT gateway"

    def create(self, aws: Aws, inputs: State) -> str:
        given = self.shaped(inputs, "allocationId", "connectivityType", "subnetId")
        made = self.ask(
            aws,
            "CreateNatGateway",
            **given,
            PrivateIpAddress=inputs.get("privateIp"),
            TagSpecifications=specified("natgateway", self.tags(inputs)),
        )
        return str(made["NatGateway"]["NatGatewayId"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        aws.until(
            lambda: self._state(aws, identity) in {"available", "failed"},
            f"NAT gateway {identity} to be available",
            600,
        )
        if self._state(aws, identity) == "failed":
            raise AwsError(f"NAT gateway {identity} failed to be made")

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.find_one(aws, identity)
        if found is None:
            return None
        address: State = next(iter(found.get("NatGatewayAddresses", [])), {})
        return {
            "availabilityMode": "zonal",
            "connectivityType": "public",
            **self.plain(found),
            "allocationId": address.get("AllocationId"),
            "associationId": address.get("AssociationId"),
            "networkInterfaceId": address.get("NetworkInterfaceId"),
            "privateIp": address.get("PrivateIp"),
            "publicIp": address.get("PublicIp"),
            "tagsAll": TAGGING.plain(found.get("Tags")),
        }

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        self.ask(aws, "DeleteNatGateway", NatGatewayId=identity)
        aws.until(lambda: self._state(aws, identity) in {"deleted", ""}, f"NAT gateway {identity} to be deleted", 600)

    def _state(self, aws: Aws, identity: str) -> str:
        answer = self.find(aws, "DescribeNatGateways", NatGatewayIds=[identity])
        found = answer["NatGateways"] if answer else []
        return str(found[0]["State"]) if found else ""
