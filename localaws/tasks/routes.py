"""From the routes of App Mesh's API to those of an Envoy."""

from collections.abc import Iterable, Mapping
from typing import Any

from envoymesh import Match, Retry, Route, ValueMatch
from envoymesh.model import DEFAULT_RETRY, IDLE_TIMEOUT, REQUEST_TIMEOUT

Spec = dict[str, Any]

_KINDS = ("httpRoute", "http2Route", "grpcRoute", "tcpRoute")
_CATCH_ALL = Match(prefix="/")
_LOWEST_PRIORITY = 1000
# App Mesh's words for what is tried again, in Envoy's; gRPC's are the same. The API takes any word for HTTP: one that
# is not here does nothing. Source: App Mesh API reference, HttpRetryPolicy.
_EVENTS = {
    "server-error": "5xx",
    "gateway-error": "gateway-error",
    "client-error": "retriable-4xx",
    "stream-error": "refused-stream",
    "connection-error": "connect-failure",
}


def of_router(specs: Iterable[Spec], names: Mapping[str, str]) -> list[Route]:
    """Return the routes of a virtual router in the order in which they are tried.

    `names` has the destination's name for each virtual node.
    """
    return [_route(spec, names) for spec in sorted(specs, key=precedence) if body(spec)]


def everything_to(destination: str) -> Route:
    """Return the route of a virtual service that a virtual node provides."""
    return Route(match=_CATCH_ALL, targets={destination: 1}, retry=DEFAULT_RETRY)


def body(spec: Spec) -> Spec:
    """Return what a route or gateway route says, of whatever kind it is; nothing where it says nothing."""
    return next((spec[kind] for kind in _KINDS if kind in spec), {})


def precedence(spec: Spec) -> tuple[int, bool, int]:
    """Return what routes and gateway routes are sorted by: priority, then exact paths, then the longest prefix.

    Source: App Mesh user guide, "Routes".
    """
    found = match(body(spec).get("match", {}))
    return spec.get("priority", _LOWEST_PRIORITY), found.path is None, -len(found.prefix or found.regex or "")


def _route(spec: Spec, names: Mapping[str, str]) -> Route:
    route = body(spec)
    timeout = route.get("timeout", {})
    targets = route["action"]["weightedTargets"]
    return Route(
        match=match(route.get("match", {})),
        targets={names[each["virtualNode"]]: each["weight"] for each in targets if each["virtualNode"] in names},
        retry=_retry(route["retryPolicy"]) if "retryPolicy" in route else DEFAULT_RETRY,
        timeout=seconds(timeout.get("perRequest"), REQUEST_TIMEOUT),
        idle_timeout=seconds(timeout.get("idle"), IDLE_TIMEOUT),
    )


def match(given: Spec) -> Match:
    """Return which requests a route or gateway route is for."""
    wanted = [*given.get("headers", []), *given.get("metadata", [])]
    headers = [_value(each["name"], each.get("match", {}), invert=each.get("invert", False)) for each in wanted]
    headers += [ValueMatch(name=f":{key}", exact=given[key]) for key in ("method", "scheme") if key in given]
    if service := given.get("serviceName"):  # gRPC
        method = given.get("methodName")
        return Match(
            prefix=None if method else f"/{service}/", path=f"/{service}/{method}" if method else None, headers=headers
        )
    path = given.get("path", {})
    return Match(
        prefix=given.get("prefix") or (None if path else "/"),
        path=path.get("exact"),
        regex=path.get("regex"),
        headers=headers,
        parameters=[_value(each["name"], each.get("match", {})) for each in given.get("queryParameters", [])],
    )


def _value(name: str, match: Spec, *, invert: bool = False) -> ValueMatch:
    span = match.get("range")
    return ValueMatch(
        name=name,
        exact=match.get("exact"),
        prefix=match.get("prefix"),
        suffix=match.get("suffix"),
        regex=match.get("regex"),
        span=(span["start"], span["end"]) if span else None,
        invert=invert,
    )


def _retry(policy: Spec) -> Retry:
    asked = [each for key in ("httpRetryEvents", "tcpRetryEvents") for each in policy.get(key, [])]
    events = [*(_EVENTS[each] for each in asked if each in _EVENTS), *policy.get("grpcRetryEvents", [])]
    per_try = seconds(policy.get("perRetryTimeout"), 0)
    return Retry(times=policy["maxRetries"], on=events, per_try=per_try or None)


def seconds(duration: Spec | None, default: float) -> float:
    """Return a duration of the API in seconds."""
    if not duration or "value" not in duration:
        return default
    return float(duration["value"]) / (1000 if duration.get("unit") == "ms" else 1)
