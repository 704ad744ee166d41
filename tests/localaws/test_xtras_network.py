"""EC2's networks, where moto falls short of AWS."""

import ipaddress
from collections.abc import Callable
from typing import Any

from tests.localaws.support import code_of
from tests.localaws.xtras_site import Network

Client = Callable[..., Any]


def test_addresses_lie_in_their_subnet_and_are_given_once(network: Network) -> None:
    """NAT gateways, instances and interfaces of one subnet get different addresses of it, none that AWS keeps."""
    ec2 = network.ec2
    ec2.run_instances(ImageId="ami-12345678", InstanceType="t3.medium", MinCount=1, MaxCount=1, SubnetId=network.subnet)
    for _ in range(10):
        ec2.create_network_interface(SubnetId=network.subnet)
    filters = [{"Name": "subnet-id", "Values": [network.subnet]}]
    interfaces = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    found = {interface["PrivateIpAddress"] for interface in interfaces}
    usable = {str(address) for address in ipaddress.ip_network("10.0.0.32/27")} - {
        "10.0.0.32", "10.0.0.33", "10.0.0.34", "10.0.0.35", "10.0.0.63",
    }  # fmt: skip

    assert 12 == len(interfaces) == len(found)
    assert found <= usable


def test_a_full_subnet_has_no_more_addresses(network: Network) -> None:
    """Of a /28, eleven addresses can be used."""
    block = network.ec2.create_subnet(VpcId=network.vpc, CidrBlock="10.0.0.64/28")["Subnet"]["SubnetId"]
    for _ in range(11):
        network.ec2.create_network_interface(SubnetId=block)

    assert code_of(network.ec2.create_network_interface, SubnetId=block) == "InsufficientFreeAddressesInSubnet"


def test_a_nat_gateway_says_what_it_is(network: Network) -> None:
    """It is public unless asked otherwise, and one that never was is not found."""
    gateway = network.ec2.describe_nat_gateways(NatGatewayIds=[network.nat])["NatGateways"][0]

    assert gateway["ConnectivityType"] == "public"
    assert code_of(network.ec2.describe_nat_gateways, NatGatewayIds=["nat-0"]) == "NatGatewayNotFound"
    assert code_of(network.ec2.delete_nat_gateway, NatGatewayId="nat-0") == "NatGatewayNotFound"


def test_a_network_comes_down_in_order_only(network: Network) -> None:
    """While the NAT gateway uses them, subnet, address and internet gateway stay; then all of it can go."""
    ec2 = network.ec2
    assert code_of(ec2.delete_subnet, SubnetId=network.subnet) == "DependencyViolation"
    assert code_of(ec2.release_address, AllocationId=network.address) == "InvalidIPAddress.InUse"
    detach = {"InternetGatewayId": network.gateway, "VpcId": network.vpc}
    assert code_of(ec2.detach_internet_gateway, **detach) == "DependencyViolation"

    ec2.delete_nat_gateway(NatGatewayId=network.nat)
    assert ec2.describe_nat_gateways(NatGatewayIds=[network.nat])["NatGateways"][0]["State"] == "deleted"
    ec2.release_address(AllocationId=network.address)
    ec2.detach_internet_gateway(**detach)
    ec2.delete_internet_gateway(InternetGatewayId=network.gateway)
    ec2.delete_subnet(SubnetId=network.subnet)
    ec2.delete_security_group(GroupId=network.group)
    ec2.delete_vpc(VpcId=network.vpc)


def test_a_security_group_in_use_stays(network: Network) -> None:
    """A group that an instance has, or that another group's rule names, is deleted after them only."""
    ec2 = network.ec2
    other = ec2.create_security_group(GroupName="o", Description="o", VpcId=network.vpc)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": network.group}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[permission])
    assert code_of(ec2.delete_security_group, GroupId=network.group) == "DependencyViolation"
    ec2.delete_security_group(GroupId=other)

    place = {"SubnetId": network.subnet, "SecurityGroupIds": [network.group]}
    run = ec2.run_instances(ImageId="ami-12345678", InstanceType="t3.medium", MinCount=1, MaxCount=1, **place)
    assert code_of(ec2.delete_security_group, GroupId=network.group) == "DependencyViolation"
    ec2.terminate_instances(InstanceIds=[run["Instances"][0]["InstanceId"]])
    ec2.delete_security_group(GroupId=network.group)


def test_an_instance_and_its_first_interface_have_the_same_groups(network: Network) -> None:
    """Changed at either of the two, the groups are changed at both, and the one no longer used can go."""
    ec2 = network.ec2
    place = {"SubnetId": network.subnet, "SecurityGroupIds": [network.group]}
    run = ec2.run_instances(ImageId="ami-12345678", InstanceType="t3.medium", MinCount=1, MaxCount=1, **place)
    machine = run["Instances"][0]["InstanceId"]
    interface = run["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"]

    def groups() -> tuple[list[str], list[str]]:
        found = ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]
        lists = (found["SecurityGroups"], found["NetworkInterfaces"][0]["Groups"])
        first, second = ([group["GroupId"] for group in groups] for groups in lists)
        return first, second

    others = [
        ec2.create_security_group(GroupName=f"o{n}", Description="o", VpcId=network.vpc)["GroupId"] for n in range(3)
    ]
    ec2.modify_instance_attribute(InstanceId=machine, Groups=others)
    assert (others, others) == groups()
    ec2.delete_security_group(GroupId=network.group)
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=others[:1])
    assert (others[:1], others[:1]) == groups()


def test_an_address_and_a_rule_have_what_clients_read(network: Network) -> None:
    """An address tells its pool and border group, a rule its owner and ARN."""
    address = network.ec2.describe_addresses(AllocationIds=[network.address])["Addresses"][0]
    assert (address["PublicIpv4Pool"], address["NetworkBorderGroup"]) == ("amazon", "us-east-1")

    filters = [{"Name": "group-id", "Values": [network.group]}]
    rule = network.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"][0]
    arn = f"arn:aws:ec2:us-east-1:123456789012:security-group-rule/{rule['SecurityGroupRuleId']}"
    assert ("123456789012", arn) == (rule["GroupOwnerId"], rule["SecurityGroupRuleArn"])


def test_offered_instance_types_are_known_in_every_region(client: Client) -> None:
    """What is read only when it is asked for is there then."""
    for region in ("us-east-1", "eu-west-1"):
        filters = [{"Name": "instance-type", "Values": ["t3.medium"]}]
        offers = client("ec2", region).describe_instance_type_offerings(Filters=filters)["InstanceTypeOfferings"]
        assert [("t3.medium", region)] == [(offer["InstanceType"], offer["Location"]) for offer in offers]
