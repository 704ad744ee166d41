"""The children that the embedded AWS's `awsx.ec2.Vpc` registers, with the engine's mocks."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
import pytest

from localaws.plugins.awsx.arguments import read
from localaws.plugins.awsx.errors import ArgumentError
from localaws.plugins.awsx.provider import OUTPUTS, AwsxProvider
from localaws.plugins.awsx.vpc import Vpc

TWO_ZONES = {"numberOfAvailabilityZones": 2}
ZONES = ["us-west-2a", "us-west-2b", "us-west-2c"]


class Registered(pulumi.runtime.Mocks):
    """Keeps what was registered: inputs by type and name."""

    def __init__(self) -> None:
        self.inputs: dict[tuple[str, str], dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        kind = args.typ.rsplit(":", 1)[1]
        if args.typ.startswith("aws:"):
            self.inputs[kind, args.name] = args.inputs
        return f"{kind}/{args.name}", {**args.inputs, "allocationId": f"allocation/{args.name}"}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        assert args.token == "aws:index/getAvailabilityZones:getAvailabilityZones"
        return {"names": ZONES}, []


@pytest.fixture
def registered() -> Registered:
    return Registered()


def build(registered: Registered, arguments: dict[str, Any]) -> dict[str, Any]:
    """Construct a component `net`; return its outputs, those that end in Ids as plain values."""
    loops: list[asyncio.AbstractEventLoop] = []  # the mocks want one in each thread that they answer in; all are closed

    def give_one() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    async def construct() -> dict[str, Any]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(initializer=give_one))
        pulumi.runtime.set_mocks(registered)
        outputs = await Vpc("net", None).build(read(arguments))
        await pulumi.runtime.stack.wait_for_rpcs()
        ids = {name: pulumi.Output.from_input(value) for name, value in outputs.items() if name.endswith("Ids")}
        return {**outputs, **{name: await value.future() for name, value in ids.items()}}

    try:
        return asyncio.run(construct())
    finally:
        for loop in loops:
            loop.close()


def test_every_output_of_the_official_component_is_there(registered: Registered) -> None:
    """Programs read them by name."""
    outputs = build(registered, {})

    assert sorted(outputs) == sorted(OUTPUTS)
    assert outputs["publicSubnetIds"] == ["Subnet/net-public-1", "Subnet/net-public-2", "Subnet/net-public-3"]
    assert outputs["privateSubnetIds"] == ["Subnet/net-private-1", "Subnet/net-private-2", "Subnet/net-private-3"]
    assert len(registered.inputs) == 32


def test_one_nat_gateway_serves_all_zones(registered: Registered) -> None:
    """With `Single` the gateway stands in the first zone and every private route points at it."""
    build(registered, {**TWO_ZONES, "natGateways": {"strategy": "Single"}})

    assert [name for kind, name in registered.inputs if kind == "NatGateway"] == ["net-1"]
    assert registered.inputs["NatGateway", "net-1"]["subnetId"] == "Subnet/net-public-1"
    for zone in (1, 2):
        assert registered.inputs["Route", f"net-private-{zone}"]["natGatewayId"] == "NatGateway/net-1"


def test_without_nat_gateways_private_subnets_have_no_way_out(registered: Registered) -> None:
    """With `None` there are no gateways, no addresses, no private routes."""
    build(registered, {**TWO_ZONES, "natGateways": {"strategy": "None"}})

    kinds = {kind for kind, _ in registered.inputs}
    assert kinds == {"Vpc", "InternetGateway", "Subnet", "RouteTable", "RouteTableAssociation", "Route"}
    assert {name for kind, name in registered.inputs if kind == "Route"} == {"net-public-1", "net-public-2"}


def test_given_addresses_are_used_instead_of_new_ones(registered: Registered) -> None:
    """`elasticIpAllocationIds`, one a zone, in order."""
    build(registered, {**TWO_ZONES, "natGateways": {"elasticIpAllocationIds": ["eipalloc-1", "eipalloc-2"]}})

    assert [inputs["allocationId"] for (kind, _), inputs in registered.inputs.items() if kind == "NatGateway"] == [
        "eipalloc-1",
        "eipalloc-2",
    ]
    assert not [name for kind, name in registered.inputs if kind == "Eip"]


def test_tags_go_from_the_general_to_the_special(registered: Registered) -> None:
    """The VPC's tags are on all children, the specification's on its subnets; a Name of their own wins."""
    build(
        registered,
        {
            "numberOfAvailabilityZones": 1,
            "tags": {"team": "mesh", "Name": "mine"},
            "subnetSpecs": [{"type": "Public", "tags": {"team": "edge"}}, {"type": "Private"}],
            "subnetStrategy": "Auto",
        },
    )

    tags = {key: inputs.get("tags") for key, inputs in registered.inputs.items()}
    assert tags["Vpc", "net"] == tags["InternetGateway", "net"] == {"team": "mesh", "Name": "mine"}
    assert tags["Subnet", "net-public-1"] == {"team": "edge", "Name": "net-public-1", "SubnetType": "Public"}
    assert tags["RouteTable", "net-public-1"] == {"team": "mesh", "Name": "net-public-1", "SubnetType": "Public"}
    assert tags["Eip", "net-1"] == tags["NatGateway", "net-1"] == {"team": "mesh", "Name": "net-1"}


def test_subnets_can_be_tagged_with_their_zone(registered: Registered) -> None:
    """`subnetNameTagStrategy` AvailabilityZone changes the Name tag, never the resource's name."""
    build(registered, {"availabilityZoneNames": ["us-west-2c"], "subnetNameTagStrategy": "AvailabilityZone"})

    assert registered.inputs["Subnet", "net-private-1"]["tags"]["Name"] == "net-private-2c"
    assert registered.inputs["Subnet", "net-private-1"]["availabilityZone"] == "us-west-2c"


def test_switches_are_passed_on_to_the_vpc(registered: Registered) -> None:
    """DNS and tenancy; what isn't given isn't set."""
    build(registered, {**TWO_ZONES, "enableDnsHostnames": True, "instanceTenancy": "dedicated"})

    assert registered.inputs["Vpc", "net"] == {
        "cidrBlock": "10.0.0.0/16",
        "enableDnsHostnames": True,
        "instanceTenancy": "dedicated",
        "tags": {"Name": "net"},
    }


def test_more_zones_than_the_region_has_are_refused(registered: Registered) -> None:
    """Before any child is registered."""
    with pytest.raises(ArgumentError, match="4 wanted, but the region has 3; ask for fewer or use another region"):
        build(registered, {"numberOfAvailabilityZones": 4})
    assert registered.inputs == {}


def test_a_layout_that_hangs_on_an_output_is_refused() -> None:
    """Which children there are must be known when planning."""

    async def lay_out() -> None:
        read({"cidrBlock": pulumi.Output.from_input("10.0.0.0/16")})

    with pytest.raises(ArgumentError, match="cidrBlock: must be a plain value, not an output"):
        asyncio.run(lay_out())


def test_the_schema_is_json() -> None:
    """The engine reads it when it lists packages."""
    assert json.loads(AwsxProvider().schema or "")["name"] == "awsx"
