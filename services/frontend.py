"""The frontend: a page made of its own line and one from each backend. The gateway leads here."""

from pulumi import ResourceOptions

from services import images
from services.fargate import Scaling
from services.mesh_service import Backend, MeshService, Workload
from services.neighbours import Neighbour
from services.routing import Entrance
from services.settings import Settings

SCALING = Scaling(least=3, most=10, cpu_target=50)


class Frontend(MeshService):
    """The service that browsers see."""


def build(environment: str, settings: Settings) -> Frontend:
    """Everything in the frontend stack."""
    platform, crystal, nodejs = (Neighbour(environment, service) for service in ("platform", "crystal", "nodejs"))
    crystal_host, nodejs_host = (backend.output("virtualServiceName") for backend in (crystal, nodejs))
    workload = Workload(
        node="frontend",
        service_name="ecsdemo-frontend",
        family="ecsworkshopfrontendFrontEndTaskDef54183660",
        image=images.FRONTEND,
        envoy_log_level="critical",
        backends=(
            Backend(host=crystal_host, variable="CRYSTAL_URL", path="/crystal"),
            Backend(host=nodejs_host, variable="NODEJS_URL"),
        ),
        entrance=Entrance(
            gateway_name=platform.output("virtualGatewayName"),
            gateway_route="frontend-router",
            router="FrontEnd",
            route="MeshFrontEndVRRoute",
        ),
        scaling=SCALING if settings.autoscaling else None,
    )
    after_backends = ResourceOptions(depends_on=[crystal.deployed, nodejs.deployed])
    return Frontend("frontend", workload=workload, platform=platform, settings=settings, opts=after_backends)
