"""What a preview foresees, for the terminal, for machines, for a comment on a pull request, and for the checks.

Values are plain JSON as the engine tells them, with two exceptions: what is secret is `SECRET`, and what is not known
before another stack is deployed is an `Unknown`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["add", "delete", "update"]

SECRET = "[secret]"  # noqa: S105 - shown in the place of one


@dataclass(frozen=True)
class Unknown:
    """A value that is known only after a stack has been deployed; "" where it is a value of the same stack."""

    after: str = ""

    def __str__(self) -> str:
        return f"known after {self.after}" if self.after else "known after the deployment"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One property that differs; `path` as Pulumi writes it, such as ``containerDefinitions[0].image``."""

    path: str
    kind: Kind
    before: Any = None  # None for an addition
    after: Any = None  # None for a deletion
    replaces: bool = False  # because of it the resource is replaced


@dataclass(frozen=True, kw_only=True)
class ResourceForecast:
    """What becomes of one resource."""

    op: str  # create, update, replace, delete or import
    type: str  # token, such as aws:ecs/taskDefinition:TaskDefinition
    name: str
    differences: Sequence[Difference] = ()


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as it will be: what the checks look at."""

    type: str
    name: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class StackForecast:
    """What becomes of one stack."""

    service: str
    stack: str
    changes: Sequence[ResourceForecast] = ()
    resources: Sequence[Resource] = ()  # all that the stack will have
    unchanged: int = 0  # resources that stay as they are
    waits_for: Sequence[str] = ()  # stacks with changes of their own that this one's plan hangs on
    problem: str = ""  # why there is no (complete) plan


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What becomes of an environment."""

    environment: str
    base: str = ""  # the revision that it is compared with; "": the environment as it is deployed
    stacks: Sequence[StackForecast] = field(default_factory=tuple)  # in the order of deployment

    @property
    def changed(self) -> bool:
        """Whether anything would change."""
        return any(stack.changes for stack in self.stacks)

    @property
    def failed(self) -> bool:
        """Whether a stack has no plan."""
        return any(stack.problem for stack in self.stacks)
