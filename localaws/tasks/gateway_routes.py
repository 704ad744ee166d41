"""From the gateway routes of App Mesh's API to those of an Envoy, together with the routes that they lead to.

The gateway's Envoy decides once, by the request as it came in, while a virtual router's routes are about the path that
the gateway has rewritten. So both matches are put into one. Source: App Mesh user guide, "Gateway routes".
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from envoymesh import Match, Route, ValueMatch
from localaws.tasks import routes

Spec = dict[str, Any]

_QUERY = r"(?:\?.*)?"


def through(spec: Spec, inner: Sequence[Route], service: str) -> list[Route]:
    """Return what a gateway route leads to: its own match and each of the routes of the virtual service behind it."""
    route = routes.body(spec)
    rewrite = route["action"].get("rewrite", {})
    keeps_host = rewrite.get("hostname", {}).get("defaultTargetHostname") == "DISABLED"
    found = [_combined(routes.match(route["match"]), rewrite, each, grpc="grpcRoute" in spec) for each in inner]
    return [replace(each, host=None if keeps_host else service) for each in found if each]


def domains(spec: Spec) -> tuple[str, ...]:
    """Return the host names that a gateway route is for, in lower case."""
    hostname = routes.body(spec)["match"].get("hostname", {})
    if "exact" in hostname:
        return (hostname["exact"].lower(),)
    return (f"*{hostname['suffix'].lower()}",) if "suffix" in hostname else ("*",)


def is_heard_at(spec: Spec, port: int) -> bool:
    """Return whether a gateway route is for the requests that come in at a port."""
    return routes.body(spec)["match"].get("port") in (None, port)


def _combined(outer: Match, rewrite: Spec, route: Route, *, grpc: bool) -> Route | None:
    """Return the one route that a gateway's match and a route behind it make; None where no request fits both."""
    whole = rewrite.get("path", {}).get("exact")
    path = whole or outer.path
    if path:
        if not _fits(route.match, path):
            return None
        return replace(route, match=_both(outer, route.match), path=whole)
    if outer.prefix is None:
        return replace(route, match=_both(outer, route.match, *_conditions(route.match)))
    return _below(outer, outer.prefix if grpc else _rewritten(outer.prefix, rewrite), route)


def _below(outer: Match, rewritten: str, route: Route) -> Route | None:
    """Return the route where the gateway's prefix becomes another one, or stays."""
    matched, inner = outer.prefix or "/", route.match
    changed = rewritten != matched
    if inner.prefix is not None and rewritten.startswith(inner.prefix):
        return replace(route, match=_both(outer, inner), prefix=rewritten if changed else None)
    old, new = matched.rstrip("/"), rewritten.rstrip("/")
    wanted = inner.prefix or inner.path or inner.regex or "/"
    if not wanted.startswith(new if inner.regex else f"{new}/"):
        return None
    rest = wanted.removeprefix(new)
    if inner.prefix is not None:
        match = _both(replace(outer, prefix=old + rest), inner)
        return replace(route, match=match, prefix=inner.prefix if changed else None)
    if inner.path is not None:
        match = _both(replace(outer, prefix=None, path=old + rest), inner)
        return replace(route, match=match, path=inner.path if changed else None)
    match = _both(outer, inner, ValueMatch(name=":path", regex=f"{re.escape(old)}(?:{rest}){_QUERY}"))
    return replace(route, match=match, prefix=rewritten if changed else None)


def _rewritten(prefix: str, rewrite: Spec) -> str:
    """Return what a gateway makes of the prefix that it matched: `/` unless told otherwise."""
    told = rewrite.get("prefix", {})
    return prefix if told.get("defaultPrefix") == "DISABLED" else str(told.get("value", "/"))


def _both(outer: Match, inner: Match, *more: ValueMatch) -> Match:
    """Return the gateway's match with the conditions of the route behind it that are not about the path, and more."""
    return replace(
        outer,
        headers=[*outer.headers, *inner.headers, *more],
        parameters=[*outer.parameters, *inner.parameters],
    )


def _fits(match: Match, path: str) -> bool:
    if match.prefix is not None:
        return path.startswith(match.prefix)
    return path == match.path if match.path is not None else bool(re.fullmatch(match.regex or "", path))


def _conditions(match: Match) -> list[ValueMatch]:
    """Return what a match wants of the path, as conditions on it beside another match."""
    if match.prefix is not None:
        return [] if match.prefix == "/" else [ValueMatch(name=":path", prefix=match.prefix)]
    regex = re.escape(match.path) if match.path is not None else f"(?:{match.regex})"
    return [ValueMatch(name=":path", regex=f"{regex}{_QUERY}")]
