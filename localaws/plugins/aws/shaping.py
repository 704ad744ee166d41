"""Between Pulumi's properties and AWS's API shapes, and between one reading of AWS and the next."""

from typing import Any

from localaws.plugins.aws.comparing import same
from localaws.plugins.aws.fields import Field, Fields, Kind, nothing
from localaws.plugins.aws.values import State, empty


def spelled(name: str, *, capitals: bool = True) -> str:
    """A property's name as AWS has it.

    Many services begin with a capital (EC2, ELB, IAM, Cloud Map), others as Pulumi does with a small letter (ECS, App
    Mesh, logs).
    """
    return name[:1].upper() + name[1:] if capitals else name


def to_aws(fields: Fields, given: State, *, capitals: bool = True) -> State:
    """The properties in AWS's spelling, nested ones too; what is absent stays absent."""
    return {
        fields[name].aws or spelled(name, capitals=capitals): _value_to_aws(fields[name], value, capitals=capitals)
        for name, value in given.items()
        if name in fields and value is not None
    }


def from_aws(fields: Fields, answer: State, *, capitals: bool = True) -> State:
    """The properties that an answer of AWS holds, in Pulumi's spelling; members that no field names are left out."""
    found: State = {}
    for name, known in fields.items():
        value = answer.get(known.aws or spelled(name, capitals=capitals))
        if value is not None:
            found[name] = _value_from_aws(known, value, capitals=capitals)
    return found


def _value_to_aws(known: Field, value: Any, *, capitals: bool) -> Any:
    if known.pairs:
        key, text = known.pairs
        return [{key: name, text: value[name]} for name in sorted(value)]
    if known.single:
        return _value_to_aws(known.item, value[0], capitals=capitals) if value else None
    if known.kind is Kind.BLOCK:
        return to_aws(known.fields, value, capitals=capitals)
    if known.kind in {Kind.LIST, Kind.SET}:
        return [_value_to_aws(known.item, item, capitals=capitals) for item in value]
    return value


def _value_from_aws(known: Field, value: Any, *, capitals: bool) -> Any:
    if known.pairs:
        key, text = known.pairs
        return {pair[key]: pair.get(text, "") for pair in value}
    if known.single:
        return [_value_from_aws(known.item, value, capitals=capitals)]
    if known.kind is Kind.BLOCK:
        return from_aws(known.fields, value, capitals=capitals)
    if known.kind in {Kind.LIST, Kind.SET}:
        return [_value_from_aws(known.item, item, capitals=capitals) for item in value]
    if known.kind is Kind.TEXT and not isinstance(value, str):
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    return value


def settled(fields: Fields, read: State, prior: State) -> State:
    """A reading of AWS, told in the words of the prior state wherever both mean the same.

    AWS may answer a set in another order or a policy in another spelling; nobody changed anything, so the state must
    not change either. What AWS does not know is carried over, and what it leaves out of the computed is filled in.
    """
    state: State = {}
    for name, known in fields.items():
        value = prior.get(name, known.default) if known.local else read.get(name)
        if value is None and (known.computed or known.output):
            value = nothing(known)
        if value is not None:
            state[name] = _retold(known, value, prior.get(name))
    return state


def asked(fields: Fields, prior: State, state: State) -> State:
    """The inputs that a program would have had to give for the state.

    After a refresh those given before, with their present values; after an import (nothing given before) all that are
    not AWS's own choice.
    """
    if prior:
        kept = {
            name: _projected(fields[name], value, state.get(name)) for name, value in prior.items() if name in fields
        }
        present = {name: value for name, value in kept.items() if value is not None}
        return {**present, **{name: value for name, value in prior.items() if name.startswith("__")}}
    given = {name: state[name] for name, known in fields.items() if name in state and not known.output}
    return {name: value for name, value in given.items() if not empty(value) or fields[name].default is not None}


def _retold(known: Field, value: Any, prior: Any) -> Any:
    if prior is None or type(value) is not type(prior):
        return value
    if known.kind is Kind.BLOCK:
        return {name: _retold(known.fields[name], item, prior.get(name)) for name, item in value.items()}
    if known.kind is Kind.LIST and len(value) == len(prior):
        return [_retold(known.item, item, old) for item, old in zip(value, prior, strict=True)]
    if known.kind is Kind.SET:
        return _in_order(known.item, value, prior)
    return prior if known.same is not None and known.same(value, prior) else value


def _in_order(known: Field, value: list[Any], prior: list[Any]) -> list[Any]:
    left, ordered = list(value), []
    for old in prior:
        twin = next((item for item in left if same(known, item, old)), None)
        if twin is not None:
            left.remove(twin)
            ordered.append(_retold(known, twin, old))
    return ordered + left


def _projected(known: Field, given: Any, now: Any) -> Any:
    """The present value, cut down to the parts of it that were given."""
    if known.kind is Kind.BLOCK and isinstance(given, dict) and isinstance(now, dict):
        return {name: _projected(known.fields[name], value, now[name]) for name, value in given.items() if name in now}
    if known.kind in {Kind.LIST, Kind.SET} and now is not None and len(given) == len(now):
        return [_projected(known.item, old, new) for old, new in zip(given, now, strict=True)]
    return now
