"""The nodejs backend: answers ``/`` with a greeting and the zone it runs in."""

from services import images
from services.mesh_service import MeshService, Workload
from services.neighbours import Neighbour
from services.settings import Settings


class Nodejs(MeshService):
    """The service behind the frontend's green line."""


def build(environment: str, settings: Settings) -> Nodejs:
    """Everything in the nodejs stack."""
    workload = Workload(
        node="nodejs",
        service_name="ecsdemo-nodejs",
        family="ecsworkshopnodejsTaskDef2754560E",
        image=images.NODEJS,
        envoy_log_level="trace",
    )
    return Nodejs("nodejs", workload=workload, platform=Neighbour(environment, "platform"), settings=settings)
