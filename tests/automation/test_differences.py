"""The properties that differ, as an engine event tells them."""

from typing import Any

import pytest
from pulumi.automation.events import StepEventMetadata

from automation.differences import differences
from automation.forecast import SECRET, Difference, Unknown

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def event(
    before: dict[str, Any] | None, after: dict[str, Any] | None, diff: dict[str, dict[str, Any]], **more: Any
) -> Any:
    """A step as the engine's JSON has it."""
    state = {"type": "aws:ecs/service:Service", "urn": "urn:pulumi:s::p::t::n", "id": "i", "parent": "", "provider": ""}
    return StepEventMetadata.from_json(
        {
            "op": "update",
            "urn": state["urn"],
            "type": state["type"],
            "provider": "",
            "old": None if before is None else {**state, "inputs": before, "outputs": more.pop("outputs", before)},
            "new": None if after is None else {**state, "inputs": after, "outputs": {}},
            "detailedDiff": diff,
            **more,
        }
    )


def test_each_property_with_its_values() -> None:
    """Added, changed and taken away, at any depth, sorted by path."""
    before = {"desiredCount": 1, "tags": {"a.b": "old"}, "networks": [{"id": "x"}]}
    after = {"desiredCount": 2, "networks": [{"id": "x"}, {"id": "y"}]}
    diff = {
        "desiredCount": {"diffKind": "update", "inputDiff": True},
        'tags["a.b"]': {"diffKind": "delete", "inputDiff": True},
        "networks[1].id": {"diffKind": "add", "inputDiff": True},
    }

    assert differences(event(before, after, diff)) == (
        Difference(path="desiredCount", kind="update", before=1, after=2),
        Difference(path="networks[1].id", kind="add", before=None, after="y"),
        Difference(path='tags["a.b"]', kind="delete", before="old", after=None),
    )


def test_the_property_that_forces_a_replacement_is_marked() -> None:
    """By its kind of difference, or by being one of the event's keys."""
    (by_kind,) = differences(event({"family": "a"}, {"family": "b"}, {"family": {"diffKind": "update-replace"}}))
    (by_key,) = differences(event({"f": "a"}, {"f": "b"}, {"f": {"diffKind": "update"}}, keys=["f"]))

    assert (by_kind.kind, by_kind.replaces) == ("update", True)
    assert by_key.replaces


def test_what_is_not_known_yet_and_what_is_secret_are_neither_invented_nor_shown() -> None:
    """Both have a value of their own, however deep they stand."""
    after = {"task": UNKNOWN_TEXT, "env": [{"value": "[secret]"}]}
    diff = {"task": {"diffKind": "update"}, "env": {"diffKind": "update"}}
    env, task = differences(event({"task": "arn:1", "env": []}, after, diff))

    assert (task.before, task.after) == ("arn:1", Unknown())
    assert env.after == [{"value": SECRET}]


def test_drift_is_told_against_what_aws_has() -> None:
    """A difference that is not one of the inputs has the value of the old outputs."""
    diff = {"desiredCount": {"diffKind": "update", "inputDiff": False}}
    (found,) = differences(event({"desiredCount": 1}, {"desiredCount": 1}, diff, outputs={"desiredCount": 5}))

    assert (found.before, found.after) == (5, 1)


@pytest.mark.parametrize(("before", "after"), [(None, {"a": 1}), ({"a": 1}, None)])
def test_what_comes_or_goes_as_a_whole_has_no_differences(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    """Creation and deletion say enough."""
    assert differences(event(before, after, {})) == ()
