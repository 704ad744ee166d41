"""What is asked of AWS to examine services: few calls for many of them, and each task counted for its own service."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from automation.verify import FEW_SERVICES, Aws, Target

CLUSTER = "container-demo"


class Ecs:
    """An ECS with one task a service, and one of a service that is none of ours."""

    def __init__(self, services: Sequence[str]) -> None:
        self.tasks = {f"arn:task/{name}": f"service:{name}" for name in [*services, "somebody-elses"]}
        self.listed: list[str | None] = []

    def get_paginator(self, operation: str) -> "Ecs":
        assert operation == "list_tasks"
        return self

    def paginate(self, *, cluster: str, serviceName: str | None = None, **_given: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - AWS's name
        assert cluster == CLUSTER
        self.listed.append(serviceName)
        yield {"taskArns": [arn for arn, group in self.tasks.items() if serviceName in (None, group[8:])]}

    def describe_tasks(self, *, cluster: str, tasks: Sequence[str]) -> dict[str, Any]:
        assert cluster == CLUSTER
        assert len(tasks) <= 100
        return {"tasks": [{"taskArn": arn, "group": self.tasks[arn]} for arn in tasks]}


def targets(count: int) -> list[Target]:
    return [
        Target(
            service=f"web-{number}",
            cluster=CLUSTER,
            ecs_service=f"ecsdemo-{number}",
            task_definition="arn:web:1",
            role="web",
            tracing=True,
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("count", [2, FEW_SERVICES, FEW_SERVICES + 1, 250])
def test_each_service_has_its_own_tasks(count: int) -> None:
    """GIVEN many services in one cluster WHEN their tasks are looked up THEN the cluster is listed once, not each."""
    asked = targets(count)
    ecs = Ecs([target.ecs_service for target in asked])
    aws = Aws(region="us-east-1")
    aws.__dict__["ecs"] = ecs
    found = aws.tasks(asked)
    assert {target.service: [f"arn:task/{target.ecs_service}"] for target in asked} == {
        service: [task["taskArn"] for task in tasks] for service, tasks in found.items()
    }
    assert len(ecs.listed) == (count if count <= FEW_SERVICES else 1)
