"""Reads the body of a request by botocore's model of X-Ray: each parameter of the type that the model tells.

Source: the protocol restJson1. Timestamps are seconds since the epoch, which botocore, and the JSON protocol, send.
"""

import json
from typing import Any

from botocore.utils import parse_timestamp
from moto.core.utils import get_service_model

from localaws.appmesh.errors import MeshError
from localaws.appmesh.validation import validate
from localaws.xray.errors import XRayError, invalid

_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": (int, float),
}


def parameters(operation: str, body: bytes) -> dict[str, Any]:
    """Return the parameters of a call by name; those that are null, or that the model does not have, left out.

    Raises:
        XRayError: the body is no JSON, or does not fit the model.

    """
    shape = get_service_model("xray").operation_model(operation).input_shape
    try:
        found: dict[str, Any] = _read(json.loads(body or b"{}"), shape, "the body")
    except (ValueError, RecursionError, OverflowError) as error:
        raise XRayError("SerializationException", f"The request can't be read: {error}") from error
    try:
        validate(found, shape)
    except MeshError as error:
        raise invalid(error.message) from error
    return found


def _read(value: Any, shape: Any, name: str) -> Any:
    kind = shape.type_name
    if kind == "timestamp":
        return parse_timestamp(value).timestamp()
    _check_type(value, kind, name)
    match kind:
        case "structure":
            present = {key: value[key] for key in shape.members if value.get(key) is not None}
            return {key: _read(one, shape.members[key], key) for key, one in present.items()}
        case "list":
            return [_read(one, shape.member, f"a member of {name}") for one in value]
        case "map":
            return {key: _read(one, shape.value, f"{name}.{key}") for key, one in value.items()}
        case "string":
            value.encode()  # what is no Unicode can't be kept
    return value


def _check_type(value: object, kind: str, name: str) -> None:
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        message = f"{name} is not of the type {kind}"
        raise ValueError(message)
