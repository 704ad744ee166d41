"""WHAT is deployed: the registry of services, one stack each. Imports Pulumi, and nothing of the other packages."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from services.settings import Settings


class Component(Protocol):
    """What a service's `build` returns."""

    outputs: Mapping[str, Any]


@dataclass(frozen=True)
class ServiceEntry:
    """A service: its name, which is that of its module here, and the services whose stacks must be deployed before."""

    name: str
    needs: tuple[str, ...]

    def build(self, environment: str, settings: Settings) -> Component:
        """Build its stack by its module's `build`, which takes the name of the environment and the stack's settings.

        The module is loaded only now: the AWS SDK takes two seconds, which commands that deploy nothing need not wait.
        """
        component: Component = import_module(f"services.{self.name}").build(environment, settings)
        return component


_ENTRIES = (
    ServiceEntry("platform", ()),
    ServiceEntry("crystal", ("platform",)),
    ServiceEntry("nodejs", ("platform",)),
    ServiceEntry("frontend", ("platform", "crystal", "nodejs")),
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
