"""The second part of the program: Cloud Map and App Mesh."""

from typing import Any

from pulumi_aws import appmesh, ec2, servicediscovery

from tests.engine.provider_variant import Adoption, Variant


def mesh_of(v: Variant, network: ec2.Vpc, adopt: Adoption) -> servicediscovery.Service:
    """Make a mesh with one of each kind, and the Cloud Map service that finds its tasks."""
    tags = v.tags
    namespace = servicediscovery.PrivateDnsNamespace(
        "namespace",
        name=f"{v.names}.local",
        vpc=network.id,
        description=v.description,
        tags=tags,
        opts=adopt.options("namespace"),
    )
    registry = servicediscovery.Service(
        "registry",
        name="crystal",
        dns_config={"namespace_id": namespace.id, "dns_records": [{"ttl": v.ttl, "type": "A"}]},
        health_check_custom_config={"failure_threshold": 1},
        tags=tags,
        opts=adopt.options("registry"),
    )

    mesh = appmesh.Mesh(
        "mesh",
        name=f"mesh-{v.names}",
        spec={"egress_filter": {"type": v.egress}},
        tags=tags,
        opts=adopt.options("mesh"),
    )
    listener: Any = {"port_mapping": {"port": v.port, "protocol": "http"}}
    entry = appmesh.VirtualGateway(
        "entry",
        name="entry",
        mesh_name=mesh.name,
        spec={"listeners": [listener]},
        tags=tags,
        opts=adopt.options("entry"),
    )
    node_spec: Any = {
        "listeners": [listener],
        "service_discovery": {"aws_cloud_map": {"namespace_name": namespace.name, "service_name": registry.name}},
        "logging": {"access_log": {"file": {"path": v.log_path}}},
    }
    node = appmesh.VirtualNode(
        "node",
        name="node",
        mesh_name=mesh.name,
        spec=node_spec,
        tags=tags,
        opts=adopt.options("node"),
    )
    router = appmesh.VirtualRouter(
        "router",
        name="router",
        mesh_name=mesh.name,
        spec={"listeners": [listener]},
        tags=tags,
        opts=adopt.options("router"),
    )
    appmesh.Route(
        "route",
        name="route",
        mesh_name=mesh.name,
        virtual_router_name=router.name,
        spec={
            "http_route": {
                "match": {"prefix": "/"},
                "action": {"weighted_targets": [{"virtual_node": node.name, "weight": v.weight}]},
            }
        },
        tags=tags,
        opts=adopt.options("route"),
    )
    provider: Any = {"virtual_router": {"virtual_router_name": router.name}}
    if v.purpose != "test":
        provider = {"virtual_node": {"virtual_node_name": node.name}}
    virtual = appmesh.VirtualService(
        "virtual",
        name="crystal.service.local",
        mesh_name=mesh.name,
        spec={"provider": provider},
        tags=tags,
        opts=adopt.options("virtual"),
    )
    appmesh.GatewayRoute(
        "way",
        name="way",
        mesh_name=mesh.name,
        virtual_gateway_name=entry.name,
        spec={
            "http_route": {
                "match": {"prefix": "/" if v.weight == 1 else "/crystal"},
                "action": {"target": {"virtual_service": {"virtual_service_name": virtual.name}}},
            }
        },
        tags=tags,
        opts=adopt.options("way"),
    )
    return registry
