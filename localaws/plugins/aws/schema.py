"""The plugin's schema: what `pulumi import` needs to write the program text of what it has imported."""

import json
from typing import Any

from localaws.plugins.aws.catalogue import MODULES, resource
from localaws.plugins.aws.fields import Field, Fields, Kind

# The engine's own: computed by Check from `tags` and the provider's default tags, no argument of the SDK.
NOT_GIVEN = {"tagsAll"}
PLAIN = {Kind.TEXT: "string", Kind.WHOLE: "integer", Kind.NUMBER: "number", Kind.FLAG: "boolean"}


def schema(version: str) -> str:
    """The inputs of every resource type, as the JSON that GetSchema answers with."""
    types: dict[str, Any] = {}
    resources = {token: _inputs(token, resource(token).fields, types) for token in MODULES}
    return json.dumps(
        {
            "name": "aws",
            "version": version,
            "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},  # aws:ec2/vpc:Vpc belongs to the module ec2
            "resources": {
                token: {"inputProperties": found["properties"], "requiredInputs": found["required"]}
                for token, found in resources.items()
            },
            "types": types,
        }
    )


def _inputs(token: str, fields: Fields, types: dict[str, Any]) -> dict[str, Any]:
    given = {name: field for name, field in fields.items() if not field.output and name not in NOT_GIVEN}
    return {
        "type": "object",
        "properties": {name: _type(_nested(token, name), field, types) for name, field in given.items()},
        "required": [name for name, field in given.items() if field.required],
    }


def _type(token: str, field: Field, types: dict[str, Any]) -> dict[str, Any]:
    if field.kind in PLAIN:
        return {"type": PLAIN[field.kind]}
    if field.kind is Kind.TABLE:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if field.kind is Kind.BLOCK:
        types[token] = _inputs(token, field.fields, types)
        return {"$ref": f"#/types/{token}"}
    return {"type": "array", "items": _type(token, field.item, types)}


def _nested(token: str, name: str) -> str:
    """The token of the object type that a property of another type holds: `aws:ecs/ServiceLoadBalancers:Service…`."""
    package, module, owner = token.split(":")
    kind = f"{owner}{name[0].upper()}{name[1:]}"
    return f"{package}:{module.split('/')[0]}/{kind}:{kind}"
