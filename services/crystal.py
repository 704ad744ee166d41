"""The crystal backend: answers ``/crystal`` with a greeting and the zone it runs in."""

from services import images
from services.mesh_service import MeshService, Workload
from services.neighbours import Neighbour
from services.settings import Settings


class Crystal(MeshService):
    """The service behind the frontend's amber line."""


def build(environment: str, settings: Settings) -> Crystal:
    """Everything in the crystal stack."""
    workload = Workload(
        node="crystal",
        service_name="ecsdemo-crystal",
        family="ecsworkshopcrystalTaskDefAEA199B7",
        image=images.CRYSTAL,
        envoy_log_level="debug",
    )
    return Crystal("crystal", workload=workload, platform=Neighbour(environment, "platform"), settings=settings)
