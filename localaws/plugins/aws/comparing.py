"""Diff: the state AWS is in against the inputs a program asks for now.

Comparing with the state, not with the last inputs, is what repairs drift: once a refresh has read what somebody
changed by hand, the next update changes it back.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from localaws.plugins.aws.fields import Field, Fields, Kind
from localaws.plugins.aws.values import UNKNOWN, State, empty


class Act(Enum):
    """What happens to a property; the names are those of the protocol's PropertyDiff kinds."""

    ADD = "ADD"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True)
class Change:
    """One property that differs: its path (`a.b[0].c`), what happens, and whether that takes a new resource."""

    path: str
    act: Act
    replaces: bool

    @property
    def top(self) -> str:
        """The top-level property the change lies in."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


def changes(fields: Fields, state: State, wanted: State, ignored: Sequence[str] = ()) -> list[Change]:
    """All changes that make `state` what is `wanted`, without those below an ignored path."""
    found = [
        change
        for name, known in fields.items()
        if not known.output
        for change in _compare(known, name, state.get(name), wanted.get(name))
    ]
    return [change for change in found if not any(_below(change.path, path) for path in ignored)]


def same(known: Field, one: Any, other: Any) -> bool:
    """Whether going from one value to the other changes nothing."""
    return not any(_compare(known, "", one, other))


def _compare(known: Field, path: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(new, str) and new == UNKNOWN:
        yield Change(path, Act.ADD if empty(old) else Act.UPDATE, known.replaces)
    elif empty(old) and empty(new):
        return
    elif new is None or (known.computed and empty(new) and known.kind is not Kind.FLAG):
        if not known.computed:
            yield Change(path, Act.DELETE, known.replaces)
    elif known.same is not None and not empty(old) and known.same(old, new):
        return
    elif empty(old):
        # A block whose parts are all what AWS takes for granted anyway says nothing new.
        if known.kind is not Kind.BLOCK or any(_parts(known, path, {}, new)):
            yield Change(path, Act.ADD, known.replaces)
    elif empty(new):
        yield Change(path, Act.DELETE if isinstance(new, (dict, list)) else Act.UPDATE, known.replaces)
    else:
        yield from _parts(known, path, old, new)


def _parts(known: Field, path: str, old: Any, new: Any) -> Iterator[Change]:
    match known.kind:
        case Kind.BLOCK:
            for name, part in known.fields.items():
                for change in _compare(part, f"{path}.{name}", old.get(name), new.get(name)):
                    yield Change(change.path, change.act, change.replaces or known.replaces)
        case Kind.TABLE:
            yield from _keys(known, path, old, new)
        case Kind.LIST:
            yield from _items(known, path, old, new)
        case Kind.SET:
            yield from _members(known, path, old, new)
        case _ if old != new:
            yield Change(path, Act.UPDATE, known.replaces)


def _keys(known: Field, path: str, old: State, new: State) -> Iterator[Change]:
    for key in sorted({*old, *new}):
        place = f"{path}.{key}" if re.fullmatch(r"[A-Za-z_]\w*", key) else f'{path}["{key}"]'
        if key not in new:
            yield Change(place, Act.DELETE, known.replaces)
        elif key not in old:
            yield Change(place, Act.ADD, known.replaces)
        elif old[key] != new[key]:
            yield Change(place, Act.UPDATE, known.replaces)


def _items(known: Field, path: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    for index in range(max(len(old), len(new))):
        place = f"{path}[{index}]"
        if index >= len(new):
            yield Change(place, Act.DELETE, known.replaces)
        elif index >= len(old):
            yield Change(place, Act.ADD, known.replaces)
        else:
            for change in _compare(known.item, place, old[index], new[index]):
                yield Change(change.path, change.act, change.replaces or known.replaces)


def _members(known: Field, path: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    """Members are the same when nothing in them differs, wherever they stand; what is left over came or went."""
    left = list(range(len(old)))
    added = []
    for index, item in enumerate(new):
        twin = next((place for place in left if same(known.item, old[place], item)), None)
        if twin is None:
            added.append(index)
        else:
            left.remove(twin)
    for index in sorted({*left, *added}):
        act = Act.UPDATE if index in left and index in added else Act.ADD if index in added else Act.DELETE
        yield Change(f"{path}[{index}]", act, known.replaces)


def _below(path: str, ignored: str) -> bool:
    """Whether a path lies at or below an ignored one (`a.b`, `a[0]`, `a["b"]`, `*` for any one step)."""
    steps, wanted = _steps(path), _steps(ignored)
    return len(steps) >= len(wanted) and all(rule in {"*", step} for step, rule in zip(steps, wanted, strict=False))


def _steps(path: str) -> list[str]:
    return [
        quoted or index or name for quoted, index, name in re.findall(r'\["([^"]*)"\]|\[(\d+|\*)\]|([^.\[\]]+)', path)
    ]
