"""An EC2 host from which to load-test the services, reached through Systems Manager only."""

import json

import pulumi

from services.aws import ec2, iam, ssm
from services.network import Network

IMAGE_PARAMETER = "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2"
SESSIONS_POLICY_ARN = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"

_TRUST_EC2 = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
_INSTALL_SIEGE = """#!/bin/bash
amazon-linux-extras install -y epel
yum install -y siege
"""


class LoadTestHost(pulumi.ComponentResource):
    """A t3.medium with siege in the first private subnet, in the services' security group."""

    def __init__(self, name: str, *, network: Network, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-tracing:services:LoadTestHost", name, {}, opts)
        own = pulumi.ResourceOptions(parent=self)
        role = iam.Role(f"{name}-role", assume_role_policy=_TRUST_EC2, opts=own)
        iam.RolePolicyAttachment(f"{name}-sessions", role=role.name, policy_arn=SESSIONS_POLICY_ARN, opts=own)
        profile = iam.InstanceProfile(f"{name}-profile", role=role.name, opts=own)
        image = ssm.get_parameter_output(name=IMAGE_PARAMETER, opts=pulumi.InvokeOutputOptions(parent=self))
        self.instance = ec2.Instance(
            name,
            ami=image.value,
            instance_type="t3.medium",
            subnet_id=network.private_subnet_ids[0],
            vpc_security_group_ids=[network.services.id],
            iam_instance_profile=profile.name,
            metadata_options={"http_tokens": "required"},
            user_data=_INSTALL_SIEGE,
            tags={"Name": "ecsworkshop-base-stresstool"},
            # AWS renews the image every few weeks; the host must not be replaced for that.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["ami"]),
        )
        self.register_outputs({"instanceId": self.instance.id})
