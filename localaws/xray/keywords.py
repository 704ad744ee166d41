"""The keywords of X-Ray's filter expressions: what each says of a trace, or of a segment within braces."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from localaws.xray import summaries
from localaws.xray.trace import CLIENT, Part, Service, Trace

_S = TypeVar("_S")

Condition = Callable[[_S], bool]
Kind = Literal["boolean", "number", "string"]

_ANY: tuple[Kind, ...] = ("boolean", "number", "string")
_COMPARISONS: Mapping[str, tuple[tuple[Kind, ...], Callable[[Any, Any], bool]]] = {
    "=": (_ANY, lambda value, constant: bool(value == constant)),
    "!=": (_ANY, lambda value, constant: bool(value != constant)),
    "<": (("number",), lambda value, constant: bool(value < constant)),
    "<=": (("number",), lambda value, constant: bool(value <= constant)),
    ">": (("number",), lambda value, constant: bool(value > constant)),
    ">=": (("number",), lambda value, constant: bool(value >= constant)),
    "contains": (("string",), lambda value, constant: constant in value),
    "beginswith": (("string",), lambda value, constant: bool(value.startswith(constant))),
    "endswith": (("string",), lambda value, constant: bool(value.endswith(constant))),
}
OPERATORS: Mapping[str, tuple[Kind, ...]] = {name: kinds for name, (kinds, _) in _COMPARISONS.items()}


@dataclass(frozen=True)
class Keyword(Generic[_S]):
    """A keyword: what its values are like, and how to find those of a trace or a part; there may be none."""

    kind: Kind
    values: Callable[[_S], Iterable[Any]]


@dataclass(frozen=True)
class Pattern:
    """Which services are meant: those of a name, a type and an account; None: any."""

    account: str  # that all services here are of
    name: str | None = None
    type: str | None = None
    wanted_account: str | None = None

    def fits(self, service: Service) -> bool:
        """Return whether a service is meant; a client only where its type is named."""
        return (
            self.name in (None, service.name)
            and (self.type == service.type or (self.type is None and service.type != CLIENT))
            and self.wanted_account in (None, self.account)
        )


def at_service(pattern: Pattern, met: Condition[Part]) -> Condition[Trace]:
    """Return the condition that some segment of a service, or call by a client, meets another."""

    def condition(trace: Trace) -> bool:
        if pattern.type == CLIENT:
            return any(pattern.fits(call.source) and met(call.record) for call in trace.calls)
        return any(pattern.fits(segment.service) and met(segment) for segment in trace.segments)

    return condition


def on_edge(source: Pattern, target: Pattern, met: Condition[Part]) -> Condition[Trace]:
    """Return the condition that some call from one service to another meets another."""
    return lambda trace: any(
        source.fits(call.source) and target.fits(call.target) and met(call.record) for call in trace.calls
    )


def comparison(
    values: Callable[[_S], Iterable[Any]],
    operator: str,
    constant: str | float | bool,  # noqa: FBT001
) -> Condition[_S]:
    """Return the condition that some value compares with a constant of its own type."""
    _, compare = _COMPARISONS[operator]
    kind = _kind(constant)
    return lambda subject: any(_kind(value) == kind and compare(value, constant) for value in values(subject))


def annotation(key: str, *, of_trace: bool) -> Callable[[Any], Iterable[str | float | bool]]:
    """Return what finds the values of an annotation in a trace, or in a part of one."""

    def of_part(part: Part) -> Iterator[str | float | bool]:
        return (value for name, value in summaries.annotations(part) if name == key)

    if of_trace:
        return lambda trace: (value for part in trace.parts for value in of_part(part))
    return of_part


def _kind(value: object) -> Kind:
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def _http(side: str, key: str) -> Callable[[Part], Iterator[Any]]:
    def values(part: Part) -> Iterator[Any]:
        value = part.http(side).get(key)
        if isinstance(value, str | int | float):
            yield value

    return values


def _response_time(part: Part) -> Iterator[float]:
    if part.duration is not None:
        yield part.duration


def _exceptions(part: Part) -> Iterator[str]:
    cause = part.document.get("cause")
    found = cause.get("exceptions") if isinstance(cause, dict) else None
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and isinstance(one.get("message"), str):
            yield one["message"]


def _duration(trace: Trace) -> Iterator[float]:
    parts = trace.parts
    if parts:
        ends = (part.start if part.end is None else part.end for part in parts)
        yield max(ends) - min(part.start for part in parts)


# Of a part: what it says itself.
OF_PART: Mapping[str, Keyword[Part]] = {
    "ok": Keyword("boolean", lambda part: [part.state == "ok"]),
    "error": Keyword("boolean", lambda part: [part.state in ("error", "throttle")]),
    "throttle": Keyword("boolean", lambda part: [part.state == "throttle"]),
    "fault": Keyword("boolean", lambda part: [part.state == "fault"]),
    "partial": Keyword("boolean", lambda part: [part.end is None]),
    "inferred": Keyword("boolean", lambda part: [part.inferred]),
    "root": Keyword("boolean", lambda part: [part.is_root]),
    "responsetime": Keyword("number", _response_time),
    "duration": Keyword("number", _response_time),
    "http.status": Keyword("number", _http("response", "status")),
    "http.url": Keyword("string", _http("request", "url")),
    "http.method": Keyword("string", _http("request", "method")),
    "http.useragent": Keyword("string", _http("request", "user_agent")),
    "http.clientip": Keyword("string", _http("request", "client_ip")),
    "name": Keyword("string", lambda part: [part.name]),
    "type": Keyword("string", lambda part: [part.service.type]),
    "message": Keyword("string", _exceptions),
    "user": Keyword("string", summaries.users),
    "availabilityzone": Keyword("string", summaries.availability_zones),
    "instance.id": Keyword("string", summaries.instance_ids),
    "resource.arn": Keyword("string", summaries.resource_arns),
}


def _of_root(keyword: Keyword[Part]) -> Keyword[Trace]:
    return Keyword(keyword.kind, lambda trace: keyword.values(trace.root) if trace.root else [])


def _of_any(keyword: Keyword[Part]) -> Keyword[Trace]:
    return Keyword(keyword.kind, lambda trace: (value for part in trace.parts for value in keyword.values(part)))


# Of a trace: what its summary says, which is mostly what its root says.
OF_TRACE: Mapping[str, Keyword[Trace]] = {
    **{name: _of_any(keyword) for name, keyword in OF_PART.items()},
    **{name: _of_root(OF_PART[name]) for name in ("ok", "error", "fault", "responsetime")},
    **{name: _of_root(keyword) for name, keyword in OF_PART.items() if name.startswith("http.")},
    "throttle": Keyword("boolean", lambda trace: [any(part.state == "throttle" for part in trace.parts)]),
    "partial": Keyword("boolean", lambda trace: [summaries.is_partial(trace)]),
    "inferred": Keyword("boolean", lambda trace: [any(part.inferred for part in trace.segments)]),
    "root": Keyword("boolean", lambda trace: [trace.root is not None]),
    "duration": Keyword("number", _duration),
}
