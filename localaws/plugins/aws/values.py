"""Property values as the engine sends them (protobuf Structs) and as this package handles them (plain Python).

Objects are dicts, lists lists; a whole number is an int whatever the wire says; what is not known during a preview is
the string `UNKNOWN`. Secrets do not arrive: the plugin does not ask for them, so the engine keeps the marks itself.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from google.protobuf.struct_pb2 import Struct, Value

State: TypeAlias = dict[str, Any]

# The engine's own sentinel for a value that will be known only after an update (sdk/go plugin.UnknownStringValue).
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
# Keys of the engine's wrapper around special values, and the signature of a secret (sdk/go resource.SecretSig).
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (a type tag, no password)


def from_struct(struct: Struct) -> State:
    """The fields of a Struct as plain Python values; nulls are left out, as an absent property is."""
    plain = {key: _from_value(value) for key, value in struct.fields.items()}
    return {key: value for key, value in plain.items() if value is not None}


def to_struct(state: Mapping[str, Any]) -> Struct:
    """The reverse of `from_struct`."""
    struct = Struct()
    struct.update({key: value for key, value in state.items() if value is not None})
    return struct


def unknown(value: object) -> bool:
    """Whether the value, or anything in it, is known only after an update."""
    if isinstance(value, dict):
        return any(unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(unknown(item) for item in value)
    return isinstance(value, str) and value == UNKNOWN


def empty(value: object) -> bool:
    """Whether the value says as little as an absent one: none, "", 0, false, or a collection without items."""
    return value is None or value in ("", 0, [], {})


def _from_value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        plain = from_struct(value.struct_value)
        return plain.get("value") if plain.get(SIGNATURE) == SECRET else plain
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind in {None, "null_value"}:
        return None
    return getattr(value, str(kind))
