"""Plans for the checks: the repository's own, and crafted ones."""

import json
from collections.abc import Mapping
from typing import Any

from automation.forecast import Change, Difference, Resource, StackForecast
from checks.tracing import Names
from services import SERVICES, tracing
from tests.services.world import Deployment, deployed

TASK = "aws:ecs/taskDefinition:TaskDefinition"
NAMES = Names(**tracing.NAMES)
VARIANTS: tuple[dict[str, str], ...] = (
    {},
    {"tracing": "true"},
    {"tracing": "true", "samplingRate": "0.5"},
    {"tracing": "true", "collector": "adot"},
    {"tracing": "true", "collector": "cloudwatch-agent"},
)


def stack(*resources: Resource, service: str = "shop", problem: str = "") -> StackForecast:
    """A stack that will have `resources`."""
    return StackForecast(service=service, stack=f"prod-{service}", resources=resources, problem=problem)


def resource(token: str, name: str = "it", /, **inputs: Any) -> Resource:
    """A resource with its inputs."""
    return Resource(type=token, name=name, inputs=inputs)


def task(*containers: Mapping[str, Any], **inputs: Any) -> Resource:
    """A task definition of a valid size."""
    size = {"cpu": "512", "memory": "1024", "requiresCompatibilities": ["FARGATE"]}
    return resource(TASK, **{**size, "containerDefinitions": json.dumps(containers), **inputs})


def own(service: str, **config: str) -> StackForecast:
    """The plan of one of the repository's services."""
    return stack(
        *(
            Resource(type=made.type, name=made.name, inputs=made.inputs)
            for made in deployed(service, **config).resources
        ),
        service=service,
    )


def everything(**config: str) -> list[StackForecast]:
    """The plans of all of the repository's services, with the same configuration."""
    return [own(service, **config) for service in SERVICES]


def steps(before: Deployment, after: Deployment) -> list[Change]:
    """What leads from one to the other. Of the types that change with the flag, task definitions are replaced."""
    old, new = ({(made.type, made.name): made.inputs for made in each.resources} for each in (before, after))
    deleted = [Change(op="delete", type=token, name=name) for token, name in old.keys() - new.keys()]
    created = [Change(op="create", type=token, name=name) for token, name in new.keys() - old.keys()]
    changed = []
    for token, name in old.keys() & new.keys():
        was, will = old[token, name], new[token, name]
        differing = [key for key in was.keys() | will.keys() if was.get(key) != will.get(key)]
        differences = tuple(Difference(path=key, kind="update") for key in sorted(differing))
        op = "replace" if token == TASK else "update"
        changed += [Change(op=op, type=token, name=name, differences=differences)] if differences else []
    return deleted + created + changed
