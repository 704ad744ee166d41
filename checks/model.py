"""What the checks read and what they say."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Severity = Literal["error", "warning"]

TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"

_SECRET = "[secret]"  # noqa: S105 - what stands in a plan in the place of one
_JSON = (str, int, float, bool, list, Mapping)


class Planned(Protocol):
    """A resource as it will be; values that are not JSON are those not known yet."""

    @property
    def type(self) -> str:
        """Pulumi's token, such as ``aws:ecs/service:Service``."""

    @property
    def name(self) -> str:
        """Its name in the program."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the program asks for, with Pulumi's names."""


class Changed(Protocol):
    """One property that differs."""

    @property
    def path(self) -> str:
        """Such as ``containerDefinitions[0].image``."""

    @property
    def before(self) -> Any:
        """What it was."""


class Step(Protocol):
    """What is to be done with one resource."""

    @property
    def op(self) -> str:
        """Pulumi's: create, update, replace, delete and so on."""

    @property
    def type(self) -> str:
        """Pulumi's token."""

    @property
    def name(self) -> str:
        """Its name in the program."""

    @property
    def differences(self) -> Sequence[Changed]:
        """What differs; nothing for what is created or deleted as a whole."""


class Stack(Protocol):
    """What becomes of one stack."""

    @property
    def service(self) -> str:
        """The service that it deploys."""

    @property
    def resources(self) -> Sequence[Planned]:
        """All that it will have."""

    @property
    def changes(self) -> Sequence[Step]:
        """How it gets there."""

    @property
    def problem(self) -> str:
        """Why the plan is not complete; "" when it is."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule objects to. `resource` is the name in the program; `fix` is what to do about it."""

    rule: str
    service: str
    resource: str
    message: str
    fix: str
    severity: Severity = "error"
    subject: str = ""  # the very value objected to, where an exception may be made for it


def is_known(value: Any) -> bool:
    """Whether a value is there and known."""
    return isinstance(value, _JSON) and value != _SECRET


def text(value: Any) -> str | None:
    """A text; None where it is absent, not known or something else."""
    return value if isinstance(value, str) and value != _SECRET else None


def number(value: Any) -> float | None:
    """A number; None likewise."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def listed(value: Any) -> Sequence[Any]:
    """A list, or the one value that stands for a list of one; empty where it is absent or not known."""
    if isinstance(value, list | tuple):
        return value
    return [value] if is_known(value) else []


def mapped(value: Any) -> Mapping[str, Any]:
    """A mapping; empty where it is absent or not known."""
    return value if isinstance(value, Mapping) else {}


def document(value: Any) -> Any:
    """What a JSON text says; None where it is absent, not known or not JSON. Plain data is taken as it is."""
    if not isinstance(value, str):
        return value if is_known(value) else None
    try:
        return json.loads(value)
    except ValueError:
        return None


def containers(resource: Planned) -> list[Mapping[str, Any]]:
    """The container definitions of a task definition; none where they are not known."""
    if resource.type != TASK_DEFINITION:
        return []
    definitions = document(resource.inputs.get("containerDefinitions"))
    return [each for each in listed(definitions) if isinstance(each, Mapping)]
