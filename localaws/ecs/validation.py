"""What RegisterTaskDefinition refuses, and how it normalises what it takes. Pure.

Sources: the API reference's description of each parameter, the developer guide's table of Fargate task sizes, and the
service's own messages where they are known.
"""

import re
from collections import Counter
from collections.abc import Sequence

from localaws.ecs.errors import client_error
from localaws.ecs.model import Document

_GIB = 1024  # MiB
# CPU units → memory sizes in MiB that Fargate offers with them.
_FARGATE_SIZES: dict[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1 * _GIB, 4 * _GIB + 1, _GIB),
    1024: range(2 * _GIB, 8 * _GIB + 1, _GIB),
    2048: range(4 * _GIB, 16 * _GIB + 1, _GIB),
    4096: range(8 * _GIB, 30 * _GIB + 1, _GIB),
    8192: range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB),
    16384: range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB),
}
_CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
_MOST_CONTAINERS = 10
_LARGEST_PORT = 65535
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*(:[A-Za-z0-9_.][A-Za-z0-9_.-]*)?")


def checked(params: Document) -> Document:
    """Return the parameters with task sizes in CPU units and MiB.

    Raises:
        EcsError: a ClientException naming the first thing that is wrong.

    """
    given = params | {
        name: size
        for name, size in (
            ("cpu", _units(params.get("cpu"), 1024, r"vcpu")),
            ("memory", _units(params.get("memory"), _GIB, r"gb")),
        )
        if size is not None
    }
    if not _NAME.fullmatch(given["family"]):
        _refuse("Family should not be null or empty, and has up to 255 letters, digits, underscores and hyphens.")
    containers = given["containerDefinitions"]
    if not containers:
        _refuse("Container list cannot be empty.")
    if len(containers) > _MOST_CONTAINERS:
        _refuse("Too many containers.")
    for container in containers:
        _check_container(container)
    _check_together(given, containers)
    if "FARGATE" in given.get("requiresCompatibilities", []):
        _check_fargate(given)
    _check_memory(given, containers)
    if "proxyConfiguration" in given:
        _check_proxy(given, containers)
    return given


def fits_fargate(given: Document) -> bool:
    """Return whether Fargate could run it."""
    sizes = (given.get("cpu", ""), given.get("memory", ""))
    if given.get("networkMode") != "awsvpc" or not all(size.isdecimal() for size in sizes):
        return False
    return int(sizes[1]) in _FARGATE_SIZES.get(int(sizes[0]), ())


def _units(size: str | None, factor: int, unit: str) -> str | None:
    """Return `0.25 vCPU` or `1 GB` as a plain number of CPU units or MiB."""
    match = re.fullmatch(rf"(\d*\.?\d+)\s*{unit}", size or "", re.IGNORECASE)
    return str(round(float(match[1]) * factor)) if match else size


def _refuse(message: str) -> None:
    raise client_error(message)


def _check_container(container: Document) -> None:
    name = container.get("name")
    for member in ("name", "image"):
        if not container.get(member):
            _refuse(f"Container.{member} should not be null or empty.")
    if not _NAME.fullmatch(str(name)):
        _refuse(f"Invalid container name {name!r}: it has up to 255 letters, digits, underscores and hyphens.")
    for mapping in container.get("portMappings", []):
        for member in ("containerPort", "hostPort"):
            if not 0 <= mapping.get(member, 0) <= _LARGEST_PORT:
                _refuse(f"Invalid {member} {mapping[member]} of container '{name}': it should be 0 to {_LARGEST_PORT}.")
        if mapping.get("protocol", "tcp") not in ("tcp", "udp"):
            _refuse(f"Invalid protocol {mapping['protocol']!r} of container '{name}': it should be one of [tcp,udp].")
    if "user" in container and not _USER.fullmatch(container["user"]):
        _refuse(
            f"Invalid user {container['user']!r} of container '{name}': it should be USER, UID, USER:GROUP or UID:GID."
        )
    check = container.get("healthCheck")
    first = check["command"][0] if check and check["command"] else ""
    # A path alone is not documented, but works: ADOT's samples have it.
    if check and first not in ("CMD", "CMD-SHELL", "NONE") and not first.startswith("/"):
        _refuse(f"Invalid health check of container '{name}': its command must start with CMD or CMD-SHELL.")


def _check_together(given: Document, containers: Sequence[Document]) -> None:
    doubled = [name for name, times in Counter(container["name"] for container in containers).items() if times > 1]
    if doubled:
        _refuse(f"Container names must be unique within a task definition: '{doubled[0]}' is used more than once.")
    if not any(container.get("essential", True) for container in containers):
        _refuse("A task definition must have at least one essential container.")
    by_name = {container["name"]: container for container in containers}
    for container in containers:
        for dependency in container.get("dependsOn", []):
            _check_dependency(container["name"], dependency, by_name)
    if _has_cycle({name: [d["containerName"] for d in item.get("dependsOn", [])] for name, item in by_name.items()}):
        _refuse("The container dependencies of the task definition form a cycle.")
    if given.get("networkMode") == "awsvpc":
        _check_ports(containers)


def _check_dependency(name: str, dependency: Document, by_name: dict[str, Document]) -> None:
    target, condition = dependency["containerName"], dependency["condition"]
    if condition not in _CONDITIONS:
        choices = ",".join(_CONDITIONS)
        _refuse(f"Invalid dependency condition {condition!r} of container '{name}': it should be one of [{choices}].")
    if target not in by_name:
        _refuse(f"Container '{name}' depends on container '{target}', which does not exist in the task definition.")
    if condition == "HEALTHY" and "healthCheck" not in by_name[target]:
        _refuse(f"Container '{name}' depends on '{target}' being HEALTHY, but '{target}' has no health check.")
    if condition in ("COMPLETE", "SUCCESS") and by_name[target].get("essential", True):
        _refuse("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")


def _has_cycle(needs: dict[str, list[str]]) -> bool:
    """Return whether what remains after taking away again and again what needs nothing is not empty."""
    while free := [name for name, others in needs.items() if not set(others) & set(needs)]:
        for name in free:
            del needs[name]
    return bool(needs)


def _check_ports(containers: Sequence[Document]) -> None:
    used: Counter[tuple[int | None, str]] = Counter()
    for container in containers:
        for mapping in container.get("portMappings", []):
            port = mapping.get("containerPort")
            if mapping.get("hostPort", port) not in (port, 0):
                _refuse("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
            used[port, mapping.get("protocol", "tcp")] += 1
    if any(times > 1 for times in used.values()):
        (port, protocol), _ = used.most_common(1)[0]
        _refuse(f"The port {port}/{protocol} is mapped by more than one container.")


def _check_fargate(given: Document) -> None:
    if given.get("networkMode") != "awsvpc":
        _refuse("Fargate only supports network mode ‘awsvpc’.")  # noqa: RUF001 - AWS's quotes
    for member in ("cpu", "memory"):
        if not given.get(member):
            _refuse(f"Fargate requires that '{member}' be defined at the task level.")
    if (mode := given.get("pidMode", "task")) != "task":
        what = f"Tasks using the Fargate launch type do not support pidMode '{mode}'."
        _refuse(f"{what} The supported value for pidMode is 'task'.")
    if not fits_fargate(given):
        _refuse(
            f"No Fargate configuration exists for given values: {given['cpu']} CPU, {given['memory']} memory. "
            "See the Amazon ECS documentation for the valid values."
        )


def _check_memory(given: Document, containers: Sequence[Document]) -> None:
    task = given.get("memory")
    for container in containers:
        hard, soft = container.get("memory"), container.get("memoryReservation")
        if task is None and hard is None and soft is None:
            _refuse(
                f"Invalid setting for container '{container['name']}'. "
                "At least one of 'memory' or 'memoryReservation' must be specified."
            )
        if hard is not None and soft is not None and hard < soft:
            _refuse(f"Invalid setting for container '{container['name']}': 'memory' is less than 'memoryReservation'.")
        if task is not None and hard is not None and hard > int(task):
            _refuse(f"The 'memory' setting for container '{container['name']}' is greater than for the task.")
    if task is None:
        return
    if sum(container.get("memoryReservation", 0) for container in containers) > int(task):
        _refuse(
            "The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'."
        )
    if given.get("cpu") and sum(container.get("cpu", 0) for container in containers) > int(given["cpu"]):
        _refuse("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.")


def _check_proxy(given: Document, containers: Sequence[Document]) -> None:
    name = given["proxyConfiguration"]["containerName"]
    if name not in {container["name"] for container in containers}:
        _refuse(f"The proxy configuration names container '{name}', which does not exist in the task definition.")
    if given.get("networkMode") != "awsvpc":
        _refuse("A proxy configuration is only supported with network mode 'awsvpc'.")
