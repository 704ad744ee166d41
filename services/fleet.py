"""``fleet.yaml``: the services of a fleet, declared in the project's root; read, and every mistake in it named.

Pure: text in, dataclasses out. The cost counts, since every command and every program of a stack reads the file.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from services.containers import INGRESS_PORT, MESH_PORT, Application, Envoy
from services.fleet_model import (
    FILE,
    NETWORK,
    PLATFORM,
    Call,
    Fleet,
    Platform,
    Service,
    nearest,
    ordered,
    refused,
)
from services.fleet_yaml import document
from services.own_mesh import ADMIN_PORT, FIRST_EGRESS_PORT
from services.sizes import FARGATE_SIZES, FREE_SHARE, TASK_CPU, TASK_MEMORY
from services.tracing import SIDECAR_RESERVATION

_MAPPING = "must be a mapping of keys to values"
_KEYS = ("platforms", "services")
_PLATFORM_KEYS = ("network",)
_SERVICE_KEYS = (
    "image", "platform", "port", "healthPath", "backends", "cpu", "memory", "environment", "tags", "entrance",
)  # fmt: skip
_LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = re.compile(r"/[!-~]*")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/=+@-]*")
_IMAGE = re.compile(r"[!-~]+")

# AWS's limits of generated names, less what is put around a service's or platform's name: by Pulumi 8 characters.
_LONGEST_SERVICE = 64 - len("-execution-role-1234567")  # IAM: a role; Cloud Map, ECS and App Mesh allow more
_LONGEST_PLATFORM = 32 - len("-gateway-targets-1234567")  # ELB: a target group
_LAST_PORT = 65535
_WIDEST, _NARROWEST = 16, 25  # bits of a VPC's network, its eighths being subnets of at least /28
_OF_AWS = 5  # addresses of each subnet that AWS keeps

# TCP, within a task: of Envoy (administration, App Mesh's redirection, our own ingress) and of the collectors.
_TAKEN = {ADMIN_PORT, 15000, 15001, INGRESS_PORT, 2000, 13133}
_RESERVED = Application.reservation + Envoy.reservation + SIDECAR_RESERVATION  # MiB
_SHOWN = 4  # sizes in an error
_SET_BY_US = ("REGION",)  # variables of every application


def read(root: Path) -> Fleet | None:
    """The fleet that is declared in a project's folder; None where there is no file.

    Raises:
        FleetError: the file cannot be used.
    """
    try:
        text = (root / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise refused("", f"cannot be read: {error}") from error
    return parse(text)


def parse(text: str) -> Fleet:
    """The fleet that a file with this text declares.

    Raises:
        FleetError: it cannot be used.
    """
    return _File(document(text)).fleet()


class _File:
    """A document that is being read."""

    def __init__(self, document: Any) -> None:
        top = _mapping("", document)
        _known("", top, _KEYS)
        self.platforms = self._platforms(top.get("platforms"))
        given = _mapping("services", top.get("services"))
        if not given:
            raise refused("services", "is missing or empty: a fleet has at least one service")
        self._given = given
        for name in given:
            self._service_name(name)
        self._ports = {name: self._port(name, _mapping(f"services.{name}", given[name])) for name in given}

    def fleet(self) -> Fleet:
        """All of it, checked."""
        services = {name: self._service(name) for name in self._given}
        for service in services.values():
            for call in service.calls:
                other = services[call.service].platform
                if other != service.platform:
                    why = f"is '{call.service}' of platform '{other}', but '{service.name}' is on '{service.platform}'"
                    raise refused(f"services.{service.name}.backends.{call.variable}", why)
        members: dict[str, list[Service]] = {name: [] for name in self.platforms}
        for service in services.values():
            members[service.platform].append(service)
        platforms = {name: _with(platform, members[name]) for name, platform in self.platforms.items()}
        return Fleet(platforms=platforms, services=ordered(services))

    def _platforms(self, given: Any) -> dict[str, Platform]:
        if given is None:
            return {PLATFORM: Platform()}
        declared = dict.fromkeys(given) if _is_list_of_texts(given) else given
        if not isinstance(declared, Mapping) or not declared:
            raise refused(
                "platforms", f"is {given!r} but must be names, such as [{PLATFORM}], or name by name what each is"
            )
        if isinstance(given, list) and len(declared) < len(given):
            twice = next(name for name in given if given.count(name) > 1)
            raise refused("platforms", f"has '{twice}' twice")
        return {name: self._platform(name, keys) for name, keys in declared.items()}

    def _platform(self, name: Any, given: Any) -> Platform:
        where = f"platforms.{name}"
        _label(where, name, _LONGEST_PLATFORM, "a target group of its load balancer")
        keys = _mapping(where, {} if given is None else given)
        _known(where, keys, _PLATFORM_KEYS)
        return Platform(name=name, network=_network(f"{where}.network", keys.get("network", NETWORK)))

    def _service_name(self, name: Any) -> None:
        where = f"services.{name}"
        _label(where, name, _LONGEST_SERVICE, "an IAM role")
        if name in self.platforms:
            raise refused(where, f"has the name of a platform: their stacks would be one. Name it {name}-service, say")
        for platform in self.platforms.values():
            if name in (platform.gateway, platform.gateway_service, platform.gateway_family):
                raise refused(where, f"has a name that belongs to the gateway of platform '{platform.name}'")

    def _service(self, name: str) -> Service:
        where = f"services.{name}"
        keys = _mapping(where, self._given[name])
        _known(where, keys, _SERVICE_KEYS)
        image = _text(f"{where}.image", keys.get("image"), _IMAGE, "an image, such as public.ecr.aws/example/app:1")
        calls = self._calls(name, keys.get("backends"))
        cpu, memory = _size(where, keys)
        return Service(
            name=name,
            image=image,
            platform=self._platform_of(where, keys.get("platform")),
            port=self._ports[name],
            health_path=_text(
                f"{where}.healthPath", keys.get("healthPath", "/health"), _PATH, "a path, such as /health"
            ),
            calls=calls,
            cpu=cpu,
            memory=memory,
            environment=_environment(where, keys.get("environment"), {call.variable for call in calls}),
            tags=_tags(f"{where}.tags", keys.get("tags")),
            entrance=_boolean(f"{where}.entrance", keys.get("entrance", False)),
        )

    def _platform_of(self, where: str, given: Any) -> str:
        if given is None and len(self.platforms) == 1:
            return next(iter(self.platforms))
        if given not in list(self.platforms):
            what = "is missing" if given is None else f"is {_shown(given)}"
            raise refused(f"{where}.platform", f"{what} but must be one of the platforms {', '.join(self.platforms)}")
        return str(given)

    def _port(self, name: str, keys: Mapping[str, Any]) -> int:
        where, port = f"services.{name}.port", keys.get("port", MESH_PORT)
        if not _is_number(port) or not 1 <= port <= _LAST_PORT:
            raise refused(where, f"is {_shown(port)} but must be a number from 1 to {_LAST_PORT}")
        backends = keys.get("backends")
        egress = range(FIRST_EGRESS_PORT, FIRST_EGRESS_PORT + (len(backends) if isinstance(backends, Mapping) else 0))
        if port in _TAKEN or port in egress:
            raise refused(where, f"is {port}, where the Envoy or the collector of its task listens")
        return int(port)

    def _calls(self, name: str, given: Any) -> Sequence[Call]:
        where = f"services.{name}.backends"
        calls: dict[str, Call] = {}
        for variable, value in _mapping(where, {} if given is None else given).items():
            _variable(where, variable)
            backend, slash, path = value.partition("/") if isinstance(value, str) else ("", "", "")
            if backend not in self._given:
                near = nearest(backend, self._given)
                why = f"is {_shown(value)}, which is no service of the fleet; the nearest are {', '.join(near)}"
                raise refused(f"{where}.{variable}", why)
            if backend in calls:
                why = f"is '{backend}', as {calls[backend].variable} is: a service is called under one variable"
                raise refused(f"{where}.{variable}", why)
            calls[backend] = Call(service=backend, variable=variable, path=slash + path, port=self._ports[backend])
        return tuple(calls.values())


def _with(platform: Platform, members: Sequence[Service]) -> Platform:
    """The platform as its services want it."""
    entrances = [service.name for service in members if service.entrance]
    if len(entrances) > 1:
        first, second = entrances[:2]
        why = f"is true, but platform '{platform.name}' has its entrance: '{first}'"
        raise refused(f"services.{second}.entrance", why)
    _, private = platform.blocks()
    room = sum(IPv4Network(block).num_addresses - _OF_AWS for block in private)
    needed = 2 * (len(members) + 1)  # with the gateway's, and each task beside the one that it replaces
    if needed > room:
        wider = next(
            (
                f"10.0.0.0/{bits}"
                for bits in range(_NARROWEST, _WIDEST - 1, -1)
                if 3 * (2 ** (29 - bits) - _OF_AWS) >= needed
            ),
            None,
        )
        remedy = f"declare `platforms: {{{platform.name}: {{network: {wider}}}}}`" if wider else "share them out"
        why = (
            f"has {len(members)} services, whose tasks need {needed} addresses while they are replaced; "
            f"its network {platform.network} has {room} for them"
        )
        raise refused(f"platforms.{platform.name}", why, f"{remedy}   (a platform that is deployed is made anew)")
    ports = tuple(dict.fromkeys((MESH_PORT, *sorted(service.port for service in members))))
    return replace(platform, entrance=entrances[0] if entrances else None, ports=ports)


def _mapping(where: str, given: Any) -> Mapping[Any, Any]:
    if not isinstance(given, Mapping):
        raise refused(where, f"is {_shown(given)} but {_MAPPING}" if given is not None else _MAPPING)
    return given


def _known(where: str, keys: Mapping[Any, Any], known: Sequence[str]) -> None:
    for key in keys:
        if key not in known:
            raise refused(f"{where}.{key}".removeprefix("."), f"is unknown; the keys are {', '.join(known)}")


def _label(where: str, name: Any, longest: int, bound_by: str) -> None:
    if not isinstance(name, str) or not _LABEL.fullmatch(name):
        why = (
            f"has the name {_shown(name)}, which is no label of DNS: lower-case letters, digits and '-', a letter first"
        )
        raise refused(where, why)
    if len(name) > longest:
        why = f"has a name of {len(name)} characters; AWS leaves room for {longest} in the name of {bound_by}"
        raise refused(where, why)


def _text(where: str, value: Any, pattern: re.Pattern[str], wanted: str) -> str:
    if value is None:
        raise refused(where, f"is missing: it must be {wanted}")
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise refused(where, f"is {_shown(value)} but must be {wanted}")
    return value


def _boolean(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise refused(where, f"is {_shown(value)} but must be true or false")
    return value


def _network(where: str, value: Any) -> str:
    try:
        network = IPv4Network(value) if isinstance(value, str) else None
    except ValueError:
        network = None
    if network is None or not network.is_private or not _WIDEST <= network.prefixlen <= _NARROWEST:
        why = f"is {_shown(value)} but must be private addresses, from /{_WIDEST} to /{_NARROWEST}, such as {NETWORK}"
        raise refused(where, why)
    return str(network)


def _size(where: str, keys: Mapping[str, Any]) -> tuple[int, int]:
    cpu, memory = keys.get("cpu", TASK_CPU), keys.get("memory", TASK_MEMORY)
    if not _is_number(cpu) or cpu not in FARGATE_SIZES:
        raise refused(f"{where}.cpu", f"is {_shown(cpu)} but Fargate has {', '.join(map(str, FARGATE_SIZES))}")
    sizes = FARGATE_SIZES[cpu]
    if not _is_number(memory) or memory not in sizes:
        why = f"is {_shown(memory)} but with cpu {cpu} Fargate has {sizes[0]} to {sizes[-1]} MiB"
        raise refused(f"{where}.memory", f"{why}: {_some(sizes)}")
    if memory * (1 - FREE_SHARE) < _RESERVED:
        why = f"is {memory} MiB, too little for application, Envoy and collector, which reserve {_RESERVED} MiB"
        raise refused(f"{where}.memory", f"{why} of three quarters of it; take 1024")
    return cpu, int(memory)


def _some(sizes: Sequence[int]) -> str:
    first = [str(size) for size in sizes[:_SHOWN]]
    return ", ".join([*first, "…"] if len(sizes) > _SHOWN else first)


def _environment(where: str, given: Any, taken: Collection[str]) -> Mapping[str, str]:
    where = f"{where}.environment"
    variables = _mapping(where, {} if given is None else given)
    for name, value in variables.items():
        _variable(where, name)
        if name in taken:
            raise refused(f"{where}.{name}", "is declared twice: among the backends, too")
        if not isinstance(value, str):
            raise refused(f"{where}.{name}", f"is {value!r} but must be text: put it in quotes")
    return variables


def _variable(where: str, name: Any) -> None:
    if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
        raise refused(f"{where}.{name}", "is no name of a variable: letters, digits and '_', no digit first")
    if name in _SET_BY_US:
        raise refused(f"{where}.{name}", "is declared twice: every application is told its region in it")


def _tags(where: str, given: Any) -> Sequence[str]:
    tags = [] if given is None else given
    if not _is_list_of_texts(tags) or not all(_TAG.fullmatch(tag) for tag in tags):
        raise refused(where, f"is {_shown(given)} but must be a list of words, such as [team-a]")
    return tuple(dict.fromkeys(tags))


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _shown(value: Any) -> str:
    """As it is in an error: YAML makes numbers and truth values of words that look like them."""
    return f"'{value}'" if isinstance(value, str) else repr(value)
