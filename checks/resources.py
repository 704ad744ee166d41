"""Rules about task definitions and about what must not be lost; and the list of all rules about one resource.

A rule says nothing about what is not known yet.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from checks.access import open_security_group, wildcard_iam
from checks.model import TASK_DEFINITION, Finding, Planned, Stack, Step, containers, is_known, listed, number, text
from checks.moves import APP_MESH

_GIB = 1024  # MiB

# CPU units → memory sizes in MiB. Source: ECS API reference, RegisterTaskDefinition, `cpu` and `memory`.
FARGATE_SIZES: Mapping[int, Sequence[int]] = {
    256: (512, _GIB, 2 * _GIB),
    512: range(1 * _GIB, 4 * _GIB + 1, _GIB),
    1024: range(2 * _GIB, 8 * _GIB + 1, _GIB),
    2048: range(4 * _GIB, 16 * _GIB + 1, _GIB),
    4096: range(8 * _GIB, 30 * _GIB + 1, _GIB),
    8192: range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB),
    16384: range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB),
}
FREE_SHARE = 0.25  # of a task's memory, for what the reservations do not foresee

# "1024", "1 vCPU", "2 GB": ECS takes units and MiB, or these.
_SIZE = re.compile(r"(\d*\.?\d+)\s*(vcpu|gb)?", re.IGNORECASE)

# What bears a fixed name, an address or data: its replacement or deletion interrupts or loses something.
_KEPT: Mapping[str, str] = {
    "aws:cloudwatch/logGroup:LogGroup": "its logs are lost",
    "aws:ec2/securityGroup:SecurityGroup": "what refers to it is cut off",
    "aws:ec2/subnet:Subnet": "everything in it has to move",
    "aws:ec2/vpc:Vpc": "everything in it has to move",
    "aws:ecs/cluster:Cluster": "all its services stop",
    "aws:ecs/service:Service": "all its tasks stop",
    "aws:lb/listener:Listener": "requests are refused meanwhile",
    "aws:lb/loadBalancer:LoadBalancer": "its address changes",
    "aws:lb/targetGroup:TargetGroup": "requests are refused meanwhile",
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": "no service is found by name meanwhile",
    "aws:servicediscovery/service:Service": "the service is not found by name meanwhile",
    "awsx:ec2:Vpc": "everything in it has to move",
}
_LOSING = {"delete": "deleted", "replace": "replaced", "delete-replaced": "replaced", "create-replacement": "replaced"}


def fargate_size(stack: Stack, resource: Planned) -> Iterator[Finding]:
    """Fargate offers certain memory sizes with certain CPU sizes only, and wants both said."""
    if resource.type != TASK_DEFINITION or "FARGATE" not in listed(resource.inputs.get("requiresCompatibilities")):
        return
    given = {key: resource.inputs.get(key) for key in ("cpu", "memory")}
    missing = [key for key, value in given.items() if value is None]
    cpu, memory = _size(given["cpu"]), _size(given["memory"])
    if missing:
        message = f"{' and '.join(missing)} of the task missing, which Fargate requires"
    elif not all(is_known(value) for value in given.values()) or memory in FARGATE_SIZES.get(cpu or 0, ()):
        return
    else:
        message = f"Fargate has no task size of {given['cpu']} CPU units with {given['memory']} MiB"
    yield Finding(
        rule="fargate-size",
        service=stack.service,
        resource=resource.name,
        message=message,
        fix=_sizes_words(cpu),
    )


def memory_headroom(stack: Stack, resource: Planned) -> Iterator[Finding]:
    """A quarter of the task's memory stays unreserved: Envoy and applications grow beyond their reservations."""
    memory = _size(resource.inputs.get("memory"))
    if memory is None:
        return
    reserved = 0.0
    for container in containers(resource):
        given = [container[key] for key in ("memoryReservation", "memory") if container.get(key) is not None]
        reservation = number(given[0]) if given else 0.0
        if reservation is None:
            return
        reserved += reservation
    most = memory * (1 - FREE_SHARE)
    if reserved > most:
        yield Finding(
            rule="memory-headroom",
            service=stack.service,
            resource=resource.name,
            message=f"the containers reserve {reserved:g} of the task's {memory} MiB; at most {most:g} may be reserved",
            fix="Give the task more memory or reserve less.",
        )


def pinned_image(stack: Stack, resource: Planned) -> Iterator[Finding]:
    """An image without a tag, or under ``latest``, is another one some day."""
    for container in containers(resource):
        image = text(container.get("image"))
        if image is None or "@" in image:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in ("", "latest"):
            yield Finding(
                rule="pinned-image",
                service=stack.service,
                resource=resource.name,
                message=f"container '{container.get('name')}' runs {image}, which is another image some day",
                fix="Name a version, or a digest (@sha256:…).",
                subject=image,
            )


def stateful_replacement(service: str, step: Step) -> Iterator[Finding]:
    """What has a fixed name, an address or data must not be replaced or deleted in passing."""
    done = _LOSING.get(step.op)
    consequence = "requests through the mesh fail meanwhile" if step.type.startswith(APP_MESH) else _KEPT.get(step.type)
    if done and consequence:
        yield Finding(
            rule="stateful-replacement",
            service=service,
            resource=step.name,
            message=f"the {step.type.rpartition(':')[2]} is to be {done}: {consequence}",
            fix="Undo what makes it necessary, or do it apart and on purpose.",
        )


RULES: Sequence[Callable[[Stack, Planned], Iterator[Finding]]] = (
    fargate_size,
    memory_headroom,
    pinned_image,
    wildcard_iam,
    open_security_group,
)


def _size(value: Any) -> int | None:
    """CPU units or MiB; None where it is absent, not known or no size."""
    if (plain := number(value)) is not None:
        return int(plain)
    match = _SIZE.fullmatch((text(value) or "").strip())
    return int(float(match[1]) * (1024 if match[2] else 1)) if match else None


def _sizes_words(cpu: int | None) -> str:
    sizes = FARGATE_SIZES.get(cpu or 0)
    if sizes is None:
        return f"Take cpu from {', '.join(map(str, FARGATE_SIZES))}."
    return f"With cpu {cpu}, take memory from {sizes[0]} to {sizes[-1]} MiB in steps of {sizes[-1] - sizes[-2]}."
