"""Check: what a program gives is tested against the description of its type and completed with the defaults.

The result is what the official provider would hold as inputs: every default filled in and listed under `__defaults`
(an auto-named resource is told by it from a named one), the region, and `tagsAll`.
"""

import difflib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.plugins.aws.fields import Field, Fields, Kind
from localaws.plugins.aws.resource import Resource
from localaws.plugins.aws.values import UNKNOWN, State, unknown

DEFAULTS = "__defaults"
RANDOM_DIGITS = 7  # hexadecimal, after the logical name


@dataclass(frozen=True)
class Failure:
    """One reason for which an input is refused: the property's path and the sentence that goes on from it."""

    path: str
    reason: str


@dataclass
class Checking:
    """One pass over the inputs of one resource. Failures are collected, all of them, in the order of the inputs."""

    token: str
    failures: list[Failure] = field(default_factory=list)

    def fail(self, path: str, reason: str) -> None:
        """Note one reason for a refusal."""
        self.failures.append(Failure(path, reason))

    def block(self, fields: Fields, given: State, path: str = "") -> State:
        """The object with its values converted to their kinds and its nested defaults filled in."""
        checked: State = {}
        for name, value in given.items():
            if value is None or name.startswith("__"):
                continue
            known = fields.get(name)
            if known is None or known.output:
                self.fail(path + name, self._stranger(name, fields, known))
                continue
            checked[name] = self._value(known, value, path + name)
        for name, known in fields.items():
            if name in checked:
                continue
            if known.required:
                self.fail(path + name, f"is required for {self.token}, but was not given")
            elif known.default is not None:
                checked[name] = known.default
        return checked

    def _stranger(self, name: str, fields: Fields, known: Field | None) -> str:
        if known is not None:
            return "is set by AWS and can't be given"
        inputs = [other for other, described in fields.items() if not described.output]
        near = difflib.get_close_matches(name, inputs, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(sorted(inputs))}"
        return f"is not a property of {self.token} that the local stand-in of the aws plugin knows; {hint}"

    def _value(self, known: Field, value: Any, path: str) -> Any:
        if isinstance(value, str) and value == UNKNOWN:
            return value
        match known.kind:
            case Kind.BLOCK if isinstance(value, dict):
                return self.block(known.fields, value, f"{path}.")
            case Kind.LIST | Kind.SET if isinstance(value, list):
                checked = [self._value(known.item, item, f"{path}[{index}]") for index, item in enumerate(value)]
                self.rules(known, checked, path)
                return checked
            case Kind.TABLE if isinstance(value, dict):
                return {key: _as_text(item) for key, item in value.items() if item is not None}
        try:
            converted = _scalar(known.kind, value)
        except ValueError:
            self.fail(path, f"must be a {known.kind.value}, not {value!r}")
            return value
        self.rules(known, converted, path)
        return converted

    def rules(self, known: Field, value: Any, path: str) -> None:
        """Test a value of the right kind against the choices and checks of its field."""
        if unknown(value):
            return
        if known.choices and value not in known.choices:
            self.fail(path, f"must be one of {', '.join(known.choices)}, not {value!r}")
        for check in known.checks:
            reason = check(value)
            if reason:
                self.fail(path, reason)


@dataclass(frozen=True)
class Names:
    """Where the name of a resource that is given none comes from.

    It is made of the logical name and the engine's random seed, or taken from the inputs of the last update (a made-up
    name is kept), or what the project's autonaming settings propose.
    """

    logical: str
    seed: bytes
    old: State
    proposed: str

    def name(self, key: str, prefix: str, longest: int) -> str:
        """The name, of so many characters at most."""
        if key in self.old.get(DEFAULTS, ()) and key in self.old:
            return str(self.old[key])
        if self.proposed:
            return self.proposed
        digits = random.Random(self.seed or None).choices("0123456789abcdef", k=RANDOM_DIGITS)  # noqa: S311 (no secret)
        return (prefix or f"{self.logical}-")[: longest - RANDOM_DIGITS] + "".join(digits)


def check(kind: Resource, given: State, names: Names, settings: State) -> tuple[State, list[Failure]]:
    """The completed inputs, and everything wrong with them. `settings` are the provider's (region, defaultTags)."""
    checking = Checking(kind.token)
    inputs = checking.block(kind.fields, given)
    defaults = [key for key in inputs if key not in given]
    for key, known in kind.fields.items():
        if known.autoname and key not in inputs:
            inputs[key] = names.name(key, str(inputs.get(f"{key}Prefix", "")), known.autoname)
            checking.rules(known, inputs[key], key)
            defaults.append(key)
    if "region" in kind.fields and "region" not in inputs and settings.get("region"):
        inputs["region"] = settings["region"]
    if "tagsAll" in kind.fields:
        inputs.update(_all_tags(inputs.get("tags"), settings))
    if not checking.failures:
        inputs[DEFAULTS] = sorted(defaults)
        checking.failures += [Failure(path, reason) for path, reason in kind.verify(inputs)]
    return inputs, checking.failures


def default_tags(settings: Mapping[str, Any]) -> dict[str, str]:
    """The tags that the provider's configuration puts on every resource."""
    configured = settings.get("defaultTags") or {}
    if isinstance(configured, str):  # plain `aws:defaultTags` configuration arrives as JSON text
        configured = json.loads(configured)
    return dict(configured.get("tags") or {})


def _all_tags(tags: object, settings: State) -> Iterator[tuple[str, Any]]:
    if unknown(tags):
        yield "tagsAll", UNKNOWN
        return
    merged = {**default_tags(settings), **(tags if isinstance(tags, dict) else {})}
    if merged:
        yield "tagsAll", merged


def _scalar(kind: Kind, value: Any) -> Any:
    """The value as its kind; spellings that Terraform accepts too are converted ("3000" for 3000, "true" for true)."""
    plain = not isinstance(value, (dict, list))
    match kind:
        case Kind.TEXT if plain:
            return _as_text(value)
        case Kind.FLAG if isinstance(value, bool):
            return value
        case Kind.FLAG if value in ("true", "false"):
            return value == "true"
        case Kind.WHOLE | Kind.NUMBER if plain and not isinstance(value, bool):
            parsed = float(value)
            if parsed.is_integer():
                return int(parsed)
            if kind is Kind.NUMBER:
                return parsed
    raise ValueError(value)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
