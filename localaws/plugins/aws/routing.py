"""EC2 routing: route tables, single routes, and which subnet uses which table."""

import zlib
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.ec2 import TAGGING, Ec2Resource, specified
from localaws.plugins.aws.fields import block, output, regional, tagged, text, unordered
from localaws.plugins.aws.rules import cidr
from localaws.plugins.aws.values import State

TARGETS = {
    "carrierGatewayId": text(),
    "coreNetworkArn": text(),
    "egressOnlyGatewayId": text(aws="EgressOnlyInternetGatewayId"),
    "gatewayId": text(),
    "localGatewayId": text(),
    "natGatewayId": text(),
    "networkInterfaceId": text(),
    "transitGatewayId": text(),
    "vpcEndpointId": text(),
    "vpcPeeringConnectionId": text(),
}
DESTINATIONS = {
    "destinationCidrBlock": text(replaces=True, checks=(cidr(),)),
    "destinationIpv6CidrBlock": text(replaces=True),
    "destinationPrefixListId": text(replaces=True),
}
ROUTE = block(
    {
        **TARGETS,
        "cidrBlock": text(aws="DestinationCidrBlock", checks=(cidr(),)),
        "destinationPrefixListId": text(),
        "ipv6CidrBlock": text(aws="DestinationIpv6CidrBlock"),
    }
)


def own(route: State) -> bool:
    """Whether somebody made the route; the VPC's own, and those that a virtual gateway spreads, come by themselves."""
    return route.get("Origin") == "CreateRoute" or (route.get("GatewayId") != "local" and "Origin" not in route)


class RouteTable(Ec2Resource):
    """A table of routes. Its routes are its own only where they are given here."""

    token, label = "aws:ec2/routeTable:RouteTable", "EC2 Route Table"
    missing = frozenset({"InvalidRouteTableID.NotFound"})
    described = ("DescribeRouteTables", "RouteTableIds", "RouteTables")
    fields = tagged(
        {
            "propagatingVgws": unordered(text(), computed=True),
            "routes": unordered(ROUTE, computed=True),
            "vpcId": text(required=True, replaces=True),
            "arn": output(text()),
            "ownerId": output(text()),
        }
    )

    def create(self, aws: Aws, inputs: State) -> str:
        tags = specified("route-table", self.tags(inputs))
        made = self.ask(aws, "CreateRouteTable", VpcId=inputs["vpcId"], TagSpecifications=tags)
        return str(made["RouteTable"]["RouteTableId"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        present = {_destination(route) for route in (self.find_one(aws, identity) or {}).get("Routes", ())}
        for given in self.shaped(inputs, "routes").get("Routes", ()):
            if _destination(given) not in present:
                self.ask(
                    aws, "CreateRoute", RouteTableId=identity, **{name: value for name, value in given.items() if value}
                )

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.find_one(aws, identity)
        if found is None:
            return None
        owner = found.get("OwnerId") or aws.account
        plain = self.plain({**found, "Routes": [route for route in found.get("Routes", ()) if own(route)]})
        return {
            **plain,
            "ownerId": owner,
            "arn": aws.arn("ec2", f"route-table/{identity}", owner),
            "propagatingVgws": [item["GatewayId"] for item in found.get("PropagatingVgws", ())],
            "tagsAll": TAGGING.plain(found.get("Tags")),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        wanted = self.shaped(new, "routes").get("Routes", ())
        for route in self.shaped(old, "routes").get("Routes", ()):
            if not any(_same_route(route, other) for other in wanted):
                key, value = _destination(route)
                self.ask(aws, "DeleteRoute", RouteTableId=identity, **{key: value})

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        for association in (self.find_one(aws, identity) or {}).get("Associations", ()):
            if not association.get("Main"):
                self.ask(aws, "DisassociateRouteTable", AssociationId=association["RouteTableAssociationId"])
        self.unless_busy(aws, identity, lambda: self.ask(aws, "DeleteRouteTable", RouteTableId=identity))


class Route(Ec2Resource):
    """One route. Its id is made of the table's and a hash of the destination, as Terraform makes it."""

    token, label = "aws:ec2/route:Route", "EC2 Route"
    missing = frozenset({"InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"})
    tagging = None
    described = RouteTable.described
    fields = regional(
        {
            **{name: text(computed=True, aws=field.aws) for name, field in TARGETS.items()},
            **DESTINATIONS,
            "routeTableId": text(required=True, replaces=True),
            "instanceId": output(text()),
            "instanceOwnerId": output(text()),
            "origin": output(text()),
            "state": output(text()),
        }
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        for names, what in ((DESTINATIONS, "destination"), (TARGETS, "target")):
            given = [name for name in names if inputs.get(name)]
            if len(given) != 1:
                found = f"{', '.join(given)} are given" if given else "none is given"
                yield (
                    next(iter(given), next(iter(names))),
                    f"exactly one {what} is needed of {', '.join(names)}; {found}",
                )

    def create(self, aws: Aws, inputs: State) -> str:
        self.ask(aws, "CreateRoute", **self._shaped(inputs))
        return f"r-{inputs['routeTableId']}{_hash(_destination(self._shaped(inputs))[1])}"

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        aws.until(lambda: self._find(aws, inputs) is not None, f"route {identity} to be there", 60)

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self._find(aws, prior)
        if found is None:
            return None
        return {
            **self.plain(found),
            "routeTableId": prior["routeTableId"],
            "origin": found.get("Origin", "CreateRoute"),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        self.ask(aws, "ReplaceRoute", **self._shaped(new))

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        key, value = _destination(self._shaped(state))
        self.ask(aws, "DeleteRoute", RouteTableId=state["routeTableId"], **{key: value})

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        table, _, destination = imported.partition("_")
        if not destination:
            raise AwsError(f"import it as ROUTETABLEID_DESTINATION, not as {imported!r}")
        name = "destinationPrefixListId" if destination.startswith("pl-") else "destinationCidrBlock"
        name = "destinationIpv6CidrBlock" if ":" in destination else name
        return f"r-{table}{_hash(destination)}", {"routeTableId": table, name: destination}

    def _find(self, aws: Aws, state: State) -> State | None:
        wanted = _destination(self._shaped(state))
        table = self.find_one(aws, state["routeTableId"]) or {}
        return next((route for route in table.get("Routes", ()) if _destination(route) == wanted), None)

    def _shaped(self, state: State) -> State:
        names = ("routeTableId", *DESTINATIONS, *TARGETS)
        return {name: value for name, value in self.shaped(state, *names).items() if value}


class RouteTableAssociation(Ec2Resource):
    """Which table a subnet uses; imported as `subnet id/table id`."""

    token, label = "aws:ec2/routeTableAssociation:RouteTableAssociation", "EC2 Route Table Association"
    missing = frozenset({"InvalidAssociationID.NotFound"})
    tagging = None
    described = RouteTable.described
    fields = regional(
        {"gatewayId": text(replaces=True), "routeTableId": text(required=True), "subnetId": text(replaces=True)}
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        if bool(inputs.get("gatewayId")) == bool(inputs.get("subnetId")):
            yield "subnetId", "is needed, or `gatewayId` in its place"

    def create(self, aws: Aws, inputs: State) -> str:
        given = self.shaped(inputs, "gatewayId", "routeTableId", "subnetId")
        return str(self.ask(aws, "AssociateRouteTable", **given)["AssociationId"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self._find(aws, identity, prior)
        return self.plain(found) if found else None

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        found = self._find(aws, identity, old) or {"RouteTableAssociationId": identity}
        present, table = found["RouteTableAssociationId"], new["routeTableId"]
        self.ask(aws, "ReplaceRouteTableAssociation", AssociationId=present, RouteTableId=table)

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        found = self._find(aws, identity, state)
        if found:
            self.ask(aws, "DisassociateRouteTable", AssociationId=found["RouteTableAssociationId"])

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        target, _, table = imported.partition("/")
        for association in (self.find_one(aws, table) or {}).get("Associations", ()):
            if target in {association.get("SubnetId"), association.get("GatewayId")}:
                return str(association["RouteTableAssociationId"]), {"routeTableId": table}
        raise AwsError(
            f"no association of {target!r} with route table {table!r}; import it as SUBNET_ID/ROUTE_TABLE_ID"
        )

    def _find(self, aws: Aws, identity: str, state: State) -> State | None:
        """AWS's description; by the subnet where the id is old, for AWS gives a new one with every new table."""
        by_id = {"Name": "association.route-table-association-id", "Values": [identity]}
        by_subnet = {"Name": "association.subnet-id", "Values": [state.get("subnetId", "")]}
        for chosen in (by_id, by_subnet) if state.get("subnetId") else (by_id,):
            for table in self.ask(aws, "DescribeRouteTables", Filters=[chosen])["RouteTables"]:
                for found in table.get("Associations", ()):
                    if found["RouteTableAssociationId"] == identity or found.get("SubnetId") in chosen["Values"]:
                        return {"RouteTableId": table["RouteTableId"], **found}
        return None


def _destination(route: Any) -> tuple[str, str]:
    names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return next(((name, str(route[name])) for name in names if route.get(name)), ("", ""))


def _same_route(one: State, other: State) -> bool:
    return {k: v for k, v in one.items() if v} == {k: v for k, v in other.items() if v}


def _hash(destination: str) -> int:
    """Terraform's `create.StringHashcode`: the CRC-32 (IEEE) of the text."""
    return zlib.crc32(destination.encode())
