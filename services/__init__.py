"""WHAT is deployed: the registry of services, one stack each. Imports Pulumi, and nothing of the other packages."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from services.fleet import read
from services.fleet_model import Fleet, Platform, Service
from services.settings import Settings
from services.sizes import TASK_CPU

ROOT = Path(__file__).resolve().parent.parent
_NAMED = 12  # services in an error


class Component(Protocol):
    """What a service's `build` returns."""

    outputs: Mapping[str, Any]


@dataclass(frozen=True)
class ServiceEntry:
    """A service: its name, and the services whose stacks must be deployed before.

    It is built by what its fleet declares; else by the module here that has its name.
    """

    name: str
    needs: tuple[str, ...]
    declared: Service | Platform | None = None

    @property
    def is_platform(self) -> bool:
        """Whether it is a platform, which every other service needs."""
        return not self.needs

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags by which it may be selected."""
        return tuple(self.declared.tags) if isinstance(self.declared, Service) else ()

    @property
    def cpu(self) -> int:
        """What a task of it has unless its settings say: units, 1024 a vCPU."""
        return self.declared.cpu if isinstance(self.declared, Service) else TASK_CPU

    @property
    def is_entrance(self) -> bool:
        """Whether the gateway leads to it; it alone may scale."""
        return self.declared.entrance if isinstance(self.declared, Service) else self.name == "frontend"

    def build(self, environment: str, settings: Settings) -> Component:
        """Build its stack by a module's `build`, which takes the name of the environment and the stack's settings.

        The module is loaded only now: the AWS SDK takes two seconds, which commands that deploy nothing need not wait.
        """
        component: Component
        if self.declared is None:
            component = import_module(f"services.{self.name}").build(environment, settings)
        elif isinstance(self.declared, Service):
            component = import_module("services.declared").build(self.declared, environment, settings)
        else:
            component = import_module("services.platform").build(environment, settings, self.declared)
        return component


_BUILT_IN = (
    ServiceEntry("platform", ()),
    ServiceEntry("crystal", ("platform",)),
    ServiceEntry("nodejs", ("platform",)),
    ServiceEntry("frontend", ("platform", "crystal", "nodejs")),
)


def entries(fleet: Fleet | None) -> dict[str, ServiceEntry]:
    """The entries of a fleet, platforms first, then who is called before its callers; None: the demo's four."""
    if fleet is None:
        return {entry.name: entry for entry in _BUILT_IN}
    platforms = [ServiceEntry(name, (), platform) for name, platform in fleet.platforms.items()]
    services = [
        ServiceEntry(name, (service.platform, *(call.service for call in service.calls)), service)
        for name, service in fleet.services.items()
    ]
    return {entry.name: entry for entry in (*platforms, *services)}


class Registry(MutableMapping[str, ServiceEntry]):
    """The entries by name. They are read when first looked at, where a mistake in ``fleet.yaml`` is a `FleetError`."""

    @cached_property
    def found(self) -> dict[str, ServiceEntry]:
        """All of them."""
        return entries(read(ROOT))

    def __getitem__(self, name: str) -> ServiceEntry:
        return self.found[name]

    def __setitem__(self, name: str, entry: ServiceEntry) -> None:
        self.found[name] = entry

    def __delitem__(self, name: str) -> None:
        del self.found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def platforms(self) -> list[Platform]:
        """Those that there are."""
        return [
            entry.declared if isinstance(entry.declared, Platform) else Platform(name=entry.name)
            for entry in self.values()
            if entry.is_platform
        ]


SERVICES = Registry()


class StackNameError(ValueError):
    """A stack whose name says no environment or no known service."""


def split_stack_name(stack: str) -> tuple[str, str]:
    """``("prod-eu", "crystal")`` for ``prod-eu-crystal``. Of several services that fit, it is the longest.

    Raises:
        StackNameError: the name does not end in a known service, or nothing stands before it.
    """
    for start in (index for index, letter in enumerate(stack) if letter == "-" and index):
        if stack[start + 1 :] in SERVICES:
            return stack[:start], stack[start + 1 :]
    some = list(SERVICES)
    named = ", ".join(some if len(some) <= _NAMED else [*some[:_NAMED], "…"])
    example = "crystal" if "crystal" in SERVICES else some[-1]
    raise StackNameError(
        f"stack '{stack}' is not named <environment>-<service> with a service of {named}. "
        f"Next: pulumi stack init local-{example} (for example)"
    )
