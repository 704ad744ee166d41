"""Envoy's filters: the HTTP connection manager with its routes, access log and X-Ray tracer, and the TCP proxy."""

import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from envoymesh.model import (
    TCP_IDLE_TIMEOUT,
    AccessLog,
    Listener,
    Match,
    Proxy,
    Retry,
    Route,
    Tracing,
    ValueMatch,
    VirtualHost,
)

Document = dict[str, Any]

_TYPES = "type.googleapis.com/"
_NETWORK = "envoy.extensions.filters.network"
_STDOUT = "/dev/stdout"
# The first request of each second is always sampled: AWS X-Ray developer guide, "Local sampling rules".
_FIXED_TARGET = 1


def connection_manager(proxy: Proxy, listener: Listener, *, follows: bool = False) -> Document:
    """Return the filter that routes a listener's requests and traces them; `follows`: clusters come and go."""
    manager: Document = {
        "@type": f"{_TYPES}{_NETWORK}.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress" if listener.direction == "inbound" else "egress",
        "route_config": {
            "name": listener.name,
            "ignore_port_in_host_matching": True,
            "virtual_hosts": [_virtual_host(host) for host in listener.hosts],
            # Else Envoy refuses, for good, a listener that it reads before the clusters which came with it.
            **({"validate_clusters": False} if follows else {}),
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
        "access_log": _access_logs(proxy),
    }
    if listener.edge:
        manager["use_remote_address"] = True
    if proxy.tracing:
        manager["tracing"] = _tracing(proxy.tracing)
    return {"name": f"{_NETWORK.replace('.extensions', '')}.http_connection_manager", "typed_config": manager}


def tcp_filter(proxy: Proxy, listener: Listener, destination: str) -> Document:
    """Return the filter that passes a listener's connections on to a destination."""
    return {
        "name": "envoy.filters.network.tcp_proxy",
        "typed_config": {
            "@type": f"{_TYPES}{_NETWORK}.tcp_proxy.v3.TcpProxy",
            "stat_prefix": "ingress" if listener.direction == "inbound" else "egress",
            "cluster": destination,
            "idle_timeout": seconds(TCP_IDLE_TIMEOUT),
            "max_connect_attempts": 3,
            "access_log": _access_logs(proxy),
        },
    }


def seconds(duration: float) -> str:
    """Return a duration as Envoy writes it."""
    return f"{duration:.9f}".rstrip("0").rstrip(".") + "s"


def _virtual_host(host: VirtualHost) -> Document:
    return {"name": host.name, "domains": list(host.domains), "routes": [_route(route) for route in host.routes]}


def _route(route: Route) -> Document:
    weighted = [{"name": name, "weight": weight} for name, weight in sorted(route.targets.items()) if weight]
    if not weighted:
        return {"match": _match(route.match), "direct_response": {"status": HTTPStatus.SERVICE_UNAVAILABLE.value}}
    action: Document = {
        "timeout": seconds(route.timeout),
        "idle_timeout": seconds(route.idle_timeout),
        # An Envoy without endpoints answers 503, as for one whose endpoints do not answer.
        "cluster_not_found_response_code": "SERVICE_UNAVAILABLE",
    }
    action |= {"cluster": weighted[0]["name"]} if len(weighted) == 1 else {"weighted_clusters": {"clusters": weighted}}
    if route.host is not None:
        action["host_rewrite_literal"] = route.host
    if route.prefix is not None:
        action |= _prefix_rewrite(route.match.prefix or "/", route.prefix)
    if route.path is not None:
        action["regex_rewrite"] = {"pattern": {"regex": "^[^?]*"}, "substitution": route.path}
    if route.retry:
        action["retry_policy"] = _retry(route.retry)
    return {"match": _match(route.match), "route": action}


def _prefix_rewrite(matched: str, prefix: str) -> Document:
    if matched.endswith("/") or not prefix.endswith("/"):
        return {"prefix_rewrite": prefix}
    # Envoy would make //page of /chapter/page where /chapter becomes /.
    return {"regex_rewrite": {"pattern": {"regex": f"^{re.escape(matched)}/?"}, "substitution": prefix}}


def _match(match: Match) -> Document:
    found: Document = {"prefix": match.prefix or "/"}
    if match.prefix is None and match.path is not None:
        found = {"path": match.path}
    elif match.prefix is None and match.regex is not None:
        found = {"safe_regex": {"regex": match.regex}}
    if match.headers:
        found["headers"] = [_header(header) for header in match.headers]
    if match.parameters:
        found["query_parameters"] = [
            {"name": each.name, **_string_match(each, "string_match", {"present_match": True})}
            for each in match.parameters
        ]
    return found


def _header(header: ValueMatch) -> Document:
    document: Document = {"name": header.name}
    if header.span:
        start, end = header.span
        document["range_match"] = {"start": start, "end": end}
    else:
        document |= _string_match(header, "string_match", {"present_match": True})
    return {**document, "invert_match": True} if header.invert else document


def _string_match(match: ValueMatch, key: str, otherwise: Document) -> Document:
    kinds: Sequence[tuple[str, object]] = (
        ("exact", match.exact),
        ("prefix", match.prefix),
        ("suffix", match.suffix),
        ("safe_regex", {"regex": match.regex} if match.regex is not None else None),
    )
    return next(({key: {kind: value}} for kind, value in kinds if value is not None), otherwise)


def _retry(retry: Retry) -> Document:
    on = [*retry.on, *(["retriable-status-codes"] if retry.statuses else [])]
    policy: Document = {"retry_on": ",".join(on), "num_retries": retry.times}
    if retry.statuses:
        policy["retriable_status_codes"] = list(retry.statuses)
    if retry.per_try is not None:
        policy["per_try_timeout"] = seconds(retry.per_try)
    return policy


def _access_logs(proxy: Proxy) -> list[Document]:
    return [_access_log(proxy.access_log)] if proxy.access_log else []


def _access_log(log: AccessLog) -> Document:
    kind = "stdout" if log.path == _STDOUT else "file"
    type_name = {
        "stdout": "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        "file": "envoy.extensions.access_loggers.file.v3.FileAccessLog",
    }[kind]
    config: Document = {"@type": f"{_TYPES}{type_name}"}
    if kind == "file":
        config["path"] = log.path
    if log.json is not None:
        config["log_format"] = {"json_format": dict(log.json)}
    elif log.text is not None:
        config["log_format"] = {"text_format_source": {"inline_string": log.text}}
    return {"name": f"envoy.access_loggers.{kind}", "typed_config": config}


def _tracing(tracing: Tracing) -> Document:
    manifest = tracing.manifest or json.dumps(
        {"version": 2, "default": {"fixed_target": _FIXED_TARGET, "rate": tracing.sampling_rate}, "rules": []}
    )
    config = {
        "@type": f"{_TYPES}envoy.config.trace.v3.XRayConfig",
        "daemon_endpoint": {
            "protocol": "UDP",
            "address": tracing.daemon.address,
            "port_value": tracing.daemon.port,
        },
        "segment_name": tracing.segment_name,
        "sampling_rule_manifest": {"inline_string": manifest},
        "segment_fields": {
            "origin": "AWS::AppMesh::Proxy",
            "aws": {"app_mesh": {"mesh_name": tracing.mesh, "virtual_node_name": tracing.node}},
        },
    }
    return {"provider": {"name": "envoy.tracers.xray", "typed_config": config}}
