"""The frontend: the page that calls both backends, and the only service that the gateway routes to."""

from services import images
from services.mesh_service import MeshService

FRONTEND = MeshService(
    name="frontend",
    image=images.demo_app("frontend"),
    family="ecsworkshopfrontendFrontEndTaskDef54183660",
    envoy_log_level="critical",
    backends=("crystal", "nodejs"),
    environment=(
        ("CRYSTAL_URL", "http://ecsdemo-crystal.service.local:3000/crystal"),
        ("NODEJS_URL", "http://ecsdemo-nodejs.service.local:3000"),
    ),
    route_from_gateway="frontend-router",
    router="FrontEnd",
)
