"""From the routes of App Mesh's API to those of an Envoy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from envoymesh import Match, Retry, Route, ValueMatch
from envoymesh.model import DEFAULT_RETRY, IDLE_TIMEOUT, REQUEST_TIMEOUT

Spec = dict[str, Any]

_KINDS = ("httpRoute", "http2Route", "grpcRoute", "tcpRoute")
_CATCH_ALL = Match(prefix="/")
_LOWEST_PRIORITY = 1000
# App Mesh's words for what is tried again, in Envoy's. Source: App Mesh API reference, HttpRetryPolicy.
_HTTP_EVENTS = {
    "server-error": "5xx",
    "gateway-error": "gateway-error",
    "client-error": "retriable-4xx",
    "stream-error": "refused-stream",
}
_TCP_EVENTS = {"connection-error": "connect-failure"}


def of_router(specs: Iterable[Spec], names: Mapping[str, str]) -> list[Route]:
    """Return the routes of a virtual router in the order in which they are tried.

    `names` has the destination's name for each virtual node.
    """
    specs = sorted(specs, key=_precedence)
    return [_route(spec, names) for spec in specs if any(kind in spec for kind in _KINDS)]


def everything_to(destination: str) -> Route:
    """Return the route of a virtual service that a virtual node provides."""
    return Route(match=_CATCH_ALL, targets={destination: 1}, retry=DEFAULT_RETRY)


def through_gateway(spec: Spec, inner: Sequence[Route], service: str) -> list[Route]:
    """Return what a gateway route leads to: its own match, then the routes of the virtual service behind it."""
    route = next(spec[kind] for kind in _KINDS if kind in spec)
    match, rewrite = _match(route["match"]), route["action"].get("rewrite", {})
    keeps_host = rewrite.get("hostname", {}).get("defaultTargetHostname") == "DISABLED"
    return [
        replace(
            each,
            match=_both(match, each.match),
            host=None if keeps_host else service,
            prefix=_rewritten_prefix(match, rewrite),
            path=rewrite.get("path", {}).get("exact"),
        )
        for each in inner
    ]


def gateway_domains(spec: Spec) -> tuple[str, ...]:
    """Return the host names that a gateway route is for."""
    route = next(spec[kind] for kind in _KINDS if kind in spec)
    hostname = route["match"].get("hostname", {})
    if "exact" in hostname:
        return (hostname["exact"],)
    return (f"*{hostname['suffix']}",) if "suffix" in hostname else ("*",)


def _precedence(spec: Spec) -> tuple[int, int]:
    """Sort by priority, then the longest prefix first: App Mesh user guide, "Routes"."""
    match: Spec = next((spec[kind].get("match", {}) for kind in _KINDS if kind in spec), {})
    return spec.get("priority", _LOWEST_PRIORITY), -len(match.get("prefix", "") or str(match.get("path", "")))


def _route(spec: Spec, names: Mapping[str, str]) -> Route:
    route = next(spec[kind] for kind in _KINDS if kind in spec)
    timeout = route.get("timeout", {})
    targets = route["action"]["weightedTargets"]
    return Route(
        match=_match(route.get("match", {})),
        targets={names[each["virtualNode"]]: each["weight"] for each in targets if each["virtualNode"] in names},
        retry=_retry(route["retryPolicy"]) if "retryPolicy" in route else DEFAULT_RETRY,
        timeout=seconds(timeout.get("perRequest"), REQUEST_TIMEOUT),
        idle_timeout=seconds(timeout.get("idle"), IDLE_TIMEOUT),
    )


def _match(match: Spec) -> Match:
    given = [*match.get("headers", []), *match.get("metadata", [])]
    headers = [_value(each["name"], each.get("match", {}), invert=each.get("invert", False)) for each in given]
    headers += [ValueMatch(name=f":{key}", exact=match[key]) for key in ("method", "scheme") if key in match]
    if service := match.get("serviceName"):  # gRPC
        return Match(prefix=f"/{service}/{match.get('methodName', '')}", headers=headers)
    path = match.get("path", {})
    return Match(
        prefix=match.get("prefix") or (None if path else "/"),
        path=path.get("exact"),
        regex=path.get("regex"),
        headers=headers,
        parameters=[_value(each["name"], each.get("match", {})) for each in match.get("queryParameters", [])],
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


def _both(outer: Match, inner: Match) -> Match:
    """Return what matches a gateway's route and then, the default rewriting done, the route behind it."""
    if inner == _CATCH_ALL:
        return outer
    prefix = inner.prefix
    if prefix is not None and outer.prefix not in (None, "/"):
        prefix = f"{(outer.prefix or '').rstrip('/')}{prefix}"
    return replace(
        inner,
        prefix=prefix,
        headers=[*outer.headers, *inner.headers],
        parameters=[*outer.parameters, *inner.parameters],
    )


def _rewritten_prefix(match: Match, rewrite: Spec) -> str | None:
    """Return what a gateway makes of the prefix that it matched: `/` unless told otherwise."""
    prefix = rewrite.get("prefix", {})
    if match.prefix in (None, "/") or prefix.get("defaultPrefix") == "DISABLED" or "path" in rewrite:
        return None
    return str(prefix.get("value", "/"))


def _retry(policy: Spec) -> Retry:
    events = [_HTTP_EVENTS[each] for each in policy.get("httpRetryEvents", [])]
    events += [_TCP_EVENTS[each] for each in policy.get("tcpRetryEvents", [])]
    events += policy.get("grpcRetryEvents", [])
    per_try = policy.get("perRetryTimeout")
    return Retry(times=policy["maxRetries"], on=events, per_try=seconds(per_try, 0) if per_try else None)


def seconds(duration: Spec | None, default: float) -> float:
    """Return a duration of the API in seconds."""
    if not duration:
        return default
    return float(duration["value"]) / (1000 if duration["unit"] == "ms" else 1)
