"""The VPC and who may talk to whom in it."""

from typing import Any

import pulumi
import pulumi_aws.vpc
import pulumi_aws.ec2
import pulumi_awsx as awsx

from services.containers import APP_PORT

aws = pulumi_aws

_PUBLIC = ["10.0.0.0/27", "10.0.0.32/27", "10.0.0.64/27"]
_PRIVATE = ["10.0.0.96/27", "10.0.0.128/27", "10.0.0.160/27"]


def vpc(name: str, child: pulumi.ResourceOptions) -> awsx.ec2.Vpc:
    """Three zones, each with a public and a private subnet and a NAT gateway of its own."""
    return awsx.ec2.Vpc(
        name,
        cidr_block="10.0.0.0/24",
        number_of_availability_zones=3,
        enable_dns_hostnames=True,
        enable_dns_support=True,
        nat_gateways=awsx.ec2.NatGatewayConfigurationArgs(strategy=awsx.ec2.NatGatewayStrategy.ONE_PER_AZ),
        subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
        subnet_specs=[
            awsx.ec2.SubnetSpecArgs(type=awsx.ec2.SubnetType.PUBLIC, cidr_blocks=_PUBLIC),
            awsx.ec2.SubnetSpecArgs(type=awsx.ec2.SubnetType.PRIVATE, cidr_blocks=_PRIVATE),
        ],
        tags={"Name": "ecsworkshop-base/BaseVPC"},
        opts=child,
    )


def security_group(name: str, description: str, vpc_id: pulumi.Input[str], child: pulumi.ResourceOptions) -> "aws.ec2.SecurityGroup":
    """A group that may call anything; who may call it is said by `allow`."""
    group = aws.ec2.SecurityGroup(name, description=description, vpc_id=vpc_id, opts=child)
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-egress", security_group_id=group.id, ip_protocol="-1", cidr_ipv4="0.0.0.0/0", opts=child
    )
    return group


def allow(name: str, group: "aws.ec2.SecurityGroup", child: pulumi.ResourceOptions, **source: Any) -> None:
    """Let `source` (an ingress rule's argument) reach the application's port."""
    aws.vpc.SecurityGroupIngressRule(
        name, security_group_id=group.id, ip_protocol="tcp", from_port=APP_PORT, to_port=APP_PORT, opts=child, **source
    )
