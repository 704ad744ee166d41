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

    def to_json(self) -> dict[str, Any]:
        """The shape used in every ``--json`` document; what is not known is told in words."""
        return {
            "path": self.path,
            "kind": self.kind,
            "before": _plain(self.before),
            "after": _plain(self.after),
            "replaces": self.replaces,
        }


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource that is (to be) changed. `op` is Pulumi's: create, update, replace, delete, import."""

    op: str
    type: str
    name: str
    properties: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def short_type(self) -> str:
        """``ecs.Service`` for ``aws:ecs/service:Service``."""
        return short_type(self.type)

    def to_json(self) -> dict[str, Any]:
        """The shape used in every ``--json`` document."""
        return {
            "op": self.op,
            "type": self.type,
            "name": self.name,
            "properties": list(self.properties),
            "differences": [difference.to_json() for difference in self.differences],
        }


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
    changes: Sequence[Change] = ()
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


def _plain(value: Any) -> Any:
    if isinstance(value, Unknown):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def short_type(token: str) -> str:
    """``ecs.Service`` for ``aws:ecs/service:Service``; ``services.Crystal`` for ``ecs-tracing:services:Crystal``."""
    package, module, kind = token.split(":")
    return f"{'awsx' if package == 'awsx' else module.partition('/')[0]}.{kind}"
