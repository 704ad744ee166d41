"""A network for the tests of what moto lacks."""

from collections.abc import Callable
from typing import Any


class Network:
    """A VPC with one subnet, internet gateway, address, NAT gateway and security group."""

    def __init__(self, client: Callable[..., Any]) -> None:
        self.ec2 = ec2 = client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
        self.subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.0.32/27")["Subnet"]["SubnetId"]
        self.gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        created = ec2.create_nat_gateway(SubnetId=self.subnet, AllocationId=self.address)
        self.nat = created["NatGateway"]["NatGatewayId"]
        self.group = ec2.create_security_group(GroupName="g", Description="g", VpcId=self.vpc)["GroupId"]
