"""The platform that the services share: network, cluster, Cloud Map namespace, mesh and the gateway into it."""

from collections.abc import Mapping
from typing import Any

import pulumi

from services import fleet_model
from services.aws import appmesh, ecs, servicediscovery
from services.containers import INGRESS_PORT
from services.fargate import Placement
from services.gateway import Gateway
from services.load_test_host import LoadTestHost
from services.network import Network
from services.settings import Settings

DEMO = fleet_model.Platform(entrance="ecsdemo-frontend")


class Platform(pulumi.ComponentResource):
    """One platform of its name an account and region: what it is called there is fixed by it."""

    outputs: Mapping[str, Any]

    def __init__(
        self, plan: fleet_model.Platform, *, settings: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        name = plan.name
        super().__init__("ecs-tracing:services:Platform", name, {}, opts)
        own = pulumi.ResourceOptions(parent=self)
        network = Network(f"{name}-network", plan=plan, ports=_ports(plan, settings), opts=own)
        cluster = ecs.Cluster(
            name, name=plan.cluster, settings=[{"name": "containerInsights", "value": "enabled"}], opts=own
        )
        namespace = servicediscovery.PrivateDnsNamespace(
            f"{name}-namespace", name=plan.namespace, vpc=network.vpc_id, opts=own
        )
        mesh = appmesh.Mesh(f"{name}-mesh", name=plan.mesh, opts=own) if settings.has_app_mesh else None
        gateway = Gateway(
            f"{name}-gateway",
            plan=plan,
            mesh=mesh,
            entrance=pulumi.Output.concat(plan.entrance, ".", namespace.name) if plan.entrance else None,
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
            "mesh": settings.mesh,
            "bothMeshes": settings.both_meshes,
            "samplingRate": settings.sampling_rate,
            "clusterArn": cluster.arn,
            "vpcId": network.vpc_id,
            "privateSubnetIds": network.private_subnet_ids,
            "publicSubnetIds": network.public_subnet_ids,
            "securityGroupId": network.services.id,
            "namespaceId": namespace.id,
            "namespaceName": namespace.name,
            "meshName": mesh.name if mesh else plan.mesh,
            **({"meshArn": mesh.arn} if mesh else {}),
            **_gateway_names(plan, gateway.virtual_gateway),
            "gatewayDns": gateway.dns,
            "logGroupName": gateway.task.logs.name,
        }
        if settings.load_test_host:
            host = LoadTestHost(f"{name}-load-test-host", network=network, opts=own)
            self.outputs["loadTestHostId"] = host.instance.id
        self.register_outputs(dict(self.outputs))


def _ports(plan: fleet_model.Platform, settings: Settings) -> tuple[int, ...]:
    """Where the services' tasks are called: App Mesh redirects what is for the application into its Envoy."""
    in_app_mesh = tuple(plan.ports) if settings.has_app_mesh else ()
    return (*in_app_mesh, INGRESS_PORT) if settings.has_own_mesh else in_app_mesh


def _gateway_names(
    plan: fleet_model.Platform, gateway: appmesh.VirtualGateway | None
) -> Mapping[str, pulumi.Input[str]]:
    if gateway is None:
        return {"virtualGatewayName": plan.gateway}
    return {"virtualGatewayName": gateway.name, "virtualGatewayArn": gateway.arn}


def build(_environment: str, settings: Settings, plan: fleet_model.Platform = DEMO) -> Platform:
    """Everything in the platform stack."""
    return Platform(plan, settings=settings)
