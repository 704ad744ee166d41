"""The Node.js backend: answers `/`."""

from services import images
from services.mesh_service import MeshService

NODEJS = MeshService(
    name="nodejs",
    image=images.demo_app("nodejs"),
    family="ecsworkshopnodejsTaskDef2754560E",
    envoy_log_level="trace",
)
