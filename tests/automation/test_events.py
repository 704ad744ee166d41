"""Engine events, in the JSON form that the CLI writes, folded into a stack's progress."""

from typing import Any

from pulumi.automation.events import EngineEvent

from automation.events import Progress, summarise
from automation.forecast import short_type

STACK = "urn:pulumi:local-crystal::ecs-tracing::"


def step(kind: str, op: str, token: str, name: str, **metadata: Any) -> dict[str, Any]:
    urn = f"{STACK}{token}::{name}"
    return {kind: {"metadata": {"op": op, "urn": urn, "type": token, "provider": "", **metadata}}}


def observed(*events: dict[str, Any]) -> Progress:
    progress = Progress()
    for number, event in enumerate(events):
        progress.observe(EngineEvent.from_json({"sequence": number, "timestamp": 0, **event}))
    return progress


TASK = "aws:ecs/taskDefinition:TaskDefinition"


def test_a_replacement_counts_once() -> None:
    """Pulumi tells a replacement as three steps; people think of one."""
    progress = observed(
        step("resourcePreEvent", "create-replacement", TASK, "crystal"),
        step("resOutputsEvent", "create-replacement", TASK, "crystal"),
        step(
            "resourcePreEvent",
            "replace",
            TASK,
            "crystal",
            detailedDiff={"containerDefinitions": {"diffKind": "update-replace"}},
        ),
        step("resOutputsEvent", "replace", TASK, "crystal"),
        step("resourcePreEvent", "delete-replaced", TASK, "crystal"),
        step("resOutputsEvent", "delete-replaced", TASK, "crystal"),
    )
    assert [(c.op, c.name, c.properties) for c in progress.changes.values()] == [
        ("replace", "crystal", ("containerDefinitions",))
    ]
    assert dict(progress.applied) == {"replace": 1}
    assert (progress.steps, progress.done) == (1, 1)


def test_a_refresh_tells_what_it_found_only_at_the_end() -> None:
    """Looking at a resource is no change; what the look found is the drift."""
    token = "aws:cloudwatch/logGroup:LogGroup"
    progress = observed(
        step("resourcePreEvent", "refresh", token, "logs"),
        step("resOutputsEvent", "update", token, "logs", detailedDiff={"retentionInDays": {"diffKind": "update"}}),
        step("resourcePreEvent", "refresh", token, "same"),
        step("resOutputsEvent", "same", token, "same"),
    )
    assert [(c.op, c.name, c.properties) for c in progress.changes.values()] == [
        ("update", "logs", ("retentionInDays",))
    ]


def test_what_stays_the_same_is_progress_but_no_change() -> None:
    """The board counts it as done; the plan does not list it."""
    progress = observed(
        step("resourcePreEvent", "same", "aws:iam/role:Role", "crystal-task"),
        step("resOutputsEvent", "same", "aws:iam/role:Role", "crystal-task"),
    )
    assert (progress.done, progress.changes, dict(progress.applied)) == (1, {}, {})


def test_the_stack_itself_is_never_a_change_and_brings_the_outputs() -> None:
    """Creating the stack's own resource is not something a user deployed."""
    new = {
        "type": "pulumi:pulumi:Stack",
        "urn": "",
        "id": "",
        "parent": "",
        "provider": "",
        "outputs": {"tracing": True},
    }
    progress = observed(
        step("resourcePreEvent", "create", "pulumi:pulumi:Stack", "ecs-tracing-local-crystal"),
        step("resOutputsEvent", "create", "pulumi:pulumi:Stack", "ecs-tracing-local-crystal", new=new),
    )
    assert (progress.changes, dict(progress.applied), progress.outputs) == ({}, {}, {"tracing": True})


def test_an_error_keeps_its_resource_and_loses_its_colour_marks() -> None:
    """Diagnostics are shown as text: `<resource>: <message>`, each once."""
    event = {
        "diagnosticEvent": {
            "severity": "error",
            "message": "<{%reset%}>creating ECS Service: AccessDenied<{%reset%}>\n",
            "color": "raw",
            "urn": f"{STACK}aws:ecs/service:Service::crystal",
        }
    }
    assert observed(event, event).errors == ["crystal: creating ECS Service: AccessDenied"]


def test_changes_are_counted_in_words() -> None:
    """The short form in the board and the summary."""
    assert summarise({"update": 1, "create": 12}) == "create 12, update 1"
    assert summarise({}) == "no changes"


def test_types_are_shown_as_module_and_kind() -> None:
    """`aws:ecs/service:Service` is noise; `ecs.Service` is what people say."""
    assert short_type(TASK) == "ecs.TaskDefinition"
    assert short_type("awsx:ec2:Vpc") == "awsx.Vpc"
    assert short_type("ecs-tracing:services:Crystal") == "services.Crystal"
