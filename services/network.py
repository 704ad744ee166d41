"""The platform's network: the VPC, and who may talk to whom. No other module has a security group rule."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from services.aws import awsx_ec2, ec2, vpc
from services.containers import MESH_PORT
from services.fleet_model import Platform

ANYWHERE = "0.0.0.0/0"
WEB_PORT = 80  # TCP, at the load balancer


class Network(pulumi.ComponentResource):
    """VPC with a public and a private subnet and a NAT gateway in each of three zones, and the security groups.

    Browsers reach the load balancer on port 80; it alone reaches the gateway's tasks; these, and the services' tasks,
    reach the services' tasks on `ports`. All but the first and the last on port 3000. Names and addresses are `plan`'s.
    """

    vpc_id: pulumi.Output[str]
    public_subnet_ids: pulumi.Output[Sequence[str]]
    private_subnet_ids: pulumi.Output[Sequence[str]]

    def __init__(
        self, name: str, *, plan: Platform, ports: Sequence[int], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecs-tracing:services:Network", name, {}, opts)
        public, private = plan.blocks()
        network = awsx_ec2.Vpc(
            name,
            cidr_block=plan.network,
            number_of_availability_zones=len(public),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            nat_gateways={"strategy": awsx_ec2.NatGatewayStrategy.ONE_PER_AZ},
            # Every strategy by itself lays out zone by zone; public subnets first needs the blocks spelled out.
            subnet_strategy=awsx_ec2.SubnetAllocationStrategy.AUTO,
            subnet_specs=[
                {"type": awsx_ec2.SubnetType.PUBLIC, "cidr_blocks": list(public)},
                {"type": awsx_ec2.SubnetType.PRIVATE, "cidr_blocks": list(private)},
            ],
            tags={"Name": plan.vpc},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.vpc_id = network.vpc_id
        self.public_subnet_ids = network.public_subnet_ids
        self.private_subnet_ids = network.private_subnet_ids

        self.balancer = self._group(f"{name}-balancer", "Load balancer before the mesh gateway")
        self.gateway = self._group(f"{name}-gateway", "Mesh gateway")
        self.services = self._group(f"{name}-services", "FrontendToBackend")
        for rule in (
            _Rule(f"{name}-browsers-to-balancer", None, self.balancer, WEB_PORT),
            _Rule(f"{name}-balancer-to-gateway", self.balancer, self.gateway, MESH_PORT),
        ):
            self._admit(rule)
        for port in ports:
            suffix = "" if port == MESH_PORT else f"-{port}"
            self._admit(_Rule(f"{name}-gateway-to-services{suffix}", self.gateway, self.services, port))
            self._admit(_Rule(f"{name}-services-to-services{suffix}", self.services, self.services, port))
        self.register_outputs({"vpcId": self.vpc_id})

    def _group(self, name: str, description: str) -> ec2.SecurityGroup:
        """A security group that lets everything out."""
        opts = pulumi.ResourceOptions(parent=self)
        group = ec2.SecurityGroup(name, description=description, vpc_id=self.vpc_id, opts=opts)
        vpc.SecurityGroupEgressRule(
            f"{name}-out", security_group_id=group.id, ip_protocol="-1", cidr_ipv4=ANYWHERE, opts=opts
        )
        return group

    def _admit(self, rule: "_Rule") -> None:
        vpc.SecurityGroupIngressRule(
            rule.name,
            security_group_id=rule.to.id,
            ip_protocol="tcp",
            from_port=rule.port,
            to_port=rule.port,
            cidr_ipv4=None if rule.source else ANYWHERE,
            referenced_security_group_id=rule.source.id if rule.source else None,
            opts=pulumi.ResourceOptions(parent=self),
        )


@dataclass(frozen=True)
class _Rule:
    """TCP from one group, or from anywhere, to another."""

    name: str
    source: ec2.SecurityGroup | None
    to: ec2.SecurityGroup
    port: int
