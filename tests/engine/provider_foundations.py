"""The first part of the program: network, security, identities, a machine and logs."""

import json
from typing import NamedTuple

from pulumi_aws import cloudwatch, ec2, get_availability_zones, iam, ssm, vpc

from tests.engine.provider_variant import Adoption, Variant

TRUST = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
AMI = "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2"


class Foundations(NamedTuple):
    """What the other parts stand on."""

    network: ec2.Vpc
    public: ec2.Subnet
    gateway: ec2.InternetGateway
    shared: ec2.SecurityGroup
    inline: ec2.SecurityGroup
    role: iam.Role


def foundations(v: Variant, adopt: Adoption) -> Foundations:
    """Make them."""
    tags = v.tags
    zones = get_availability_zones(state="available").names

    network = ec2.Vpc(
        "network",
        cidr_block=v.cidr,
        enable_dns_hostnames=v.dns_hostnames,
        tags={**tags, "Name": "network"},
        opts=adopt.options("network"),
    )
    public = ec2.Subnet(
        "public",
        vpc_id=network.id,
        cidr_block=v.cidr.replace("/24", "/27"),
        availability_zone=zones[0],
        map_public_ip_on_launch=True,
        tags=tags,
        opts=adopt.options("public"),
    )
    gateway = ec2.InternetGateway("gateway", vpc_id=network.id, tags=tags, opts=adopt.options("gateway"))
    address = ec2.Eip("address", domain="vpc", tags=tags, opts=adopt.options("address"))
    nat = ec2.NatGateway(
        "nat", subnet_id=public.id, allocation_id=address.allocation_id, tags=tags, opts=adopt.options("nat", gateway)
    )
    outward = ec2.RouteTable("outward", vpc_id=network.id, tags=tags, opts=adopt.options("outward"))
    ec2.Route(
        "default",
        route_table_id=outward.id,
        destination_cidr_block="0.0.0.0/0",
        gateway_id=gateway.id,
        opts=adopt.options("default"),
    )
    inward = ec2.RouteTable(
        "inward",
        vpc_id=network.id,
        routes=[{"cidr_block": "0.0.0.0/0", "nat_gateway_id": nat.id}],
        tags=tags,
        opts=adopt.options("inward"),
    )
    ec2.RouteTableAssociation(
        "association",
        route_table_id=outward.id if v.purpose == "test" else inward.id,
        subnet_id=public.id,
        opts=adopt.options("association"),
    )
    shared = ec2.SecurityGroup(
        "shared",
        name=adopt.name("shared"),
        vpc_id=network.id,
        description=v.about,
        tags=tags,
        opts=adopt.options("shared"),
    )
    vpc.SecurityGroupIngressRule(
        "ingress",
        security_group_id=shared.id,
        ip_protocol="tcp",
        from_port=v.port,
        to_port=v.port,
        cidr_ipv4="10.0.0.0/8",
        description=v.description,
        tags=tags,
        opts=adopt.options("ingress"),
    )
    vpc.SecurityGroupEgressRule(
        "egress",
        security_group_id=shared.id,
        ip_protocol="-1",
        cidr_ipv4="0.0.0.0/0",
        description=v.description,
        opts=adopt.options("egress"),
    )
    inline = ec2.SecurityGroup(
        "inline",
        name=adopt.name("inline"),
        vpc_id=network.id,
        description="rules of its own",
        ingress=[{"protocol": "tcp", "from_port": v.port, "to_port": v.port, "cidr_blocks": ["0.0.0.0/0"]}],
        egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}],
        opts=adopt.options("inline"),
    )

    role = iam.Role(
        "role",
        name=adopt.name("role"),
        assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]}),
        description=v.description,
        tags=tags,
        opts=adopt.options("role"),
    )
    statement = {"Effect": "Allow", "Action": list(v.actions), "Resource": "*"}
    iam.RolePolicy(
        "policy",
        name=adopt.name("policy"),
        role=role.name,
        policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        opts=adopt.options("policy"),
    )
    iam.RolePolicyAttachment("attachment", role=role.name, policy_arn=v.policy, opts=adopt.options("attachment"))
    profile = iam.InstanceProfile(
        "profile", name=adopt.name("profile"), role=role.name, tags=tags, opts=adopt.options("profile")
    )
    image = ssm.get_parameter(name=AMI).value
    ec2.Instance(
        "instance",
        ami=image,
        instance_type=v.instance_type,
        subnet_id=public.id,
        vpc_security_group_ids=[shared.id],
        iam_instance_profile=profile.name,
        user_data="#!/bin/sh\nyum install -y siege\n",
        tags={**tags, "Name": "instance"},
        opts=adopt.options("instance"),
    )
    cloudwatch.LogGroup(
        "logs", name=adopt.name("logs"), retention_in_days=v.retention, tags=tags, opts=adopt.options("logs")
    )
    return Foundations(network, public, gateway, shared, inline, role)
