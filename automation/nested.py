"""What differs inside a value: the container of a task, the statement of a policy, down to the single setting."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from automation.forecast import Difference, Kind, Unknown

_NAMES = ("name", "Name", "containerName", "Sid", "key")  # what tells one element of a list from the next


def settled(difference: Difference) -> Iterator[Difference]:
    """The differences within one, by path; the same difference where it has no inside.

    JSON texts are looked into. An element of a list goes by its name where it has one:
    ``containerDefinitions[envoy].environment[ENVOY_LOG_LEVEL]``.
    """
    before, after = _read(difference.before), _read(difference.after)
    if isinstance(before, Mapping | list) and isinstance(after, type(before)):
        for path, old, new in _walk(difference.path, before, after):
            yield Difference(path=path, kind=_kind(old, new), before=old, after=new, replaces=difference.replaces)
        return
    yield difference


def _walk(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _walk(f"{path}.{key}", before.get(key), after.get(key))
        return
    old, new = _by_name(before), _by_name(after)
    if old is None or new is None:
        yield path, before, after
        return
    for key in dict.fromkeys([*old, *new]):
        yield from _walk(f"{path}[{key}]", old.get(key), new.get(key))


def _by_name(value: Any) -> dict[str, Any] | None:
    """The elements of a list by name, or by number; None for what is no list. A name-value pair is its value."""
    if not isinstance(value, list):
        return None
    for name in _NAMES:
        names = [str(each[name]) for each in value if isinstance(each, Mapping) and name in each]
        if value and len(set(names)) == len(value):
            return {key: _value(each, name) for key, each in zip(names, value, strict=True)}
    return {str(number): each for number, each in enumerate(value)}


def _value(element: Mapping[str, Any], name: str) -> Any:
    rest = {key: each for key, each in element.items() if key != name}
    return rest["value"] if rest.keys() == {"value"} else element


def _kind(before: Any, after: Any) -> Kind:
    if before is None:
        return "add"
    return "delete" if after is None else "update"


def _read(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def words(value: Any) -> str:
    """A value on one line; what is not known, in words."""
    return str(value) if isinstance(value, Unknown) else json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Unknown) else value
