"""WHAT is deployed: the registry of services, one stack each. Imports Pulumi, and nothing of the other packages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from services import crystal, frontend, nodejs, platform
from services.settings import Settings


class Component(Protocol):
    """What a service's `build` returns."""

    outputs: Mapping[str, Any]


@dataclass(frozen=True)
class ServiceEntry:
    """A service: its name, the services whose stacks must be deployed before, and what builds its stack.

    `build` takes the name of the environment and the stack's settings.
    """

    name: str
    needs: tuple[str, ...]
    build: Callable[[str, Settings], Component]


_ENTRIES = (
    ServiceEntry("platform", (), platform.build),
    ServiceEntry("crystal", ("platform",), crystal.build),
    ServiceEntry("nodejs", ("platform",), nodejs.build),
    ServiceEntry("frontend", ("platform", "crystal", "nodejs"), frontend.build),
)

SERVICES: Mapping[str, ServiceEntry] = {entry.name: entry for entry in _ENTRIES}


class StackNameError(ValueError):
    """A stack whose name says no environment or no known service."""


def split_stack_name(stack: str) -> tuple[str, str]:
    """``("prod-eu", "crystal")`` for ``prod-eu-crystal``.

    Raises:
        StackNameError: the name does not end in a known service, or nothing stands before it.
    """
    environment, _, service = stack.rpartition("-")
    if not environment or service not in SERVICES:
        raise StackNameError(
            f"stack '{stack}' is not named <environment>-<service> with a service of {', '.join(SERVICES)}. "
            "Next: pulumi stack init local-crystal (for example)"
        )
    return environment, service
