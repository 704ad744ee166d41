"""From an engine's plan to the forecast of a stack: what hangs on which other stack."""

from automation.engine import Update
from automation.events import Progress
from automation.forecast import Change, Difference, Resource, Unknown
from automation.foresee import stack_forecast
from automation.steps import Step

STEP = Step(service="frontend", stack="prod-frontend", needs=("platform", "crystal"))
OWN = "urn:pulumi:prod-frontend::ecs-tracing::aws:ecs/taskDefinition:TaskDefinition::frontend-task"
SERVICE = "urn:pulumi:prod-frontend::ecs-tracing::aws:ecs/service:Service::frontend"


def reference(service: str) -> str:
    return f"urn:pulumi:prod-frontend::ecs-tracing::pulumi:pulumi:StackReference::{service}"


def update() -> Update:
    """An ECS service whose subnets and task definition are not known yet."""
    differences = tuple(
        Difference(path=path, kind="update", before="old", after=Unknown())
        for path in ("networkConfiguration.subnets", "taskDefinition")
    )
    change = Change(op="update", type="aws:ecs/service:Service", name="frontend", differences=differences)
    inputs = {"networkConfiguration": {"subnets": Unknown()}, "taskDefinition": Unknown(), "cluster": "demo"}
    resource = Resource(type="aws:ecs/service:Service", name="frontend", inputs=inputs)
    return Update(
        progress=Progress(changes={SERVICE: change}, resources={SERVICE: resource}),
        dependencies={
            SERVICE: {
                "networkConfiguration": [reference("platform"), reference("crystal")],
                "taskDefinition": [OWN],
                "cluster": [reference("platform")],
            }
        },
    )


def test_what_another_stack_does_not_know_yet_is_known_after_it() -> None:
    """And what is the stack's own, after the deployment."""
    found = stack_forecast(STEP, update(), foreseen=["platform", "crystal"])
    told = {each.path: str(each.after) for each in found.changes[0].differences}
    assert told == {
        "networkConfiguration.subnets": "known after prod-crystal and prod-platform",
        "taskDefinition": "known after the deployment",
    }
    assert str(found.resources[0].inputs["networkConfiguration"]["subnets"]).startswith("known after prod-crystal")
    assert found.waits_for == ["prod-crystal", "prod-platform"]


def test_a_stack_that_stays_as_it_is_is_not_waited_for() -> None:
    """It was not foreseen, but read: a reference to it is no reason to wait."""
    assert stack_forecast(STEP, update(), foreseen=["crystal"]).waits_for == ["prod-crystal"]
    assert stack_forecast(STEP, update(), foreseen=[]).waits_for == []
