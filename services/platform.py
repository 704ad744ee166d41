"""The platform that the services share: network, cluster, Cloud Map namespace, mesh and the gateway into it."""

from collections.abc import Mapping
from typing import Any

import pulumi

from services.aws import appmesh, ecs, servicediscovery
from services.fargate import Placement
from services.gateway import Gateway
from services.load_test_host import LoadTestHost
from services.network import Network
from services.settings import Settings


class Platform(pulumi.ComponentResource):
    """One platform an account and region: its names are fixed."""

    outputs: Mapping[str, Any]

    def __init__(self, name: str, *, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-tracing:services:Platform", name, {}, opts)
        own = pulumi.ResourceOptions(parent=self)
        network = Network(f"{name}-network", opts=own)
        cluster = ecs.Cluster(
            name, name="container-demo", settings=[{"name": "containerInsights", "value": "enabled"}], opts=own
        )
        namespace = servicediscovery.PrivateDnsNamespace(
            f"{name}-namespace", name="service.local", vpc=network.vpc_id, opts=own
        )
        mesh = appmesh.Mesh(f"{name}-mesh", name="ecs-mesh", opts=own)
        gateway = Gateway(
            f"{name}-gateway",
            mesh=mesh,
            network=network,
            placement=Placement(
                cluster_arn=cluster.arn,
                cluster_name=cluster.name,
                subnet_ids=network.private_subnet_ids,
                security_group_id=network.gateway.id,
                namespace_id=namespace.id,
            ),
            settings=settings,
            opts=own,
        )
        self.outputs = {
            "clusterName": cluster.name,
            "serviceName": gateway.service.name,
            "taskDefinitionArn": gateway.task.definition.arn,
            "taskRoleName": gateway.task.role.name,
            "tracing": settings.tracing,
            "samplingRate": settings.sampling_rate,
            "clusterArn": cluster.arn,
            "vpcId": network.vpc_id,
            "privateSubnetIds": network.private_subnet_ids,
            "publicSubnetIds": network.public_subnet_ids,
            "securityGroupId": network.services.id,
            "namespaceId": namespace.id,
            "namespaceName": namespace.name,
            "meshName": mesh.name,
            "meshArn": mesh.arn,
            "virtualGatewayName": gateway.virtual_gateway.name,
            "virtualGatewayArn": gateway.virtual_gateway.arn,
            "gatewayDns": gateway.dns,
            "logGroupName": gateway.task.logs.name,
        }
        if settings.load_test_host:
            host = LoadTestHost(f"{name}-load-test-host", network=network, opts=own)
            self.outputs["loadTestHostId"] = host.instance.id
        self.register_outputs(dict(self.outputs))


def build(_environment: str, settings: Settings) -> Platform:
    """Everything in the platform stack."""
    return Platform("platform", settings=settings)
