"""Pulumi's state, from which one kind of resource is taken out."""

from typing import Any

from automation.state import without


def resource(name: str, token: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:prod-shop::ecs-tracing::{token}::{name}", "type": token, **more}


NODE = resource("node", "aws:appmesh/virtualNode:VirtualNode")
ROLE = resource("role", "aws:iam/role:Role")


def test_a_kind_is_forgotten_with_all_that_refers_to_it() -> None:
    """What hung on it does not any more, or Pulumi would refuse the state; the rest is as it was."""
    both = [NODE["urn"], ROLE["urn"]]
    task = resource("task", "aws:ecs/taskDefinition:TaskDefinition", dependencies=both)
    policy = resource("join", "aws:iam/rolePolicy:RolePolicy", propertyDependencies={"policy": both, "role": None})
    deployment = {
        "resources": [NODE, ROLE, task, policy],
        "pending_operations": [{"type": "deleting", "resource": each} for each in (NODE, ROLE)],
    }

    assert without("aws:appmesh/", deployment) == 1
    assert [each["type"] for each in deployment["resources"]] == [each["type"] for each in (ROLE, task, policy)]
    assert task["dependencies"] == [ROLE["urn"]]
    assert policy["propertyDependencies"] == {"policy": [ROLE["urn"]], "role": []}
    assert deployment["pending_operations"] == [{"type": "deleting", "resource": ROLE}]


def test_where_there_is_none_nothing_is_forgotten() -> None:
    """Also in a stack that holds nothing."""
    assert without("aws:appmesh/", {"resources": [ROLE]}) == 0
    assert without("aws:appmesh/", {}) == 0
