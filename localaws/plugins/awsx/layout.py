"""Which address range each subnet of a VPC gets. Pure: specifications in, subnets out.

Three ways, as in the official component (`subnetStrategy`):

- `Legacy` (the default): the VPC is cut into one block an availability zone, each block filled with private, then
  public, then isolated subnets, whatever the order of the specifications.
- `Auto`, `AutoMerge`, `Exact`: the same blocks, filled in the order of the specifications. `AutoMerge` starts from the
  default pair (private, public) and changes it; `Exact` allows no gaps: specifications of type `Unused` fill them.
- explicit `cidrBlocks`: taken as they are, for `Auto` and `Exact`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, summarize_address_range
from typing import Any

from localaws.plugins.awsx.errors import ArgumentError

PRIVATE, PUBLIC, ISOLATED, UNUSED = "Private", "Public", "Isolated", "Unused"
LEGACY, AUTO, AUTO_MERGE, EXACT = "Legacy", "Auto", "AutoMerge", "Exact"

# Prefix length that a subnet of the Legacy strategy has at least, unless its specification says otherwise.
LEGACY_PREFIX = {PRIVATE: 19, PUBLIC: 20, ISOLATED: 24}
LARGEST_DEFAULT_BLOCK = 16  # prefix length; of a zone's larger block only this much is given to default subnets
SMALLEST_DEFAULT_BLOCK = 26  # prefix length; in less there is no room for two default subnets of AWS's minimum, /28
ADDRESS_BITS = 32


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One subnet in every availability zone. `prefix` is its CIDR's prefix length, None: chosen by the strategy."""

    type: str
    name: str | None = None
    prefix: int | None = None
    blocks: tuple[IPv4Network, ...] | None = None
    tags: Any = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What stands between the VPC's name and the zone's number in the subnet's name."""
        return self.name if self.name is not None else self.type.lower()


@dataclass(frozen=True)
class Subnet:
    """One subnet: its specification, the zone it is in (counted from 0) and its addresses."""

    spec: Spec
    zone: int
    cidr: IPv4Network

    def name(self, vpc: str) -> str:
        """Return the Pulumi name, which also is the Name tag unless tags are to name the zone."""
        return f"{vpc}-{self.spec.label}-{self.zone + 1}"


def arrange(
    vpc: IPv4Network, zones: int, specs: Sequence[Spec] | None, strategy: str, zone_prefix: int | None
) -> list[Subnet]:
    """Return all subnets, zone by zone, those of type Unused included.

    Args:
        vpc: addresses of the VPC.
        zones: number of availability zones, at least 1.
        specs: what every zone gets; None: a private and a public subnet.
        strategy: one of LEGACY, AUTO, AUTO_MERGE, EXACT.
        zone_prefix: prefix length of a zone's block; None: the VPC divided evenly. Ignored by LEGACY, as officially.

    Raises:
        ArgumentError: the subnets don't fit, overlap, or leave gaps where none are allowed.

    """
    if strategy == LEGACY or (specs is None and strategy == EXACT):
        subnets = _legacy(vpc, zones, specs)
    elif specs and specs[0].blocks is not None:
        subnets = [
            Subnet(spec, zone, block)
            for zone in range(zones)
            for spec in specs
            for block in (spec.blocks or ())[zone : zone + 1]
        ]
    else:
        subnets = _in_order(vpc, zones, specs, zone_prefix, merge=strategy == AUTO_MERGE)
    _refuse_overlaps(subnets)
    if strategy == EXACT:
        _refuse_gaps(vpc, subnets)
    return subnets


def gaps(one: IPv4Network | None, other: IPv4Network) -> Iterator[IPv4Network]:
    """Yield the largest blocks that fill the space between one block and a later one; none if there is no first."""
    if one is not None and one.broadcast_address + 1 < other.network_address:
        yield from summarize_address_range(one.broadcast_address + 1, other.network_address - 1)


def _blocks(vpc: IPv4Network, zones: int, prefix: int) -> list[IPv4Network]:
    """Return one block a zone, next to each other from the VPC's first address on."""
    if not vpc.prefixlen <= prefix <= ADDRESS_BITS:
        reason = f"{zones} availability zones don't fit into {vpc} as /{prefix} blocks; make the VPC larger"
        raise ArgumentError("cidrBlock", reason)
    first = IPv4Network((vpc.network_address, prefix))
    return [IPv4Network((first.network_address + zone * first.num_addresses, prefix)) for zone in range(zones)]


def _bits(count: int) -> int:
    """Return how many more bits of prefix tell `count` equal parts apart."""
    return (count - 1).bit_length() if count else 0


def _around(address: IPv4Address, prefix: int) -> IPv4Network:
    """Return the block of that size which the address lies in."""
    return IPv4Network((address, prefix), strict=False)


def _after(previous: IPv4Network, prefix: int) -> IPv4Network:
    """Return the first block of that size beyond the previous one."""
    return _around(_around(previous.broadcast_address, prefix).broadcast_address + 1, prefix)


def _legacy(vpc: IPv4Network, zones: int, specs: Sequence[Spec] | None) -> list[Subnet]:
    blocks = _blocks(vpc, zones, vpc.prefixlen + _bits(zones))
    if specs is None:
        return [subnet for zone, block in enumerate(blocks) for subnet in _legacy_default(block, zone)]
    # Half of the zone's block each; a lone subnet of a small VPC gets all of it.
    halving = 0 if len(specs) == 1 else 1
    subnets: list[Subnet] = []
    for zone, block in enumerate(blocks):
        start, previous = block.network_address, None
        for kind, least in LEGACY_PREFIX.items():
            group_start = start
            for index, spec in enumerate(spec for spec in specs if spec.type == kind):
                prefix = spec.prefix if spec.prefix is not None else max(block.prefixlen + halving, least)
                # The historical rule: the n-th of its kind stands n of its own sizes from where its kind starts …
                cidr = _around(group_start + index * 2 ** (ADDRESS_BITS - prefix), prefix)
                # … repaired later, for sizes that get in each other's way.
                if previous is not None and cidr.overlaps(previous):
                    cidr = _after(previous, prefix)
                subnets.append(Subnet(spec, zone, cidr))
                previous, start = cidr, cidr.broadcast_address + 1
    return subnets


def _legacy_default(block: IPv4Network, zone: int) -> list[Subnet]:
    """Return a private subnet of half the zone's block and a public one of half the rest."""
    private, rest = block.subnets()
    return [Subnet(Spec(type=PRIVATE), zone, private), Subnet(Spec(type=PUBLIC), zone, next(rest.subnets()))]


def _in_order(
    vpc: IPv4Network, zones: int, specs: Sequence[Spec] | None, zone_prefix: int | None, *, merge: bool
) -> list[Subnet]:
    prefix = zone_prefix if zone_prefix is not None else vpc.prefixlen + _bits(zones)
    blocks = _blocks(vpc, zones, prefix)
    if merge or specs is None:
        specs = _merged(_default_specs(prefix), specs or ())
    default = prefix + _bits(len(specs))
    prefixes = [spec.prefix if spec.prefix is not None else default for spec in specs]
    needed = sum(2 ** (ADDRESS_BITS - length) for length in prefixes)
    if needed > blocks[0].num_addresses:
        reason = (
            f"the subnets of one availability zone need {needed} addresses, but its block of {vpc} has "
            f"{blocks[0].num_addresses}; make the VPC larger or the subnets smaller"
        )
        raise ArgumentError("subnetSpecs", reason)
    subnets: list[Subnet] = []
    for zone, block in enumerate(blocks):
        previous: IPv4Network | None = None
        for spec, length in zip(specs, prefixes, strict=True):
            previous = _after(previous, length) if previous else _around(block.network_address, length)
            subnets.append(Subnet(spec, zone, previous))
    return subnets


def _default_specs(zone_prefix: int) -> list[Spec]:
    if zone_prefix > SMALLEST_DEFAULT_BLOCK:
        reason = (
            f"default subnets need a /{SMALLEST_DEFAULT_BLOCK} in each availability zone, and there is only "
            f"a /{zone_prefix}; make the VPC larger or name the subnets in `subnetSpecs`"
        )
        raise ArgumentError("cidrBlock", reason)
    largest = max(zone_prefix, LARGEST_DEFAULT_BLOCK)
    return [Spec(type=PRIVATE, prefix=largest + 1), Spec(type=PUBLIC, prefix=largest + 2)]


def _merged(defaults: Sequence[Spec], wanted: Iterable[Spec]) -> list[Spec]:
    """Return the defaults as changed by the unnamed specifications of their types, then all other specifications."""
    changes: dict[str, Spec] = {}
    others: list[Spec] = []
    default_types = {spec.type for spec in defaults}
    for spec in wanted:
        if spec.name is not None or spec.type not in default_types:
            others.append(spec)
        elif spec.type in changes:
            raise ArgumentError("subnetSpecs", f"of several {spec.type} subnets all but one need a `name`")
        else:
            changes[spec.type] = spec
    merged = [
        replace(change, prefix=change.prefix if change.prefix is not None else default.prefix)
        for default in defaults
        for change in [changes.get(default.type, default)]
    ]
    return merged + others


def _refuse_overlaps(subnets: Sequence[Subnet]) -> None:
    for index, one in enumerate(subnets):
        for other in subnets[index + 1 :]:
            if one.cidr.overlaps(other.cidr):
                reason = (
                    f"{one.cidr} ({one.name('…')}) and {other.cidr} ({other.name('…')}) overlap; make the VPC larger, "
                    "the subnets smaller, or use fewer availability zones"
                )
                raise ArgumentError("subnetSpecs", reason)


def _refuse_gaps(vpc: IPv4Network, subnets: Sequence[Subnet]) -> None:
    rule = "strategy Exact allows no gaps; fill them with subnets of type Unused"
    expected = int(vpc.network_address)
    for subnet in subnets:
        if int(subnet.cidr.network_address) != expected:
            raise ArgumentError("subnetSpecs", f"there is a gap before {subnet.cidr} ({subnet.name('…')}), but {rule}")
        expected = int(subnet.cidr.broadcast_address) + 1
    if expected != int(vpc.broadcast_address) + 1:
        raise ArgumentError("subnetSpecs", f"{subnets[-1].cidr} ends before {vpc} does, but {rule}")
