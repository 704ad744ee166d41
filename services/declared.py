"""The services that a fleet declares: one component type for all of them."""

import pulumi
from pulumi import ResourceOptions

from services.fargate import Scaling
from services.fleet_model import Platform, Service
from services.mesh_service import Backend, MeshService, Workload
from services.neighbours import Neighbour
from services.routing import Entrance
from services.settings import Settings

SCALING = Scaling(least=3, most=10, cpu_target=50)  # of an entrance, with autoscaling


class Declared(MeshService):
    """A service of ``fleet.yaml``."""


def build(service: Service, environment: str, settings: Settings) -> Declared:
    """Everything in its stack."""
    platform = Neighbour(environment, service.platform)
    backends = {call.service: Neighbour(environment, call.service) for call in service.calls}
    workload = Workload(
        node=service.name,
        service_name=service.name,
        family=service.name,
        image=service.image,
        variables=service.environment,
        health_path=service.health_path,
        port=service.port,
        backends=[
            Backend(
                host=backends[call.service].output("virtualServiceName"),
                variable=call.variable,
                path=call.path,
                port=call.port,
            )
            for call in service.calls
        ],
        entrance=_entrance(service.name, platform.output("virtualGatewayName")) if service.entrance else None,
        scaling=SCALING if service.entrance and settings.autoscaling else None,
        cpu=service.cpu,
        memory=service.memory,
    )
    after_backends = ResourceOptions(depends_on=[backend.deployed for backend in backends.values()])
    return Declared(
        service.name,
        workload=workload,
        platform=platform,
        mesh_name=Platform(name=service.platform).mesh,
        settings=settings,
        opts=after_backends,
    )


def _entrance(name: str, gateway: pulumi.Input[str]) -> Entrance:
    return Entrance(gateway_name=gateway, gateway_route=name, router=name, route=name)
