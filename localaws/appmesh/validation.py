"""Holds what a call gives against botocore's model of the service, in the words that AWS has for it."""

import re
from collections.abc import Iterator, Sized
from typing import Any

from moto.core.model import Shape

from localaws.appmesh.errors import bad_request

_SIZED = ("string", "blob", "list", "map")
_NUMBERS = ("integer", "long", "float", "double")


def validate(given: dict[str, Any], shape: Shape | None) -> None:
    """Refuse a call that does not fit its input shape.

    Raises:
        MeshError: BadRequestException, naming each value at fault, where it stands and what it has to be.

    """
    problems = [] if shape is None else list(_problems(given, shape, ""))
    if problems:
        errors = "error" if len(problems) == 1 else "errors"
        raise bad_request(f"{len(problems)} validation {errors} detected: {'; '.join(problems)}")


def _problems(value: Any, shape: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            if not isinstance(value, dict):
                yield _problem(value, path, "be a structure")
                return
            yield from _members(value, shape, path)
        case "list":
            for number, item in enumerate(value, 1):
                yield from _problems(item, shape.member, f"{path}.{number}.member")
        case "map":
            for key, item in value.items():
                yield from _problems(item, shape.value, f"{path}.{key}")
        case "string" if (allowed := getattr(shape, "enum", [])) and value not in allowed:
            yield _problem(value, path, f"satisfy enum value set: [{', '.join(allowed)}]")
    yield from _bounds(value, shape, path)


def _members(value: dict[str, Any], shape: Any, path: str) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield _problem(None, prefix + name, "not be null")
    given = {name: item for name, item in value.items() if item is not None and name in shape.members}
    if shape.is_tagged_union and len(given) != 1:
        yield _problem(given, path, f"have exactly one of the members: [{', '.join(shape.members)}]")
    for name, item in given.items():
        yield from _problems(item, shape.members[name], prefix + name)


def _bounds(value: Any, shape: Any, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name in _SIZED and isinstance(value, Sized):
        size, measure = len(value), "have length"
    elif shape.type_name in _NUMBERS:
        size, measure = value, "have value"
    else:
        return
    if low is not None and size < low:
        yield _problem(value, path, f"{measure} greater than or equal to {low}")
    if high is not None and size > high:
        yield _problem(value, path, f"{measure} less than or equal to {high}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.search(f"^(?:{pattern})$", value):
        yield _problem(value, path, f"satisfy regular expression pattern: {pattern}")


def _problem(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: Member must {constraint}"
