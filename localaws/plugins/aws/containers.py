"""Container definitions: the JSON text in a task definition that says which containers run.

AWS adds defaults and keeps no order where none matters; two texts are the same when AWS would run the same from them.
"""

import json
from collections.abc import Iterator
from typing import Any

from localaws.plugins.aws.values import UNKNOWN, State

# What AWS assumes where a container says nothing (RegisterTaskDefinition in the Amazon ECS API reference).
HEALTH_CHECK = {"interval": 30, "timeout": 5, "retries": 3}
DEFAULTS = {"essential": True, "cpu": 0}
UNORDERED = {"environment": "name", "environmentFiles": "value", "secrets": "name", "mountPoints": "containerPath"}
# fmt: off
KNOWN = frozenset(
    {
        "command", "cpu", "credentialSpecs", "dependsOn", "disableNetworking", "dnsSearchDomains",
        "dnsServers", "dockerLabels", "dockerSecurityOptions", "entryPoint", "environment",
        "environmentFiles", "essential", "extraHosts", "firelensConfiguration", "healthCheck", "hostname",
        "image", "interactive", "links", "linuxParameters", "logConfiguration", "memory",
        "memoryReservation", "mountPoints", "name", "portMappings", "privileged", "pseudoTerminal",
        "readonlyRootFilesystem", "repositoryCredentials", "resourceRequirements", "restartPolicy",
        "secrets", "startTimeout", "stopTimeout", "systemControls", "ulimits", "user", "versionConsistency",
        "volumesFrom", "workingDirectory"
    }
)
# fmt: on
CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
LEAST_MEMORY = 4  # MiB, of one container


def parsed(document: str) -> list[State]:
    """The containers of the text, member names as the API spells them whatever the text's first letter.

    Raises ValueError with the reason where the text is not a list of objects.
    """
    try:
        containers = json.loads(document)
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON ({error})") from error
    if not isinstance(containers, list) or not all(isinstance(item, dict) for item in containers):
        raise ValueError("must be a JSON list of container objects")
    return [_lowered(container) for container in containers]


def same_containers(one: str, other: str) -> bool:
    """Whether both texts make AWS run the same."""
    try:
        return _sense(parsed(one)) == _sense(parsed(other))
    except ValueError:
        return one == other


def text(containers: list[State]) -> str:
    """AWS's answer as the text of a state: without what says nothing, environment in order of the names."""
    return json.dumps([_trimmed(container) for container in containers], sort_keys=True, separators=(",", ":"))


def mistakes(document: str) -> Iterator[str]:
    """What AWS would refuse in the text."""
    try:
        containers = parsed(document)
    except ValueError as error:
        yield str(error)
        return
    names = [container.get("name") for container in containers]
    if not containers:
        yield "must hold at least one container"
    elif not any(container.get("essential", True) for container in containers):
        yield "must hold at least one essential container"
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        yield f"names two containers {name!r}"
    for index, container in enumerate(containers):
        where = f"container {container.get('name') or index}"
        yield from (f"{where}: {reason}" for reason in _container_mistakes(container, names))


def _container_mistakes(container: State, names: list[Any]) -> Iterator[str]:
    for member in ("name", "image"):
        if not container.get(member):
            yield f"`{member}` is required"
    for member in sorted(container.keys() - KNOWN):
        yield f"`{member}` is not a member of a container definition"
    for pair in container.get("environment") or ():
        if not isinstance(pair.get("value", ""), str):
            yield f"`environment` value of {pair.get('name')!r} must be a string, not {pair['value']!r}"
    yield from _memory_mistakes(container)
    for needed in container.get("dependsOn") or ():
        if needed.get("containerName") not in {*names, UNKNOWN}:
            yield f"`dependsOn` names {needed.get('containerName')!r}, which is not a container of this task"
        if needed.get("condition") not in CONDITIONS:
            yield f"`dependsOn` condition must be one of {', '.join(CONDITIONS)}, not {needed.get('condition')!r}"


def _memory_mistakes(container: State) -> Iterator[str]:
    hard, soft = container.get("memory"), container.get("memoryReservation")
    for member, size in (("memory", hard), ("memoryReservation", soft)):
        if isinstance(size, int) and size < LEAST_MEMORY:
            yield f"`{member}` must be at least {LEAST_MEMORY} MiB, not {size}"
    if isinstance(hard, int) and isinstance(soft, int) and soft > hard:
        yield f"`memory` ({hard}) must not be less than `memoryReservation` ({soft})"


def _lowered(part: Any, *, free: bool = False) -> Any:
    """Member names with a small first letter, as Terraform's decoder accepts either; names of labels are kept."""
    if isinstance(part, dict):
        maps = {"dockerLabels", "options"}
        return {
            (key if free else key[:1].lower() + key[1:]): _lowered(value, free=key[:1].lower() + key[1:] in maps)
            for key, value in part.items()
        }
    return [_lowered(item) for item in part] if isinstance(part, list) else part


def _trimmed(container: State) -> State:
    kept = {name: value for name, value in container.items() if value not in ([], {}, None)}
    if kept.get("environment"):
        kept["environment"] = sorted(kept["environment"], key=lambda pair: pair["name"])
    return kept


def _sense(containers: list[State]) -> list[State]:
    """The containers with all defaults said and all free order taken out, in the order of their names."""
    return sorted((_container_sense(container) for container in containers), key=lambda item: str(item.get("name")))


def _container_sense(container: State) -> State:
    said = {**DEFAULTS, **{name: value for name, value in container.items() if value not in ([], {}, None, "")}}
    for name, key in UNORDERED.items():
        if name in said:
            said[name] = sorted(said[name], key=lambda item, key=key: str(item.get(key)))  # type: ignore[misc]
    if "portMappings" in said:
        said["portMappings"] = sorted(
            map(_port_sense, said["portMappings"]), key=lambda item: json.dumps(item, sort_keys=True)
        )
    if "healthCheck" in said:
        said["healthCheck"] = {**HEALTH_CHECK, **{k: v for k, v in said["healthCheck"].items() if v is not None}}
    if "logConfiguration" in said:
        said["logConfiguration"] = {name: value for name, value in said["logConfiguration"].items() if value}
    if "dependsOn" in said:
        said["dependsOn"] = sorted(said["dependsOn"], key=lambda item: str(item.get("containerName")))
    return said


def _port_sense(mapping: State) -> State:
    """A host port says nothing beside awsvpc networking: it is the container port, given or not."""
    host = mapping.get("hostPort") or mapping.get("containerPort")
    return {"protocol": "tcp", **{k: v for k, v in mapping.items() if v is not None}, "hostPort": host}
