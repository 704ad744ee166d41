"""The rule about tasks that change their mesh."""

from itertools import pairwise

import pytest

from automation.migration import WAY
from checks.moves import mesh_in_one_go
from services import SERVICES
from tests.checks.plans import steps
from tests.services.world import Deployment, deployed

SERVICES_IN_THE_MESH = [name for name, entry in SERVICES.items() if entry.needs]


def at(service: str, state: tuple[str, bool], **config: str) -> Deployment:
    return deployed(service, mesh=state[0], bothMeshes=str(state[1]).lower(), **config)


@pytest.mark.parametrize("way", [WAY, WAY[::-1]], ids=["to envoy", "to appmesh"])
@pytest.mark.parametrize("service", SERVICES_IN_THE_MESH)
def test_from_one_mesh_to_the_other_at_once(service: str, way: list[tuple[str, bool]]) -> None:
    """Names the service, its task definition and the command that does it step by step."""
    (finding,) = mesh_in_one_go(service, steps(at(service, way[0]), at(service, way[-1])))
    assert (finding.rule, finding.service, finding.resource) == ("mesh-in-one-go", service, f"{service}-task")
    assert "python automation/migrate.py" in finding.fix


@pytest.mark.parametrize("way", [WAY, WAY[::-1]], ids=["to envoy", "to appmesh"])
@pytest.mark.parametrize("service", list(SERVICES))
def test_step_by_step(service: str, way: list[tuple[str, bool]]) -> None:
    """Nothing is to be said; nor of the tracing flag, nor of what is deployed for the first time."""
    for before, after in pairwise(way):
        assert list(mesh_in_one_go(service, steps(at(service, before), at(service, after)))) == []
        flag = steps(at(service, before), at(service, before, tracing="true"))
        assert list(mesh_in_one_go(service, flag)) == []
    new = steps(Deployment(resources=(), outputs={}), at(service, way[0]))
    assert list(mesh_in_one_go(service, new)) == []
