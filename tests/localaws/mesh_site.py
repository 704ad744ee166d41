"""A mesh in an account of its own, without a server, and what one of its Envoys is told."""

import uuid
from typing import Any

from moto.servicediscovery.models import servicediscovery_backends

from envoymesh import Endpoint, Proxy
from localaws.appmesh.models import MeshBackend
from localaws.tasks import envoy_image, meshview
from localaws.tasks.meshview import Seat

REGION = "us-east-1"
SEAT = Seat(address="127.0.1.9")


class Mesh:
    """A mesh in an account of the test's own; what is at 10.0.0.N:P runs at 127.0.1.N:P, unless N is above 99."""

    def __init__(self) -> None:
        account = f"{uuid.uuid4().int % 10**12:012}"
        self.backend = MeshBackend(REGION, account)
        self.cloud_map = servicediscovery_backends[account][REGION]
        self.namespaces: dict[str, str] = {}
        self.services: dict[tuple[str, str], str] = {}
        self.call("CreateMesh")

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        return self.backend.call(operation, {"meshName": "mesh", **given})

    def node(self, name: str, *ports: int, protocol: str = "http", backends: tuple[str, ...] = (), **more: Any) -> None:
        """A virtual node that hears HTTP at some ports, whose tasks are in Cloud Map under its own name."""
        listener = more.pop("listener", {})
        listeners = [{"portMapping": {"port": port, "protocol": protocol}, **listener} for port in ports]
        spec = {
            "listeners": listeners,
            "serviceDiscovery": {"awsCloudMap": {"namespaceName": "local", "serviceName": name}},
            "backends": [{"virtualService": {"virtualServiceName": each}} for each in backends],
            **more,
        }
        self.call("CreateVirtualNode", virtualNodeName=name, spec=spec)

    def service(self, name: str, kind: str = "virtualNode", provider: str = "") -> None:
        named = {f"{kind}Name": provider or name.partition(".")[0]}
        self.call("CreateVirtualService", virtualServiceName=name, spec={"provider": {kind: named}})

    def router(self, name: str, **routes: dict[str, Any]) -> None:
        """A virtual router; each route by its name, as (priority, match, weights by node)."""
        listeners = [{"portMapping": {"port": 3000, "protocol": "http"}}]
        self.call("CreateVirtualRouter", virtualRouterName=name, spec={"listeners": listeners})
        for route, spec in routes.items():
            self.call("CreateRoute", virtualRouterName=name, routeName=route, spec=spec)

    def gateway(self, *ports: int, **routes: tuple[dict[str, Any], str]) -> None:
        """The virtual gateway `door`; each route by its name, as a match and the virtual service behind it."""
        listeners = [{"portMapping": {"port": port, "protocol": "http"}} for port in ports]
        self.call("CreateVirtualGateway", virtualGatewayName="door", spec={"listeners": listeners})
        for name, (match, service) in routes.items():
            target = {"virtualService": {"virtualServiceName": service}}
            spec = {"httpRoute": {"match": match, "action": {"target": target}}}
            self.call("CreateGatewayRoute", virtualGatewayName="door", gatewayRouteName=name, spec=spec)

    def announce(self, service: str, number: int, namespace: str = "local", **attributes: str) -> str:
        """Announce a task at 10.0.0.`number` to Cloud Map; return the service's id there."""
        if namespace not in self.namespaces:
            self.cloud_map.create_private_dns_namespace(namespace, "", "", f"vpc-{namespace}", [], {})
            found = {each.name: each.id for each in self.cloud_map.namespaces.values()}
            self.namespaces[namespace] = found[namespace]
        key = (namespace, service)
        if key not in self.services:
            made = self.cloud_map.create_service(service, self.namespaces[namespace], "", "", {}, {}, {}, [], "")
            self.services[key] = made.id
        told = {"AWS_INSTANCE_IPV4": f"10.0.0.{number}", **attributes}
        self.cloud_map.register_instance(self.services[key], f"task-{number}", "", told)
        return self.services[key]

    def seen_by(self, resource: str, seat: Seat = SEAT, **variables: str) -> Proxy:
        """What the Envoy of a resource, such as virtualNode/frontend, is to do."""
        found = self.told(f"mesh/mesh/{resource}", seat, **variables)
        assert found is not None
        return found

    def told(self, arn: str, seat: Seat = SEAT, **variables: str) -> Proxy | None:
        settings = envoy_image.read({"APPMESH_RESOURCE_ARN": arn, **variables})
        return meshview.proxy(self.backend, settings, seat, _locate)


def _locate(private: str, port: int) -> Endpoint | None:
    number = int(private.rpartition(".")[2])
    return Endpoint(address=f"127.0.1.{number}", port=port) if number < 100 else None
