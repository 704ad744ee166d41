"""The crystal backend: answers `/crystal`."""

from services import images
from services.mesh_service import MeshService

CRYSTAL = MeshService(
    name="crystal",
    image=images.demo_app("crystal"),
    family="ecsworkshopcrystalTaskDefAEA199B7",
    envoy_log_level="debug",
)
