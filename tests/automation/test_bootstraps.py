"""Bootstraps in a plan, held against the real Envoy before they are deployed."""

import json
from typing import Any

from automation.bootstraps import refusals
from automation.forecast import Resource, Unknown
from services import SERVICES
from tests.services.world import deployed

TASK = "aws:ecs/taskDefinition:TaskDefinition"


def planned(definitions: Any) -> Resource:
    return Resource(type=TASK, name="shop-task", inputs={"containerDefinitions": definitions})


def test_our_own_bootstraps_are_taken() -> None:
    """Those of a mesh of our own; App Mesh's Envoys have none."""
    for mesh in ("envoy", "appmesh"):
        made = [each for service in SERVICES for each in deployed(service, mesh=mesh, tracing="true").all(TASK)]
        assert len(made) == len(SERVICES)
        assert refusals(planned(each.inputs["containerDefinitions"]) for each in made) == []


def test_one_that_envoy_refuses_is_told_in_its_words() -> None:
    """With whose it is."""
    bad = {"node": {"id": "shop", "cluster": "shop"}, "static_resources": {"listeners": [{"name": "nowhere"}]}}
    container = {"name": "envoy", "command": ["envoy", "--config-yaml", json.dumps(bad)]}
    (told,) = refusals([planned(json.dumps([container]))])
    assert told.startswith("shop: ")
    assert "nowhere" in told


def test_what_is_not_known_yet_is_left_out() -> None:
    """Nothing is guessed."""
    assert refusals([planned(Unknown())]) == []
