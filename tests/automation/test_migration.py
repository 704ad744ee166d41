"""The way from one mesh to the other: which stacks come first, and where an interrupted run goes on."""

import pytest

from automation.migration import WAY, State, phases
from automation.session import GRAPH

APP_MESH, READY, MOVED, OWN = WAY


def way(to: str, **states: State) -> list[tuple[State, list[str]]]:
    """The phases left where services are in those states, all others at the beginning."""
    begun = APP_MESH if to == "envoy" else OWN
    found = phases(to, {service: states.get(service, begun) for service in GRAPH}, "prod")
    return [(phase.state, [step.service for step in phase.steps]) for phase in found]


def test_out_of_app_mesh() -> None:
    """Who is called moves before its callers do; the mesh is deleted when nothing is in it."""
    assert way("envoy") == [
        (READY, ["platform", "crystal", "nodejs", "frontend"]),
        (MOVED, ["crystal", "nodejs"]),
        (MOVED, ["frontend"]),
        (MOVED, ["platform"]),
        (OWN, ["frontend", "nodejs", "crystal", "platform"]),
    ]


def test_into_app_mesh() -> None:
    """The same way back."""
    assert way("appmesh") == [
        (MOVED, ["platform", "crystal", "nodejs", "frontend"]),
        (READY, ["platform"]),
        (READY, ["frontend"]),
        (READY, ["crystal", "nodejs"]),
        (APP_MESH, ["platform", "crystal", "nodejs", "frontend"]),
    ]


def test_an_interrupted_run_goes_on_where_it_was() -> None:
    """No stack goes a step twice, none is sent back."""
    assert way("envoy", platform=READY, crystal=MOVED, nodejs=READY, frontend=READY) == [
        (MOVED, ["nodejs"]),
        (MOVED, ["frontend"]),
        (MOVED, ["platform"]),
        (OWN, ["frontend", "nodejs", "crystal", "platform"]),
    ]
    assert way("envoy", platform=MOVED, crystal=MOVED, nodejs=OWN, frontend=OWN) == [(OWN, ["crystal", "platform"])]


def test_what_ecs_rolled_back_is_done_again_before_anything_else() -> None:
    """Its callers wait, and App Mesh stays: tasks are in it that Pulumi believes to have moved."""
    states = {"platform": READY, "crystal": MOVED, "nodejs": MOVED, "frontend": READY}
    found = phases("envoy", states, "prod", {"crystal"})
    assert [(phase.state, [step.service for step in phase.steps], phase.repeated) for phase in found[:2]] == [
        (MOVED, ["crystal"], True),
        (MOVED, ["frontend"], False),
    ]
    states = dict.fromkeys(GRAPH, MOVED)
    first, *rest = phases("envoy", states, "prod", {"platform"})
    assert (first.state, [step.service for step in first.steps]) == (MOVED, ["platform"])
    assert [phase.state for phase in rest] == [OWN]


@pytest.mark.parametrize(("to", "there"), [("envoy", OWN), ("appmesh", APP_MESH)])
def test_who_is_there_stays(to: str, there: State) -> None:
    """There is no way left."""
    assert way(to, **dict.fromkeys(GRAPH, there)) == []


def test_settings_are_those_of_the_configuration() -> None:
    """As Pulumi's files hold them."""
    assert phases("envoy", dict.fromkeys(GRAPH, MOVED), "prod")[0].settings == {"mesh": "envoy", "bothMeshes": "false"}
