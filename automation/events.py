"""What the engine says while it works, folded into what a run needs to know about one stack.

`Progress.observe` takes the events of `pulumi.automation` one by one; it never raises, since an exception in an event
handler would be reduced to a warning by the engine.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from automation.differences import differences, known
from automation.forecast import Change, Resource, short_type
from automation.timings import Timings

_COLOUR = re.compile(r"<\{%.*?%\}>")

# Steps that make up one replacement; only "replace" itself is reported, so that it counts once.
_PARTS_OF_REPLACE = {"create-replacement", "delete-replaced", "discard-replaced", "remove-pending-replace"}
_NOT_A_CHANGE = {"same", "read", "refresh"}
STACK_TYPE = "pulumi:pulumi:Stack"
# Pulumi's own book-keeping (stack, providers, stack references): steps of a run, but nothing that a user deployed.
_BOOK_KEEPING = "pulumi:"
# The CLI repeats a program's failure under this heading; once is enough.
_REPETITION = "an unhandled error occurred:"


@dataclass(kw_only=True)
class Progress:
    """What is known of one engine run so far."""

    planned: int | None = None  # steps a preview foresaw; None when there was none
    done: int = 0
    current: str = ""
    changes: dict[str, Change] = field(default_factory=dict)  # by URN
    applied: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 0
    resources: dict[str, Resource] = field(default_factory=dict)  # by URN, as they will be
    timings: Timings = field(default_factory=Timings)

    def observe(self, event: Any) -> None:
        """Take one `pulumi.automation.EngineEvent`."""
        if event.resource_pre_event:
            self.timings.begin(event.resource_pre_event.metadata)
            self._started(event.resource_pre_event.metadata)
        elif event.res_outputs_event:
            self.timings.end(event.res_outputs_event.metadata)
            self._finished(event.res_outputs_event.metadata)
        elif event.res_op_failed_event:
            metadata = event.res_op_failed_event.metadata
            self.timings.end(metadata, failed=True)
            self.failed.append(f"{short_type(metadata.type)} {_name(metadata.urn)}")
        elif event.diagnostic_event:
            self._diagnosed(event.diagnostic_event)

    def begin_again(self) -> None:
        """The same stack is tried once more: what was applied stays, what went wrong is to be told anew."""
        self.steps = self.done = 0
        self.failed.clear()
        self.errors.clear()
        self.warnings.clear()

    def become(self, other: "Progress") -> None:
        """Know what `other` knows, which went on from this where the engine runs."""
        for each in fields(self):
            setattr(self, each.name, getattr(other, each.name))

    def _started(self, metadata: Any) -> None:
        op = _value(metadata.op)
        if op in _PARTS_OF_REPLACE:
            return
        self.steps += 1
        if metadata.new is not None and op != "delete" and not metadata.type.startswith(_BOOK_KEEPING):
            inputs = known(metadata.new.inputs or {})
            self.resources[metadata.urn] = Resource(type=metadata.type, name=_name(metadata.urn), inputs=inputs)
        if op in _NOT_A_CHANGE or metadata.type.startswith(_BOOK_KEEPING):
            return
        self.current = f"{op} {short_type(metadata.type)} {_name(metadata.urn)}"
        self.changes[metadata.urn] = _change(op, metadata)

    def _finished(self, metadata: Any) -> None:
        op = _value(metadata.op)
        if metadata.type == STACK_TYPE and metadata.new is not None:
            self.outputs = metadata.new.outputs or {}
        if op in _PARTS_OF_REPLACE:
            return
        self.done += 1
        if op not in _NOT_A_CHANGE and not metadata.type.startswith(_BOOK_KEEPING):
            self.applied[op] += 1
            # A refresh announces a look ("refresh") and only here says what it found: that is the drift.
            self.changes.setdefault(metadata.urn, _change(op, metadata))

    def _diagnosed(self, diagnostic: Any) -> None:
        message = _COLOUR.sub("", diagnostic.message).strip()
        if not message or diagnostic.ephemeral or message.startswith(_REPETITION):
            return
        prefix = f"{_name(diagnostic.urn)}: " if diagnostic.urn and STACK_TYPE not in diagnostic.urn else ""
        kept = {"error": self.errors, "warning": self.warnings}.get(diagnostic.severity)
        if kept is not None and prefix + message not in kept:
            kept.append(prefix + message)


def summarise(changes: Mapping[str, int] | Counter[str]) -> str:
    """``replace 1, update 1, create 1``; ``no changes`` when there are none."""
    return ", ".join(f"{op} {count}" for op, count in sorted(changes.items()) if count) or "no changes"


def _change(op: str, metadata: Any) -> Change:
    return Change(
        op=op,
        type=metadata.type,
        name=_name(metadata.urn),
        properties=_properties(metadata),
        differences=differences(metadata),
    )


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _value(op: Any) -> str:
    return str(getattr(op, "value", op))


def _properties(metadata: Any) -> tuple[str, ...]:
    """Top-level names of the properties that differ."""
    paths = list(metadata.detailed_diff or {}) or list(metadata.diffs or [])
    return tuple(sorted({re.split(r"[.\[]", path, maxsplit=1)[0] for path in paths}))
