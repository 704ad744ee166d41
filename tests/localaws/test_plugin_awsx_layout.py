"""Which addresses the subnets of an `awsx.ec2.Vpc` get. Tables from the documentation of pulumi-awsx 3.11.0."""

from ipaddress import IPv4Network
from typing import Any

import pytest

from localaws.plugins.awsx.arguments import read
from localaws.plugins.awsx.errors import ArgumentError

WORKSHOP: dict[str, Any] = {
    "cidrBlock": "10.0.0.0/24",
    "numberOfAvailabilityZones": 3.0,  # numbers are floats on the wire
    "subnetStrategy": "Auto",
    "subnetSpecs": [
        {"type": "Public", "cidrBlocks": ["10.0.0.0/27", "10.0.0.32/27", "10.0.0.64/27"]},
        {"type": "Private", "cidrBlocks": ["10.0.0.96/27", "10.0.0.128/27", "10.0.0.160/27"]},
    ],
}


def layout(arguments: dict[str, Any]) -> dict[str, str]:
    """Return each subnet's addresses by its name."""
    return {subnet.name("net"): str(subnet.cidr) for subnet in read(arguments).subnets if subnet.spec.type != "Unused"}


def specs(*types: str) -> list[dict[str, Any]]:
    """Return specifications such as `Private`, `Private/28` or `Private:db/28` (with a name)."""
    listed = []
    for text in types:
        kind, _, prefix = text.partition("/")
        kind, _, name = kind.partition(":")
        listed.append({"type": kind} | ({"name": name} if name else {}) | ({"cidrMask": int(prefix)} if prefix else {}))
    return listed


def test_the_workshops_layout() -> None:
    """Three availability zones, /27 each: public .0 .32 .64, private .96 .128 .160."""
    assert layout(WORKSHOP) == {
        "net-public-1": "10.0.0.0/27",
        "net-private-1": "10.0.0.96/27",
        "net-public-2": "10.0.0.32/27",
        "net-private-2": "10.0.0.128/27",
        "net-public-3": "10.0.0.64/27",
        "net-private-3": "10.0.0.160/27",
    }


def test_without_arguments_a_private_and_a_smaller_public_subnet_in_three_zones() -> None:
    """10.0.0.0/16 in four blocks of /18, three of them used."""
    assert layout({}) == {
        "net-private-1": "10.0.0.0/19",
        "net-public-1": "10.0.32.0/20",
        "net-private-2": "10.0.64.0/19",
        "net-public-2": "10.0.96.0/20",
        "net-private-3": "10.0.128.0/19",
        "net-public-3": "10.0.160.0/20",
    }


@pytest.mark.parametrize(
    ("strategy", "given", "expected"),
    [
        # Legacy: private, public, isolated, whatever the order; /19, /20, /24 at most.
        ("Legacy", specs("Isolated", "Public", "Private"), ["10.0.0.0/19", "10.0.32.0/20", "10.0.48.0/24"]),
        # Legacy: sizes that get in each other's way move on to the next place that fits.
        ("Legacy", specs("Private/20", "Public/19"), ["10.0.0.0/20", "10.0.32.0/19"]),
        ("Legacy", specs("Private:a/24", "Private:b/24"), ["10.0.0.0/24", "10.0.1.0/24"]),
        # Auto: as listed, of equal size where nothing is said.
        ("Auto", specs("Public", "Private"), ["10.0.0.0/17", "10.0.128.0/17"]),
        ("Auto", specs("Public/24", "Private/18"), ["10.0.0.0/24", "10.0.64.0/18"]),
        ("Auto", specs("Public", "Private", "Isolated"), ["10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18"]),
        # AutoMerge: the default pair, changed; others after it.
        ("AutoMerge", specs("Public/24"), ["10.0.0.0/17", "10.0.128.0/24"]),
        ("AutoMerge", specs("Isolated/24"), ["10.0.0.0/17", "10.0.128.0/18", "10.0.192.0/24"]),
        # Exact: gaps are listed.
        ("Exact", specs("Public/18", "Unused/18", "Private/17"), ["10.0.0.0/18", "10.0.128.0/17"]),
    ],
)
def test_one_zone_of_a_16(strategy: str, given: list[dict[str, Any]], expected: list[str]) -> None:
    """The subnets of a single availability zone, which owns all of 10.0.0.0/16."""
    arguments = {
        "subnetStrategy": strategy,
        "subnetSpecs": given,
        "numberOfAvailabilityZones": 1,
        "natGateways": {"strategy": "None"},
    }

    assert list(layout(arguments).values()) == expected


def test_a_lone_subnet_of_a_small_vpc_gets_all_of_it() -> None:
    """With Legacy there is nothing to leave room for."""
    arguments = {
        "cidrBlock": "10.0.0.0/24",
        "numberOfAvailabilityZones": 1,
        "subnetSpecs": specs("Isolated"),
        "natGateways": {"strategy": "None"},
    }

    assert layout(arguments) == {"net-isolated-1": "10.0.0.0/24"}


def test_a_zones_block_can_be_given() -> None:
    """`availabilityZoneCidrMask` moves the second zone."""
    arguments = {
        "numberOfAvailabilityZones": 2,
        "availabilityZoneCidrMask": 20,
        "subnetStrategy": "Auto",
        "subnetSpecs": specs("Public/24"),
        "natGateways": {"strategy": "None"},
    }

    assert layout(arguments) == {"net-public-1": "10.0.0.0/24", "net-public-2": "10.0.16.0/24"}


def test_size_in_addresses_is_as_good_as_a_mask() -> None:
    """A subnet of 256 addresses is a /24."""
    arguments = {
        "numberOfAvailabilityZones": 1,
        "subnetStrategy": "Auto",
        "subnetSpecs": [{"type": "Public", "size": 256.0}],
        "natGateways": {"strategy": "None"},
    }

    assert layout(arguments) == {"net-public-1": "10.0.0.0/24"}
    assert read(arguments).resolved == ({"type": "Public", "cidrMask": 24, "size": 256},)


def test_the_layout_shown_lists_gaps() -> None:
    """What Legacy chose is shown as specifications that Auto lays out the same."""
    arguments = {"numberOfAvailabilityZones": 1, "subnetSpecs": specs("Private/20", "Public/19")}
    shown = read(arguments).resolved
    again = {**arguments, "subnetStrategy": "Auto", "subnetSpecs": list(shown)}

    assert shown == (
        {"type": "Private", "cidrMask": 20},
        {"type": "Unused", "cidrMask": 20},
        {"type": "Public", "cidrMask": 19},
    )
    assert layout(again) == layout(arguments)


def test_subnets_lie_within_the_vpc_and_do_not_overlap() -> None:
    """Whatever the number of zones and the strategy."""
    for strategy in ("Legacy", "Auto", "AutoMerge"):
        for zones in range(1, 7):
            arguments = {"numberOfAvailabilityZones": zones, "subnetStrategy": strategy}
            blocks = [IPv4Network(block) for block in layout(arguments).values()]
            assert len(blocks) == 2 * zones
            assert all(block.subnet_of(IPv4Network("10.0.0.0/16")) for block in blocks)
            assert not any(one.overlaps(other) for one in blocks for other in blocks if one is not other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cidrBlock": "10.0.0.0/33"}, "cidrBlock: '10.0.0.0/33' is no IPv4 CIDR block: '33' is not a valid netmask"),
        ({"numberOfAvailabilityZones": 0}, "numberOfAvailabilityZones: 0 is too few; at least 1 is needed"),
        (
            {"numberOfAvailabilityZones": 2, "availabilityZoneNames": ["us-east-1a"]},
            "availabilityZoneNames: give either these or `numberOfAvailabilityZones`, not both",
        ),
        (
            {"subnetStrategy": "Best"},
            "subnetStrategy: 'Best' is not one of Legacy, Auto, AutoMerge, Exact",
        ),
        (
            {"subnetSpecs": [{"type": "Hidden"}]},
            "subnetSpecs[0].type: 'Hidden' is not one of Public, Private, Isolated, Unused",
        ),
        (
            {"subnetSpecs": [{"type": "Public", "size": 100}]},
            "subnetSpecs[0].size: 100 is no power of 2 from 4 on",
        ),
        (
            {"subnetSpecs": [{"type": "Public", "size": 256, "cidrMask": 25}]},
            "subnetSpecs[0].size: 256 addresses are a /24, but `cidrMask` says /25",
        ),
        (
            {"subnetStrategy": "Auto", "subnetSpecs": [{"type": "Public", "cidrBlocks": ["10.0.0.0/27"]}]},
            "subnetSpecs[0].cidrBlocks: if one subnet has `cidrBlocks`, each needs one an availability zone: 3, not 1",
        ),
        (
            {"natGateways": {"strategy": "Single", "elasticIpAllocationIds": ["a", "b"]}},
            "natGateways.elasticIpAllocationIds: 2 given, but strategy Single needs 1",
        ),
        (
            {"subnetSpecs": [{"type": "Public"}]},
            (
                "natGateways.strategy: OnePerAz needs Public subnets to stand in and Private or Isolated ones to "
                "serve; or use None"
            ),
        ),
        (
            {"ipv4IpamPoolId": "ipam-pool-1"},
            (
                "ipv4IpamPoolId: IPAM: not served by the embedded AWS's awsx plugin; "
                "use the official plugins: LOCALAWS_PLUGINS=official"
            ),
        ),
        (
            {"cidrBlock": "10.0.0.0/24", "subnetStrategy": "Auto", "subnetSpecs": specs("Public/26", "Private/26")},
            (
                "subnetSpecs: the subnets of one availability zone need 128 addresses, but its block of 10.0.0.0/24 "
                "has 64; make the VPC larger or the subnets smaller"
            ),
        ),
        (
            {"cidrBlock": "10.0.0.0/26", "subnetStrategy": "Auto"},
            (
                "cidrBlock: default subnets need a /26 in each availability zone, and there is only a /28; "
                "make the VPC larger or name the subnets in `subnetSpecs`"
            ),
        ),
        (
            {
                "numberOfAvailabilityZones": 1,
                "subnetStrategy": "Exact",
                "subnetSpecs": specs("Public/18", "Private/17"),
            },
            (
                "subnetSpecs: there is a gap before 10.0.128.0/17 (…-private-1), "
                "but strategy Exact allows no gaps; fill them with subnets of type Unused"
            ),
        ),
    ],
)
def test_what_cannot_be_is_named_with_its_value(arguments: dict[str, Any], message: str) -> None:
    """One error, naming the argument, the value and what would do."""
    with pytest.raises(ArgumentError) as raised:
        read(arguments)

    assert str(raised.value) == message


def test_overlapping_blocks_are_refused() -> None:
    """Both blocks are named."""
    clash = {"type": "Private", "cidrBlocks": ["10.0.0.16/28", "10.0.0.128/27", "10.0.0.160/27"]}

    with pytest.raises(
        ArgumentError, match=r"10\.0\.0\.0/27 \(…-public-1\) and 10\.0\.0\.16/28 \(…-private-1\) overlap"
    ):
        read({**WORKSHOP, "subnetSpecs": [WORKSHOP["subnetSpecs"][0], clash]})
