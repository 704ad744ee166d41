"""Write the Python that `pulumi import` offers to copy: resource blocks of Pulumi's HCL in, declarations out.

    resource example "aws:ec2/vpc:Vpc" {         example = aws.ec2.Vpc("example",
        cidrBlock = "10.0.0.0/16"                    cidr_block="10.0.0.0/16",
        options { protect = true }                   opts=pulumi.ResourceOptions(protect=True))
    }

Reads HCL from standard input, prints Python. A process of its own, because the SDKs are asked which objects are types
of theirs, whose keys change to snake_case, and which are maps, whose keys stay.
"""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

TOKEN = re.compile(r'\s+|#[^\n]*|(?P<token>"(?:\\.|[^"\\])*"|[A-Za-z_][\w-]*|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\S)')
KEYWORDS = {"true": "True", "false": "False", "null": "None"}
INDENT = "    "


class Code(str):
    """A piece of Python, to be written as it stands."""

    __slots__ = ()


@dataclass
class Block:
    """One `KIND LABEL… { … }` of HCL: attributes by name, nested blocks by kind."""

    labels: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)
    blocks: dict[str, "Block"] = field(default_factory=dict)


class Reader:
    """Reads the part of HCL that `pulumi import` writes: blocks, literals, lists, objects, references, calls."""

    def __init__(self, source: str) -> None:
        self._tokens = [found["token"] for found in TOKEN.finditer(source) if found["token"]]
        self._next = 0

    def resources(self) -> Iterator[Block]:
        """Yield the resource blocks; others, such as package declarations, say nothing of resources."""
        while self._next < len(self._tokens):
            kind, block = self._take(), self._block()
            if kind == "resource":
                yield block

    def _take(self, expected: str = "") -> str:
        token = self._tokens[self._next] if self._next < len(self._tokens) else ""
        if not token or (expected and token != expected):
            raise ValueError(f"expected {expected or 'more'}, found {token or 'the end'}")
        self._next += 1
        return token

    def _sees(self, *tokens: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next] in tokens

    def _block(self) -> Block:
        block = Block([])
        while not self._sees("{"):
            block.labels.append(self._take().strip('"'))
        self._take("{")
        while not self._sees("}"):
            name = self._take()
            if self._sees("="):
                self._take("=")
                block.attributes[name] = self._value()
            else:
                block.blocks[name] = self._block()
        self._take("}")
        return block

    def _value(self) -> Any:
        token = self._take()
        if token == "[":  # noqa: S105 - a token of the grammar
            return list(self._items("]"))
        if token == "{":  # noqa: S105 - likewise
            return dict(self._pairs())
        if token.startswith('"'):
            return _text(token)
        if token[0].isdigit() or token[0] == "-":
            return Code(token)
        return Code(KEYWORDS.get(token) or self._reference(token))

    def _items(self, end: str) -> Iterator[Any]:
        while not self._sees(end):
            yield self._value()
            if self._sees(","):
                self._take(",")
        self._take(end)

    def _pairs(self) -> Iterator[tuple[str, Any]]:
        while not self._sees("}"):
            key = self._take()
            self._take("=" if self._sees("=") else ":")
            yield (_text(key) if key.startswith('"') else key), self._value()
            if self._sees(","):
                self._take(",")
        self._take("}")

    def _reference(self, name: str) -> str:
        if self._sees("("):
            self._take("(")
            arguments = ", ".join(_python(argument, 0) for argument in self._items(")"))
            return f"pulumi.Output.secret({arguments})" if name == "secret" else f"{snake(name)}({arguments})"
        code = snake(name)
        while self._sees(".", "["):
            if self._take() == ".":
                code += f".{snake(self._take())}"
            else:
                code += f"[{_python(self._value(), 0)}]"
                self._take("]")
        return code


def _text(token: str) -> str:
    """Return what a quoted token means; `$${` and `%%{` are how HCL spells `${` and `%{`."""
    return str(json.loads(token)).replace("$${", "${").replace("%%{", "%{")


def snake(name: str) -> str:
    """Return a name as the Python SDKs spell it: `vpcId` → `vpc_id`, `enableHTTP2` → `enable_http2`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.replace("-", "_"))
    return re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", spaced).lower()


def python_for(source: str) -> str:
    """Return Python declarations of all resources in a piece of HCL."""
    resources = list(Reader(source).resources())
    packages = sorted({resource.labels[1].split(":")[0] for resource in resources})
    imports = ["import pulumi", *(f"import pulumi_{package} as {package}" for package in packages)]
    return "\n".join([*imports, "", *map(_declaration, resources), ""])


def _declaration(resource: Block) -> str:
    label, token = resource.labels
    package, module_path, type_name = token.split(":")
    module_name = module_path.split("/")[0]
    inside = "" if module_name == "index" else f".{module_name}"
    module = _module(f"pulumi_{package}{inside}")
    logical = resource.attributes.pop("__logicalName", label)
    accepted = _annotations(module, type_name, "_internal_init")
    lines = [f"{snake(label)} = {package}{inside}.{type_name}({_python(logical, 0)},"]
    for name, value in resource.attributes.items():
        spelled = _respelled(value, accepted.get(snake(name), ""), module)
        lines.append(f"{INDENT}{snake(name)}={_python(spelled, 1)},")
    options = resource.blocks.get("options", Block([])).attributes
    if options:
        listed = ", ".join(
            f"{'import_' if name == 'import' else snake(name)}={_python(value, 1)}" for name, value in options.items()
        )
        lines.append(f"{INDENT}opts=pulumi.ResourceOptions({listed}),")
    return "\n".join(lines).removesuffix(",") + ")"


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None  # its SDK is not installed here; maps and objects are then told apart no more


def _annotations(module: ModuleType | None, type_name: str, constructor: str) -> dict[str, str]:
    """Return what the parameters of a constructor take, as text."""
    made_by = getattr(getattr(module, type_name, None), constructor, None)
    return {name: str(annotation) for name, annotation in getattr(made_by, "__annotations__", {}).items()}


def _respelled(value: Any, annotation: str, module: ModuleType | None) -> Any:
    """Return the value with the keys of objects, not those of maps, in snake_case."""
    if isinstance(value, list):
        return [_respelled(item, annotation, module) for item in value]
    inputs = re.search(r"\b(\w+Args)\b", annotation)
    if not isinstance(value, dict) or not inputs:
        return value
    nested = _annotations(module, inputs[1], "__init__")
    return {snake(key): _respelled(item, nested.get(snake(key), ""), module) for key, item in value.items()}


def _python(value: Any, depth: int) -> str:
    """Return a literal, one item a line."""
    if isinstance(value, Code):
        return value
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    pad = INDENT * (depth + 1)
    if isinstance(value, dict):
        body = "".join(f"{pad}{_python(key, 0)}: {_python(item, depth + 1)},\n" for key, item in value.items())
        return f"{{\n{body}{INDENT * depth}}}" if value else "{}"
    body = "".join(f"{pad}{_python(item, depth + 1)},\n" for item in value)
    return f"[\n{body}{INDENT * depth}]" if value else "[]"


if __name__ == "__main__":
    sys.stdout.write(python_for(sys.stdin.read()))
