"""WHAT is deployed: one component a service. This registry is the list of services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.crystal import CRYSTAL
from services.frontend import FRONTEND
from services.mesh_service import MeshService, MeshServiceComponent
from services.nodejs import NODEJS
from services.platform import Platform
from services.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ServiceEntry:
    """A service, the services whose stacks it needs, and how to build it: (environment, settings) to a component."""

    name: str
    needs: tuple[str, ...]
    build: Callable[[str, Settings], Any]


def entry(spec: MeshService) -> ServiceEntry:
    """The registry's entry of a service in the mesh."""
    return ServiceEntry(
        name=spec.name, needs=spec.needs, build=lambda environment, settings: MeshServiceComponent(spec, environment, settings)
    )


_ENTRIES = (
    ServiceEntry(name="platform", needs=(), build=lambda _environment, settings: Platform("platform", settings)),
    entry(CRYSTAL),
    entry(NODEJS),
    entry(FRONTEND),
)

SERVICES: Mapping[str, ServiceEntry] = {service.name: service for service in _ENTRIES}


def split_stack_name(stack: str) -> tuple[str, str]:
    """``prod-eu-crystal`` → ``("prod-eu", "crystal")``. Raises `ValueError` for a stack of no known service."""
    environment, _, service = stack.rpartition("-")
    if service not in SERVICES or not environment:
        message = f"stack '{stack}' is not named <environment>-<service>; services: {', '.join(SERVICES)}"
        raise ValueError(message)
    return environment, service
