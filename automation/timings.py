"""When what of a run was worked on, in seconds since the epoch: what its trace is made of."""

import time
from dataclasses import dataclass, field
from typing import Any

from automation.forecast import short_type

# What the engine does not work on, or tells only to sum up the two halves of a replacement.
_NO_WORK = {"same", "read", "refresh", "replace", "discard-replaced", "remove-pending-replace"}


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A step of a run, of one service or, without one, of all."""

    name: str  # preview, verify, review
    service: str = ""
    began: float
    ended: float


@dataclass(kw_only=True)
class Worked:
    """The engine's work on one resource."""

    op: str  # such as create-replacement
    type: str
    name: str
    began: float
    ended: float | None = None  # None: nobody said
    failed: bool = False


@dataclass
class Timings:
    """The engine's work on the resources of a stack. Times are ours: its events bear none finer than a second."""

    _worked: dict[tuple[str, str], Worked] = field(default_factory=dict)

    def begin(self, metadata: Any) -> None:
        """A step over a resource begins."""
        op = _op(metadata)
        if op not in _NO_WORK and not metadata.type.startswith("pulumi:"):
            name = metadata.urn.rpartition("::")[2]
            self._worked[metadata.urn, op] = Worked(op=op, type=short_type(metadata.type), name=name, began=time.time())

    def end(self, metadata: Any, *, failed: bool = False) -> None:
        """It ended."""
        worked = self._worked.get((metadata.urn, _op(metadata)))
        if worked is not None:
            worked.ended, worked.failed = time.time(), failed

    def worked(self) -> list[Worked]:
        """By when it began."""
        return list(self._worked.values())


def _op(metadata: Any) -> str:
    return str(getattr(metadata.op, "value", metadata.op))
