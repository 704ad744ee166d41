"""The component `awsx:ec2:Vpc` and its children.

Vpc NAME
├─ aws:ec2:Vpc NAME
│  ├─ aws:ec2:InternetGateway NAME
│  ├─ aws:ec2:Subnet NAME-public-1                     one a specification and availability zone
│  │  ├─ aws:ec2:RouteTable NAME-public-1
│  │  │  ├─ aws:ec2:RouteTableAssociation NAME-public-1
│  │  │  └─ aws:ec2:Route NAME-public-1                to the internet gateway; private ones to a NAT gateway
│  │  ├─ aws:ec2:Eip NAME-1                            in public subnets, where the NAT strategy wants a gateway
│  │  └─ aws:ec2:NatGateway NAME-1
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import ec2

from localaws.plugins import PLUGINS
from localaws.plugins.awsx import layout
from localaws.plugins.awsx.arguments import NAT_PER_ZONE, NO_NAT, ONE_NAT, Arguments
from localaws.plugins.awsx.errors import ArgumentError
from localaws.plugins.awsx.layout import Subnet

TYPE = "awsx:ec2:Vpc"
EVERYWHERE = "0.0.0.0/0"
# Within a zone, subnets are registered in this order: private routes need the NAT gateway of a public subnet.
ORDER = {layout.PUBLIC: 0, layout.PRIVATE: 1, layout.ISOLATED: 2}
# `us-east-1a` → `1a`, `us-gov-west-1a` → `1a`, `us-west-2-lax-1a` → `2-lax-1a`: unique within a region.
REGION_PREFIX = re.compile(r"^[a-z]{2}(?:-[a-z]+)+-")


class Vpc(pulumi.ComponentResource):
    """The component. Its children are registered by `build`, for which the availability zones must be known."""

    def __init__(self, name: str, options: pulumi.ResourceOptions | None) -> None:
        super().__init__(TYPE, name, {}, options)
        self._name = name
        self._lists: dict[str, list[Any]] = {
            kind: []
            for kind in (
                *("subnets", "publicSubnets", "privateSubnets", "isolatedSubnets"),
                *("publicSubnetIds", "privateSubnetIds", "isolatedSubnetIds"),
                *("routeTables", "routeTableAssociations", "routes", "natGateways", "eips", "vpcEndpoints"),
            )
        }

    async def build(self, arguments: Arguments) -> dict[str, Any]:
        """Register all children; return the component's outputs by name."""
        zones = arguments.zone_names or await self._first_zones(arguments)
        shared_tags = _tags({"Name": self._name}, arguments.tags)
        vpc = ec2.Vpc(
            self._name,
            cidr_block=str(arguments.cidr),
            region=arguments.region,
            tags=shared_tags,
            opts=pulumi.ResourceOptions(parent=self),
            **{_snake(name): value for name, value in arguments.passed_on.items()},
        )
        gateway = ec2.InternetGateway(
            self._name, vpc_id=vpc.id, region=arguments.region, tags=shared_tags, opts=_below(vpc)
        )
        placed = [subnet for subnet in arguments.subnets if subnet.spec.type != layout.UNUSED]
        for subnet in sorted(placed, key=lambda subnet: (subnet.zone, ORDER[subnet.spec.type])):
            self._add(subnet, zones, arguments, vpc, gateway)
        self.register_outputs({})
        return {
            **self._lists,
            "vpc": vpc,
            "vpcId": vpc.id,
            "internetGateway": gateway,
            "subnetLayout": list(arguments.resolved),
        }

    async def _first_zones(self, arguments: Arguments) -> Sequence[str]:
        answer = await pulumi.runtime.invoke_async(
            "aws:index/getAvailabilityZones:getAvailabilityZones",
            {"region": arguments.region} if arguments.region else {},
            pulumi.InvokeOptions(parent=self, version=PLUGINS["aws"]),
        )
        names: list[str] = answer["names"]
        if len(names) < arguments.zones:
            reason = f"{arguments.zones} wanted, but the region has {len(names)}; ask for fewer or use another region"
            raise ArgumentError("numberOfAvailabilityZones", reason)
        return names[: arguments.zones]

    def _add(
        self, place: Subnet, zones: Sequence[str], arguments: Arguments, vpc: ec2.Vpc, gateway: ec2.InternetGateway
    ) -> None:
        """Register a subnet and what belongs to it."""
        kind, region = place.spec.type, arguments.region
        name = place.name(self._name)
        zone = zones[place.zone]
        suffix = REGION_PREFIX.sub("", zone) if arguments.zone_in_names else place.zone + 1
        own_tags = {"Name": f"{self._name}-{place.spec.label}-{suffix}", "SubnetType": kind}
        subnet = ec2.Subnet(
            name,
            vpc_id=vpc.id,
            region=region,
            availability_zone=zone,
            cidr_block=str(place.cidr),
            map_public_ip_on_launch=kind == layout.PUBLIC,
            assign_ipv6_address_on_creation=False,
            tags=_tags({"Name": self._name}, arguments.tags, place.spec.tags, own_tags),
            opts=_below(vpc),
        )
        table = ec2.RouteTable(
            name,
            vpc_id=vpc.id,
            region=region,
            tags=_tags({"Name": self._name}, arguments.tags, own_tags),
            opts=_below(subnet),
        )
        association = ec2.RouteTableAssociation(
            name, route_table_id=table.id, subnet_id=subnet.id, region=region, opts=_below(table)
        )
        if kind == layout.PUBLIC and self._nat_wanted(arguments.nat, place.zone):
            self._add_nat(subnet, place.zone, arguments)
        self._lists["subnets"].append(subnet)
        self._lists[f"{kind.lower()}Subnets"].append(subnet)
        self._lists[f"{kind.lower()}SubnetIds"].append(subnet.id)
        self._lists["routeTables"].append(table)
        self._lists["routeTableAssociations"].append(association)
        exit_through = self._exit(kind, place.zone, arguments.nat, gateway)
        if exit_through:
            route = ec2.Route(
                name,
                route_table_id=table.id,
                destination_cidr_block=EVERYWHERE,
                region=region,
                opts=_below(table),
                **exit_through,
            )
            self._lists["routes"].append(route)

    def _nat_wanted(self, strategy: str, zone: int) -> bool:
        """Whether the next public subnet gets a NAT gateway: one in all, or the first public subnet of each zone."""
        return len(self._lists["natGateways"]) < {NO_NAT: 0, ONE_NAT: 1, NAT_PER_ZONE: zone + 1}[strategy]

    def _add_nat(self, subnet: ec2.Subnet, zone: int, arguments: Arguments) -> None:
        name = f"{self._name}-{zone + 1}"
        tags = _tags(arguments.tags, {"Name": name})
        if arguments.allocation_ids:
            address = arguments.allocation_ids[zone]
        else:
            eip = ec2.Eip(name, region=arguments.region, tags=tags, opts=_below(subnet))
            self._lists["eips"].append(eip)
            address = eip.allocation_id
        nat = ec2.NatGateway(
            name, subnet_id=subnet.id, allocation_id=address, region=arguments.region, tags=tags, opts=_below(subnet)
        )
        self._lists["natGateways"].append(nat)

    def _exit(self, kind: str, zone: int, strategy: str, gateway: ec2.InternetGateway) -> dict[str, Any]:
        """Return what the default route of a subnet points at; nothing for subnets without a way out."""
        if kind == layout.PUBLIC:
            return {"gateway_id": gateway.id}
        if kind == layout.PRIVATE and strategy != NO_NAT:
            return {"nat_gateway_id": self._lists["natGateways"][0 if strategy == ONE_NAT else zone].id}
        return {}


def _below(parent: pulumi.Resource) -> pulumi.ResourceOptions:
    """Return the options of a child: it also waits for its parent, as in the official component."""
    return pulumi.ResourceOptions(parent=parent, depends_on=[parent])


def _tags(*layers: Any) -> Any:
    """Return the tags of all layers, later ones winning; an output if one of them is."""
    if all(isinstance(layer, Mapping) for layer in layers):
        return {key: value for layer in layers for key, value in layer.items()}
    return pulumi.Output.all(*layers).apply(lambda known: _tags(*[layer or {} for layer in known]))


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter.group().lower()}", name)
