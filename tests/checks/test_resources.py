"""Rules about single resources and steps: each fires on a violation and says nothing of what is not known."""

from typing import Any

import pytest

from automation.forecast import SECRET, Change, Unknown
from checks.model import Finding
from checks.resources import fargate_size, memory_headroom, pinned_image, stateful_replacement
from services import SERVICES
from tests.checks.plans import resource, stack, steps, task
from tests.services.world import deployed


def sizes(**inputs: Any) -> list[Finding]:
    return list(fargate_size(stack(), task(**inputs)))


def headroom(*reservations: Any, **inputs: Any) -> list[Finding]:
    containers = [{"name": f"c{n}", "memoryReservation": each} for n, each in enumerate(reservations)]
    return list(memory_headroom(stack(), task(*containers, **inputs)))


def images(*names: Any) -> list[str]:
    found = pinned_image(stack(), task(*({"name": "app", "image": name} for name in names)))
    return [finding.subject for finding in found]


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [("256", "512"), ("512", "1024"), (512, 4096), ("1 vCPU", "2 GB"), (".25 vCPU", "0.5GB"), ("16384", "122880")],
)
def test_sizes_that_fargate_has(cpu: str | int, memory: str | int) -> None:
    """In units and MiB or in vCPU and GB, as ECS takes them."""
    assert sizes(cpu=cpu, memory=memory) == []


def test_a_size_that_fargate_has_not() -> None:
    """Both values are named, and the memory sizes there are."""
    (finding,) = sizes(cpu="512", memory="512")
    assert finding == Finding(
        rule="fargate-size",
        service="shop",
        resource="it",
        message="Fargate has no task size of 512 CPU units with 512 MiB",
        fix="With cpu 512, take memory from 1024 to 4096 MiB in steps of 1024.",
    )


@pytest.mark.parametrize(("cpu", "memory"), [("300", "1024"), ("256", "1536"), ("8192", "17408"), ("much", "1024")])
def test_other_sizes_that_fargate_has_not(cpu: str, memory: str) -> None:
    """Off the list of CPU sizes, above the range, or between two steps."""
    assert ["fargate-size"] == [finding.rule for finding in sizes(cpu=cpu, memory=memory)]


def test_fargate_wants_both_sizes() -> None:
    """A task without a size is refused by Fargate."""
    (finding,) = sizes(memory=None)
    assert finding.message == "memory of the task missing, which Fargate requires"


@pytest.mark.parametrize("unknown", [Unknown(), SECRET])
def test_sizes_that_are_not_known_or_not_fargates(unknown: Any) -> None:
    """Nothing is said of what is not known, nor of a task that EC2 alone is to run."""
    assert sizes(memory=unknown, cpu="300") == []
    assert sizes(requiresCompatibilities=unknown, cpu="300") == []
    assert sizes(requiresCompatibilities=["EC2"], cpu="300") == []


def test_a_quarter_of_the_memory_stays_free() -> None:
    """768 of 1024 MiB is the most; one MiB more is too much."""
    assert headroom(256, 512) == []
    (finding,) = headroom(256, 513)
    assert (finding.rule, finding.message) == (
        "memory-headroom",
        "the containers reserve 769 of the task's 1024 MiB; at most 768 may be reserved",
    )


def test_a_limit_counts_where_nothing_is_reserved() -> None:
    """ECS reserves a container's hard limit if it is all there is."""
    container = {"name": "app", "memory": 1000}
    assert len(list(memory_headroom(stack(), task(container)))) == 1
    assert list(memory_headroom(stack(), task({**container, "memoryReservation": 100}))) == []


def test_memory_that_is_not_known() -> None:
    """Neither the task's nor the containers'."""
    assert headroom(1024, memory=Unknown()) == []
    assert headroom(1024, containerDefinitions=Unknown()) == []


@pytest.mark.parametrize("image", ["nginx", "nginx:latest", "localhost:5000/nginx", "a.example/b/c:latest"])
def test_images_that_change(image: str) -> None:
    """No tag, or latest; a registry's port is not a tag."""
    assert images("nginx:1.27", image) == [image]


def test_images_that_stay() -> None:
    """Under a version or a digest."""
    assert images("nginx:1.27", "localhost:5000/nginx:1", "nginx@sha256:0abc", "nginx:latest@sha256:0abc") == []


def test_images_that_are_not_known() -> None:
    """A secret one, none at all, or the whole text."""
    assert images(SECRET, None) == []
    assert list(pinned_image(stack(), task(containerDefinitions=Unknown()))) == []
    assert list(pinned_image(stack(), task(containerDefinitions="not JSON"))) == []
    assert list(pinned_image(stack(), resource("aws:sqs/queue:Queue", containerDefinitions="[]"))) == []


@pytest.mark.parametrize("op", ["delete", "replace"])
@pytest.mark.parametrize(
    "token",
    [
        "aws:appmesh/virtualNode:VirtualNode",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:ecs/service:Service",
        "aws:lb/loadBalancer:LoadBalancer",
        "awsx:ec2:Vpc",
    ],
)
def test_what_must_not_be_lost(op: str, token: str) -> None:
    """Replaced or deleted, it is told with the consequence."""
    (finding,) = stateful_replacement("shop", Change(op=op, type=token, name="it"))
    assert (finding.rule, finding.resource) == ("stateful-replacement", "it")
    assert f"{token.rpartition(':')[2]} is to be {op.removesuffix('e')}ed: " in finding.message


def test_what_may_be_done() -> None:
    """Whatever creates or updates; and task definitions, which are replaced each time."""
    changes = [Change(op=op, type="aws:ecs/service:Service", name="it") for op in ("create", "update", "same")]
    changes.append(Change(op="replace", type="aws:ecs/taskDefinition:TaskDefinition", name="it"))
    assert [finding for change in changes for finding in stateful_replacement("shop", change)] == []


@pytest.mark.parametrize("service", list(SERVICES))
def test_turning_the_flag_loses_nothing(service: str) -> None:
    """On and off again."""
    off, on = deployed(service), deployed(service, tracing="true")
    changes = steps(off, on) + steps(on, off)
    assert [finding for change in changes for finding in stateful_replacement(service, change)] == []
    assert {"create", "delete", "replace"} == {change.op for change in changes}
