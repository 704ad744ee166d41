"""The way into the mesh: a gateway, run by Envoy tasks behind a network load balancer."""

import pulumi

from services import own_mesh
from services.aws import appmesh, lb
from services.containers import ENVOY_NAME, MESH_PORT, Envoy
from services.fargate import Balanced, Placement, run_on_fargate
from services.fleet_model import Platform
from services.network import WEB_PORT, Network
from services.settings import Settings
from services.task import AppMeshSeat, Seat, TaskPlan, register_task

GRACE_PERIOD = 60  # seconds

_ENVOY = Envoy(log_level="info", log_prefix="/mesh-gateway", reservation=256, is_gateway=True)


class Gateway(pulumi.ComponentResource):
    """The ECS service and task of the gateway, and the load balancer's public `dns` name.

    In App Mesh also its `virtual_gateway`; in a mesh of our own it leads to the service named `entrance`, if any.
    """

    def __init__(  # noqa: PLR0913 - all but one are keywords
        self,
        name: str,
        *,
        plan: Platform,
        mesh: appmesh.Mesh | None,
        entrance: pulumi.Input[str] | None,
        network: Network,
        placement: Placement,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ecs-tracing:services:Gateway", name, {}, opts)
        self.virtual_gateway = self._in_app_mesh(name, mesh, plan) if mesh else None
        seat: Seat
        if self.virtual_gateway and settings.mesh == "appmesh":
            seat = AppMeshSeat(arn=self.virtual_gateway.arn)
        else:
            kept = self.virtual_gateway.arn if self.virtual_gateway else None
            seat = own_mesh.gateway(entrance, settings, kept, mesh_name=plan.mesh, name=plan.gateway)
        self.task = register_task(
            self, name, TaskPlan(family=plan.gateway_family, envoy=_ENVOY), seat=seat, settings=settings
        )
        self.dns, balanced = self._balance(name, network)
        self.service = run_on_fargate(
            self, name, service_name=plan.gateway_service, task=self.task, placement=placement, balanced=balanced
        )
        self.register_outputs({"dns": self.dns})

    def _in_app_mesh(self, name: str, mesh: appmesh.Mesh, plan: Platform) -> appmesh.VirtualGateway:
        return appmesh.VirtualGateway(
            f"{name}-virtual-gateway",
            name=plan.gateway,
            mesh_name=mesh.name,
            spec={"listeners": [{"port_mapping": {"port": MESH_PORT, "protocol": "http"}}]},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _balance(self, name: str, network: Network) -> tuple[pulumi.Output[str], Balanced]:
        opts = pulumi.ResourceOptions(parent=self)
        balancer = lb.LoadBalancer(
            f"{name}-nlb",  # short: AWS allows 32 characters, random suffix included
            load_balancer_type="network",
            internal=False,
            enable_deletion_protection=False,
            subnets=network.public_subnet_ids,
            security_groups=[network.balancer.id],
            opts=opts,
        )
        group = lb.TargetGroup(
            f"{name}-targets", protocol="TCP", port=WEB_PORT, target_type="ip", vpc_id=network.vpc_id, opts=opts
        )
        listener = lb.Listener(
            f"{name}-listener",
            load_balancer_arn=balancer.arn,
            protocol="TCP",
            port=WEB_PORT,
            default_actions=[{"type": "forward", "target_group_arn": group.arn}],
            opts=opts,
        )
        balanced = Balanced(
            target_group_arn=group.arn,
            container=ENVOY_NAME,
            port=MESH_PORT,
            grace_period=GRACE_PERIOD,
            listener=listener,
        )
        return balancer.dns_name, balanced
