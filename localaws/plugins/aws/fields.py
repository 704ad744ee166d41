"""How a resource type describes its properties: one `Field` each, nested where the property is an object.

The descriptions drive everything that is the same for all types: what Check accepts, which defaults it fills in, what
Diff calls a change or a replacement, and how a property is spelled in AWS's own API. Names are Pulumi's (camelCase).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeAlias, TypedDict, Unpack


class Kind(Enum):
    """The shape of a property's value."""

    TEXT = "string"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "boolean"
    TABLE = "map of strings"
    LIST = "list"
    SET = "list, in any order,"
    BLOCK = "object"


# Says what is wrong with a value, or None. Values are of the field's kind already, and known.
Check: TypeAlias = Callable[[Any], str | None]
# Whether two values mean the same to AWS, though spelled differently.
Same: TypeAlias = Callable[[Any, Any], bool]


class Facts(TypedDict, total=False):
    """What may be said of a field; see `Field`."""

    required: bool
    replaces: bool
    computed: bool
    output: bool
    local: bool
    default: Any
    choices: tuple[str, ...]
    checks: tuple[Check, ...]
    same: Same | None
    autoname: int
    aws: str
    pairs: tuple[str, str]
    single: bool


@dataclass(frozen=True, kw_only=True)
class Field:
    """One property.

    required: must be given. replaces: a change makes a new resource. computed: AWS chooses where nothing is given.
    output: can't be given at all. local: AWS does not know it; it lives in the state. default: filled in by Check.
    choices: the values allowed. checks: further rules. same: equality beyond spelling. autoname: the longest name in
    characters that is made up where none is given (0: none is). aws: AWS's name where it is not the Pulumi one. pairs:
    a map that is a list of pairs to AWS, with these members. single: a list that stands for one optional object.
    """

    kind: Kind
    of: "Field | None" = None
    fields: Mapping[str, "Field"] = field(default_factory=dict)
    required: bool = False
    replaces: bool = False
    computed: bool = False
    output: bool = False
    local: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    same: Same | None = None
    autoname: int = 0
    aws: str = ""
    pairs: tuple[str, str] | None = None
    single: bool = False

    @property
    def item(self) -> "Field":
        """What a list holds."""
        if self.of is None:
            raise TypeError(f"a {self.kind.value} holds no items")
        return self.of


Fields: TypeAlias = Mapping[str, Field]


def text(**facts: Unpack[Facts]) -> Field:
    """A string."""
    return Field(kind=Kind.TEXT, **facts)


def whole(**facts: Unpack[Facts]) -> Field:
    """A whole number."""
    return Field(kind=Kind.WHOLE, **facts)


def number(**facts: Unpack[Facts]) -> Field:
    """A number with or without a fraction."""
    return Field(kind=Kind.NUMBER, **facts)


def flag(**facts: Unpack[Facts]) -> Field:
    """True or false."""
    return Field(kind=Kind.FLAG, **facts)


def table(**facts: Unpack[Facts]) -> Field:
    """A map of strings to strings."""
    return Field(kind=Kind.TABLE, **facts)


def block(fields: Fields, **facts: Unpack[Facts]) -> Field:
    """A nested object."""
    return Field(kind=Kind.BLOCK, fields=fields, **facts)


def many(of: Field, **facts: Unpack[Facts]) -> Field:
    """A list whose order counts."""
    return Field(kind=Kind.LIST, of=of, **facts)


def unordered(of: Field, **facts: Unpack[Facts]) -> Field:
    """A list whose order means nothing."""
    return Field(kind=Kind.SET, of=of, **facts)


def output(of: Field) -> Field:
    """The field as a pure output."""
    return replace(of, output=True)


def tagged(fields: Fields) -> Fields:
    """The fields of a type that carries tags and lives in a region: nearly all."""
    return regional({**fields, "tags": table(), "tagsAll": table(computed=True)})


def regional(fields: Fields) -> Fields:
    """The fields of a type that lives in a region; moving it to another makes a new one."""
    return {**fields, "region": text(computed=True, replaces=True)}


def nothing(of: Field) -> Any:
    """What the official provider reports for a computed property that AWS leaves out."""
    return {Kind.TEXT: "", Kind.WHOLE: 0, Kind.NUMBER: 0, Kind.FLAG: False, Kind.TABLE: {}, Kind.BLOCK: None}.get(
        of.kind, []
    )
