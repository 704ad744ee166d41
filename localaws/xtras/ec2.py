"""EC2: addresses that lie in their subnet, each given once; and nothing goes that is still in use."""

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.models.security_groups import SecurityGroupRule

from localaws.xtras.patching import add, wrap

# AWS keeps the first four addresses of a subnet, and the last.
_RESERVED_FIRST, _RESERVED_LAST = 4, 1


class Ec2Error(ServiceException):
    """An error that EC2 answers with: code and message."""


def install() -> None:
    """Mend moto's service."""
    wrap(EC2Backend, "create_network_interface", _create_network_interface)
    wrap(Instance, "prep_nics", _prep_nics)
    wrap(EC2Backend, "modify_instance_security_groups", _modify_instance_security_groups)
    wrap(EC2Backend, "modify_network_interface_attribute", _modify_network_interface_attribute)
    wrap(EC2Backend, "create_nat_gateway", _create_nat_gateway)
    wrap(EC2Backend, "describe_nat_gateways", _describe_nat_gateways)
    wrap(EC2Backend, "delete_nat_gateway", _delete_nat_gateway)
    wrap(EC2Backend, "delete_subnet", _delete_subnet)
    wrap(EC2Backend, "delete_security_group", _delete_security_group)
    wrap(EC2Backend, "detach_internet_gateway", _detach_internet_gateway)
    wrap(EC2Backend, "release_address", _release_address)
    add(
        ElasticAddress,
        public_ipv4_pool="amazon",
        network_border_group=property(lambda address: address.ec2_backend.region_name),
    )
    add(NetworkInterface, group_set=property(_group_set))
    add(
        SecurityGroupRule,
        group_owner_id=property(lambda rule: rule.owner_id),
        security_group_rule_arn=property(_rule_arn),
    )


def _create_network_interface(
    create: Callable[..., NetworkInterface],
    backend: EC2Backend,
    subnet: Any,
    private_ip_address: str | list[str] | None = None,
    *args: Any,
    **kwargs: Any,
) -> NetworkInterface:
    """Give the interface a free address of the subnet, where the one that moto chose is not or none was asked for."""
    addresses = kwargs.get("private_ip_addresses") or (args[0] if args else None)
    wanted = private_ip_address[:1] if isinstance(private_ip_address, list) else [private_ip_address]
    if not addresses and not set(wanted) & set(_free(backend, subnet)):
        free = next(_free(backend, subnet), None)
        if free is None:
            raise Ec2Error("InsufficientFreeAddressesInSubnet", f"There are not enough free addresses in {subnet.id}.")
        private_ip_address = free
    return create(backend, subnet, private_ip_address, *args, **kwargs)


def _free(backend: EC2Backend, subnet: Any) -> Iterator[str]:
    block = ipaddress.ip_network(subnet.cidr_block)
    taken = {
        address["PrivateIpAddress"]
        for interface in backend.enis.values()
        if interface.subnet.id == subnet.id
        for address in interface.private_ip_addresses
    }
    for place in range(_RESERVED_FIRST, block.num_addresses - _RESERVED_LAST):
        if (address := str(block[place])) not in taken:
            yield address


def _prep_nics(
    prepare: Callable[..., None], instance: Instance, nic_spec: list[Any], *args: Any, **kwargs: Any
) -> None:
    """Have the interfaces that are made with an instance go with it, unless asked otherwise."""
    kept = {int(spec["DeviceIndex"]) for spec in nic_spec if _outlives(spec)}
    prepare(instance, nic_spec, *args, **kwargs)
    for index, interface in instance.nics.items():
        interface.delete_on_termination = index not in kept


def _modify_instance_security_groups(
    modify: Callable[..., Instance], backend: EC2Backend, *args: Any, **kwargs: Any
) -> Instance:
    """Give the first interface the instance's new groups: to AWS they are the same thing."""
    instance = modify(backend, *args, **kwargs)
    if 0 in instance.nics:
        instance.nics[0]._group_set = list(instance.security_groups)  # noqa: SLF001 - moto has no method for it
    return instance


def _modify_network_interface_attribute(
    modify: Callable[..., None], backend: EC2Backend, eni_id: str, group_ids: list[str], *args: Any, **kwargs: Any
) -> None:
    """Give the instance its first interface's new groups: likewise."""
    modify(backend, eni_id, group_ids, *args, **kwargs)
    interface = backend.get_network_interface(eni_id)
    if group_ids and interface.instance and interface.instance.nics.get(0) is interface:
        interface.instance.security_groups = list(interface._group_set)  # noqa: SLF001 - likewise


def _group_set(interface: NetworkInterface) -> list[Any]:
    """Return its groups in the order in which they were given, which moto shuffles."""
    of_instance = interface.instance.security_groups if interface.instance else []
    return list(dict.fromkeys([*interface._group_set, *of_instance]))  # noqa: SLF001 - what the property stands for


def _outlives(spec: dict[str, Any]) -> bool:
    return bool(spec.get("NetworkInterfaceId")) or spec.get("DeleteOnTermination") is False


def _create_nat_gateway(
    create: Callable[..., NatGateway], backend: EC2Backend, *args: Any, **kwargs: Any
) -> NatGateway:
    """Say what kind of gateway it is, where nothing was asked for."""
    gateway = create(backend, *args, **kwargs)
    gateway.connectivity_type = gateway.connectivity_type or "public"
    return gateway


def _describe_nat_gateways(
    describe: Callable[..., list[NatGateway]], backend: EC2Backend, filters: Any, nat_gateway_ids: list[str] | None
) -> list[NatGateway]:
    for identity in nat_gateway_ids or []:
        _require_nat_gateway(backend, identity)
    return describe(backend, filters, nat_gateway_ids)


def _delete_nat_gateway(delete: Callable[..., NatGateway], backend: EC2Backend, nat_gateway_id: str) -> NatGateway:
    """Give its address and its interface back."""
    _require_nat_gateway(backend, nat_gateway_id)
    gateway = delete(backend, nat_gateway_id)
    for place in gateway.address_set:
        for address in backend.addresses:
            if address.network_interface_id == place["networkInterfaceId"]:
                backend.disassociate_address(address=address.public_ip)
        backend.enis.pop(place["networkInterfaceId"], None)
    return gateway


def _require_nat_gateway(backend: EC2Backend, identity: str) -> None:
    if identity not in backend.nat_gateways:
        raise Ec2Error("NatGatewayNotFound", f"NAT gateway {identity} was not found")


def _delete_subnet(delete: Callable[..., Any], backend: EC2Backend, subnet_id: str) -> Any:
    if any(interface.subnet.id == subnet_id for interface in backend.enis.values()):
        raise Ec2Error("DependencyViolation", f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    return delete(backend, subnet_id)


def _delete_security_group(
    delete: Callable[..., None], backend: EC2Backend, name: str | None = None, group_id: str | None = None
) -> None:
    groups = {group.id for interface in backend.enis.values() for group in interface.group_set}
    named = {
        rule.source_group.get("GroupId")
        for vpc in backend.groups.values()
        for group in vpc.values()
        if group.id != group_id
        for rule in (*group.ingress_rules, *group.egress_rules)
        if rule.source_group
    }
    if group_id in groups | named:
        raise Ec2Error("DependencyViolation", f"resource {group_id} has a dependent object")
    delete(backend, name, group_id)


def _detach_internet_gateway(
    detach: Callable[..., None], backend: EC2Backend, internet_gateway_id: str, vpc_id: str
) -> None:
    interfaces = {interface.id for interface in backend.enis.values() if interface.subnet.vpc_id == vpc_id}
    if any(address.network_interface_id in interfaces for address in backend.addresses):
        message = (
            f"Network {vpc_id} has some mapped public address(es). Please unmap those before detaching the gateway."
        )
        raise Ec2Error("DependencyViolation", message)
    detach(backend, internet_gateway_id, vpc_id)


def _release_address(
    release: Callable[..., None], backend: EC2Backend, address: str | None = None, allocation_id: str | None = None
) -> None:
    for known in backend.addresses:
        if known.association_id and (known.allocation_id == allocation_id or known.public_ip == address):
            raise Ec2Error("InvalidIPAddress.InUse", f"Address {known.public_ip} is in use.")
    release(backend, address, allocation_id)


def _rule_arn(rule: SecurityGroupRule) -> str:
    backend = rule.ec2_backend
    return f"arn:{backend.partition}:ec2:{backend.region_name}:{rule.owner_id}:security-group-rule/{rule.id}"
