"""The arguments of `awsx.ec2.Vpc`, read and checked before anything is registered.

The engine hands them over as one mapping, names in camelCase. What decides which children there are must be a plain
value; what is only passed on to a child (tags, DNS switches, tenancy, …) may be an output.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Any

import pulumi

from localaws.plugins.awsx import layout
from localaws.plugins.awsx.errors import ArgumentError
from localaws.plugins.awsx.layout import Spec, Subnet

NO_NAT, ONE_NAT, NAT_PER_ZONE = "None", "Single", "OnePerAz"
BY_NUMBER, BY_ZONE = "Legacy", "AvailabilityZone"
DEFAULT_CIDR = "10.0.0.0/16"
DEFAULT_ZONES = 3

# Passed on to the VPC as they are.
PASSED_ON = ("enableDnsHostnames", "enableDnsSupport", "enableNetworkAddressUsageMetrics", "instanceTenancy")
# Not served by this stand-in; `False`, `None` and empty lists are what leaving them out means.
UNSUPPORTED = {
    "assignGeneratedIpv6CidrBlock": "IPv6",
    "ipv6CidrBlock": "IPv6",
    "ipv6CidrBlockNetworkBorderGroup": "IPv6",
    "ipv6IpamPoolId": "IPv6",
    "ipv6NetmaskLength": "IPv6",
    "ipv4IpamPoolId": "IPAM",
    "ipv4NetmaskLength": "IPAM",
    "vpcEndpointSpecs": "VPC endpoints",
}
NOT_SERVED = "not served by the embedded AWS's awsx plugin; use the official plugins: LOCALAWS_PLUGINS=official"


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Checked arguments. `zones` is how many availability zones; `zone_names` None: the region's first ones."""

    cidr: IPv4Network
    zones: int
    zone_names: tuple[str, ...] | None
    nat: str
    allocation_ids: tuple[Any, ...]
    subnets: tuple[Subnet, ...]
    resolved: tuple[Mapping[str, Any], ...]
    zone_in_names: bool
    tags: Any
    region: str | None
    passed_on: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ""


def read(inputs: Mapping[str, Any]) -> Arguments:
    """Check the arguments and lay out the subnets.

    Raises:
        ArgumentError: naming the argument, its value and what would do.

    """
    for name, topic in UNSUPPORTED.items():
        if inputs.get(name) not in (None, False, [], ()):
            raise ArgumentError(name, f"{topic}: {NOT_SERVED}")
    cidr = _network("cidrBlock", _plain(inputs, "cidrBlock") or DEFAULT_CIDR)
    zone_names = _plain(inputs, "availabilityZoneNames")
    number = _plain(inputs, "numberOfAvailabilityZones")
    if zone_names and number:
        raise ArgumentError("availabilityZoneNames", "give either these or `numberOfAvailabilityZones`, not both")
    zones = len(zone_names) if zone_names else int(DEFAULT_ZONES if number is None else number)
    if zones < 1:
        raise ArgumentError("numberOfAvailabilityZones", f"{zones} is too few; at least 1 is needed")
    strategy = _choice(
        inputs, "subnetStrategy", (layout.LEGACY, layout.AUTO, layout.AUTO_MERGE, layout.EXACT), layout.LEGACY
    )
    wanted = _plain(inputs, "subnetSpecs")
    specs = None if wanted is None else tuple(_specs(wanted, zones, strategy))
    prefix = _plain(inputs, "availabilityZoneCidrMask")
    subnets = tuple(layout.arrange(cidr, zones, specs, strategy, None if prefix is None else int(prefix)))
    nat, allocation_ids = _nat(inputs, zones, subnets)
    derived = specs is None or strategy in (layout.LEGACY, layout.AUTO_MERGE)
    resolved = tuple(_derived(subnets) if derived else map(_stated, specs or ()))
    asks_for_strategy = inputs.get("subnetStrategy") is None and specs is not None and not _explicit(specs)
    return Arguments(
        cidr=cidr,
        zones=zones,
        zone_names=tuple(zone_names) if zone_names else None,
        nat=nat,
        allocation_ids=allocation_ids,
        subnets=subnets,
        resolved=resolved,
        zone_in_names=_choice(inputs, "subnetNameTagStrategy", (BY_NUMBER, BY_ZONE), BY_NUMBER) == BY_ZONE,
        tags=inputs.get("tags") or {},
        region=_plain(inputs, "region"),
        passed_on={name: inputs[name] for name in PASSED_ON if inputs.get(name) is not None},
        advice=_advice(resolved) if asks_for_strategy else "",
    )


def _plain(inputs: Mapping[str, Any], name: str, path: str = "") -> Any:
    """Return a value that must not be an output; None if absent."""
    value = inputs.get(name)
    if isinstance(value, pulumi.Output) or pulumi.output.contains_unknowns(value):
        raise ArgumentError(f"{path}{name}", "must be a plain value, not an output: it decides which subnets there are")
    return value


def _choice(inputs: Mapping[str, Any], name: str, allowed: Sequence[str], default: str, path: str = "") -> str:
    """Return one of the allowed values, whatever its case."""
    value = _plain(inputs, name, path)
    if value is None:
        return default
    for one in allowed:
        if str(value).lower() == one.lower():
            return one
    raise ArgumentError(f"{path}{name}", f"{value!r} is not one of {', '.join(allowed)}")


def _network(argument: str, value: Any) -> IPv4Network:
    try:
        return IPv4Network(value)
    except (AddressValueError, NetmaskValueError, ValueError) as error:
        raise ArgumentError(argument, f"{value!r} is no IPv4 CIDR block: {error}") from None


def _explicit(specs: Sequence[Spec]) -> bool:
    return any(spec.blocks is not None for spec in specs)


def _specs(wanted: Sequence[Mapping[str, Any]], zones: int, strategy: str) -> Iterator[Spec]:
    if not wanted:
        raise ArgumentError("subnetSpecs", "is empty; name at least one subnet or leave it out")
    explicit = any(spec.get("cidrBlocks") is not None for spec in wanted)
    if explicit and strategy == layout.AUTO_MERGE:
        raise ArgumentError("subnetSpecs", "strategy AutoMerge takes no `cidrBlocks`; use Auto or Exact")
    for index, spec in enumerate(wanted):
        path = f"subnetSpecs[{index}]."
        if spec.get("assignIpv6AddressOnCreation"):
            raise ArgumentError(f"{path}assignIpv6AddressOnCreation", f"IPv6: {NOT_SERVED}")
        blocks = _plain(spec, "cidrBlocks", path)
        if explicit and (blocks is None or len(blocks) != zones):
            have = "none" if blocks is None else len(blocks)
            reason = f"if one subnet has `cidrBlocks`, each needs one an availability zone: {zones}, not {have}"
            raise ArgumentError(f"{path}cidrBlocks", reason)
        networks = None if blocks is None else tuple(_network(f"{path}cidrBlocks", block) for block in blocks)
        yield Spec(
            type=_choice(spec, "type", (layout.PUBLIC, layout.PRIVATE, layout.ISOLATED, layout.UNUSED), "", path),
            name=_plain(spec, "name", path),
            prefix=_prefix(spec, path, networks),
            blocks=networks,
            tags=spec.get("tags") or {},
        )


def _prefix(spec: Mapping[str, Any], path: str, blocks: tuple[IPv4Network, ...] | None) -> int | None:
    """Return the prefix length that `cidrMask` or `size` (in addresses) asks for; they and the blocks must agree."""
    mask, size = _plain(spec, "cidrMask", path), _plain(spec, "size", path)
    prefix = None if mask is None else int(mask)
    if size is not None:
        by_size = layout.ADDRESS_BITS + 1 - int(size).bit_length()
        if int(size) < 4 or 2 ** (layout.ADDRESS_BITS - by_size) != int(size):  # noqa: PLR2004 - /30, the smallest that counts
            raise ArgumentError(f"{path}size", f"{int(size)} is no power of 2 from 4 on")
        if prefix not in (None, by_size):
            raise ArgumentError(f"{path}size", f"{int(size)} addresses are a /{by_size}, but `cidrMask` says /{prefix}")
        prefix = by_size
    for block in blocks or ():
        if prefix not in (None, block.prefixlen):
            raise ArgumentError(f"{path}cidrMask", f"/{prefix} is not the size of {block} in `cidrBlocks`")
    return prefix


def _nat(inputs: Mapping[str, Any], zones: int, subnets: Sequence[Subnet]) -> tuple[str, tuple[Any, ...]]:
    """Return the NAT strategy and the addresses given for the gateways."""
    configuration = inputs.get("natGateways") or {}
    if not isinstance(configuration, Mapping):
        raise ArgumentError(
            "natGateways", "must be a plain value, not an output: it decides how many gateways there are"
        )
    nat = _choice(configuration, "strategy", (NO_NAT, ONE_NAT, NAT_PER_ZONE), NAT_PER_ZONE, "natGateways.")
    ids = tuple(configuration.get("elasticIpAllocationIds") or ())
    wanted = {NO_NAT: 0, ONE_NAT: 1, NAT_PER_ZONE: zones}[nat]
    if ids and len(ids) != wanted:
        reason = f"{len(ids)} given, but strategy {nat} needs {wanted}"
        raise ArgumentError("natGateways.elasticIpAllocationIds", reason)
    types = {subnet.spec.type for subnet in subnets}
    if nat != NO_NAT and not (layout.PUBLIC in types and types & {layout.PRIVATE, layout.ISOLATED}):
        reason = f"{nat} needs Public subnets to stand in and Private or Isolated ones to serve; or use {NO_NAT}"
        raise ArgumentError("natGateways.strategy", reason)
    return nat, ids


def _stated(spec: Spec) -> dict[str, Any]:
    """Return a specification as the output `subnetLayout` shows it: as given, sizes filled in."""
    shown: dict[str, Any] = {"type": spec.type}
    if spec.name is not None:
        shown["name"] = spec.name
    if spec.blocks is not None:
        shown["cidrBlocks"] = [str(block) for block in spec.blocks]
    if spec.prefix is not None:
        shown |= {"cidrMask": spec.prefix, "size": 2 ** (layout.ADDRESS_BITS - spec.prefix)}
    return shown


def _derived(subnets: Sequence[Subnet]) -> Iterator[dict[str, Any]]:
    """Yield the first zone's subnets and the gaps between them as specifications that `Auto` lays out the same."""
    previous: IPv4Network | None = None
    for subnet in sorted((subnet for subnet in subnets if subnet.zone == 0), key=lambda subnet: subnet.cidr):
        for gap in layout.gaps(previous, subnet.cidr):
            yield {"type": layout.UNUSED, "cidrMask": gap.prefixlen}
        yield {"type": subnet.spec.type, "cidrMask": subnet.cidr.prefixlen}
        previous = subnet.cidr


def _advice(resolved: Sequence[Mapping[str, Any]]) -> str:
    listed = ", ".join(f"{spec['type']} /{spec['cidrMask']}" for spec in resolved)
    return (
        'The default subnetStrategy will change from "Legacy" to "Auto" in the next major version of awsx. '
        f'Please give one. The present layout as subnetSpecs of "Auto": {listed}'
    )
