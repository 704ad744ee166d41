"""App Mesh: how requests find a service. A virtual node for its tasks, a virtual service for its name."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from services.aws import appmesh

_EVERYTHING = "/"  # the prefix of every path


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """The way from the gateway to a service: the gateway's route, the virtual router behind it, and its route."""

    gateway_name: pulumi.Input[str]
    gateway_route: str
    router: str
    route: str


def virtual_node(  # noqa: PLR0913 - all but two are keywords
    owner: pulumi.Resource,
    name: str,
    *,
    node: str,
    service_name: str,
    port: int,
    mesh_name: pulumi.Input[str],
    namespace_name: pulumi.Input[str],
    backends: Sequence[pulumi.Input[str]],
) -> appmesh.VirtualNode:
    """The tasks that Cloud Map announces as `service_name`; they may call the virtual services named `backends`."""
    return appmesh.VirtualNode(
        f"{name}-node",
        name=node,
        mesh_name=mesh_name,
        spec={
            "listeners": [{"port_mapping": {"port": port, "protocol": "http"}}],
            "service_discovery": {
                "aws_cloud_map": {"namespace_name": namespace_name, "service_name": service_name},
            },
            "backends": [{"virtual_service": {"virtual_service_name": backend}} for backend in backends],
            "logging": {"access_log": {"file": {"path": "/dev/stdout"}}},
        },
        opts=pulumi.ResourceOptions(parent=owner),
    )


def virtual_service(  # noqa: PLR0913 - all but two are keywords
    owner: pulumi.Resource,
    name: str,
    *,
    service_name: str,
    namespace_name: pulumi.Input[str],
    node: appmesh.VirtualNode,
    port: int,
    entrance: Entrance | None,
) -> appmesh.VirtualService:
    """The name by which others call the service. With an entrance, the gateway leads there."""
    opts = pulumi.ResourceOptions(parent=owner)
    provider: appmesh.VirtualServiceSpecProviderArgsDict
    if entrance:
        provider = {"virtual_router": {"virtual_router_name": _routed(owner, name, node, port, entrance).name}}
    else:
        provider = {"virtual_node": {"virtual_node_name": node.name}}
    service = appmesh.VirtualService(
        f"{name}-virtual-service",
        name=pulumi.Output.concat(service_name, ".", namespace_name),
        mesh_name=node.mesh_name,
        spec={"provider": provider},
        opts=opts,
    )
    if entrance:
        target: appmesh.GatewayRouteSpecHttpRouteActionTargetArgsDict = {
            "virtual_service": {"virtual_service_name": service.name}
        }
        appmesh.GatewayRoute(
            f"{name}-gateway-route",
            name=entrance.gateway_route,
            mesh_name=node.mesh_name,
            virtual_gateway_name=entrance.gateway_name,
            spec={"http_route": {"match": {"prefix": _EVERYTHING}, "action": {"target": target}}},
            opts=opts,
        )
    return service


def _routed(
    owner: pulumi.Resource, name: str, node: appmesh.VirtualNode, port: int, entrance: Entrance
) -> appmesh.VirtualRouter:
    opts = pulumi.ResourceOptions(parent=owner)
    router = appmesh.VirtualRouter(
        f"{name}-router",
        name=entrance.router,
        mesh_name=node.mesh_name,
        spec={"listeners": [{"port_mapping": {"port": port, "protocol": "http"}}]},
        opts=opts,
    )
    target: appmesh.RouteSpecHttpRouteActionWeightedTargetArgsDict = {"virtual_node": node.name, "weight": 1}
    appmesh.Route(
        f"{name}-route",
        name=entrance.route,
        mesh_name=node.mesh_name,
        virtual_router_name=router.name,
        spec={"http_route": {"match": {"prefix": _EVERYTHING}, "action": {"weighted_targets": [target]}}},
        opts=opts,
    )
    return router
