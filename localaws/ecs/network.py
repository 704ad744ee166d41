"""Each task's network interface, with an address that is truly inside one of its subnets and nobody else's."""

import ipaddress
import random
import uuid
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.models import EC2Backend, ec2_backends

from localaws.ecs.backend import EcsBackend
from localaws.ecs.errors import EcsError, invalid
from localaws.ecs.model import Attachment, Document, Task

# AWS keeps the first four addresses of a subnet, and the last.
_RESERVED_FIRST, _RESERVED_LAST = 4, 1


class AttachError(Exception):
    """A task got no network interface; the message is the reason that ECS gives."""


def check(backend: EcsBackend, network: Document) -> None:
    """Refuse a network configuration that names what EC2 does not have.

    Raises:
        EcsError: with ECS's words.

    """
    if not network.get("subnets"):
        message = "subnets can not be empty."
        raise invalid(message)
    ec2 = _ec2(backend)
    subnets = {name for zone in ec2.subnets.values() for name in zone}
    groups = {name for vpc in ec2.groups.values() for name in vpc}
    for subnet in network["subnets"]:
        if subnet not in subnets:
            raise _unknown("subnet", subnet, f"The subnet ID '{subnet}' does not exist", "InvalidSubnetID.NotFound")
    for group in network.get("securityGroups", []):
        if group not in groups:
            message = f"The security group '{group}' does not exist"
            raise _unknown("security group", group, message, "InvalidGroup.NotFound")


def attach(backend: EcsBackend, task: Task) -> Attachment:
    """Create the interface in that of the task's subnets where the fewest of its group are.

    Raises:
        AttachError: the subnet is gone or full, or a security group is gone.

    """
    peers = [
        peer.attachment.subnet
        for peer in backend.tasks_by_id.values()
        if peer.attachment and peer.live and (peer.cluster, peer.group) == (task.cluster, task.group)
    ]
    ec2 = _ec2(backend)
    wanted = min(task.network["subnets"], key=peers.count)
    identity = str(uuid.uuid4())
    arn = backend.arn(f"attachment/{identity}")
    try:
        subnet = ec2.get_subnet(wanted)
        interface = ec2.create_network_interface(
            subnet,
            _free_address(ec2, subnet),
            group_ids=task.network.get("securityGroups") or None,
            description=arn,
            public_ip_auto_assign=task.network.get("assignPublicIp") == "ENABLED",
        )
    except ServiceException as error:
        reason = f"Unexpected EC2 error while attempting to Create Network Interface in subnet '{wanted}': {error.code}"
        raise AttachError(reason) from error
    interface.status, interface.requester_managed = "in-use", True
    return Attachment(
        arn=arn,
        id=identity,
        interface=interface.id,
        subnet=subnet.id,
        zone=subnet.availability_zone,
        address=str(interface.private_ip_address),
        mac=interface.mac_address,
        dns_name=getattr(interface, "private_dns_name", ""),
    )


def detach(backend: EcsBackend, attachment: Attachment) -> None:
    """Delete the interface; nothing to do where someone else did."""
    interface = _ec2(backend).enis.get(attachment.interface)
    if interface:
        interface.delete()


def _ec2(backend: EcsBackend) -> EC2Backend:
    return ec2_backends[backend.account_id][backend.region_name]


def _unknown(kind: str, name: str, message: str, code: str) -> EcsError:
    return invalid(f"Error retrieving {kind} information for [{name}]: {message} (ErrorCode: {code})")


def _free_address(ec2: EC2Backend, subnet: Any) -> str:
    block = ipaddress.ip_network(subnet.cidr_block)
    taken = {
        address["PrivateIpAddress"]
        for interface in ec2.enis.values()
        if interface.subnet.id == subnet.id
        for address in interface.private_ip_addresses
    }
    # Any free one: an address should not pass straight on to the next task, which clients of the first would call.
    places = range(_RESERVED_FIRST, block.num_addresses - _RESERVED_LAST)
    for place in random.sample(places, min(len(places), len(taken) + 1)):
        if (address := str(block[place])) not in taken:
            return address
    reason = f"Unexpected EC2 error while attempting to Create Network Interface in subnet '{subnet.id}': "
    raise AttachError(reason + "InsufficientFreeAddressesInSubnet")
