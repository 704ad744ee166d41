"""From the mesh's terms to Envoy's: the configuration of one Envoy (API version 3), as plain data for JSON.

Everything is sorted or in the order given, so that the same mesh makes the same text. Source: Envoy's API reference.
"""

import json
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from envoymesh import http
from envoymesh.model import CheckProtocol, Destination, Endpoint, HealthCheck, Listener, OutlierDetection, Proxy

Document = dict[str, Any]

_TYPES = "type.googleapis.com/"
_CONNECT_TIMEOUT = "1s"
_DNS_REFRESH = "1s"  # for names without an address, which may have one any moment; found ones are kept as DNS allows
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def bootstrap(proxy: Proxy) -> Document:
    """Return all of an Envoy's configuration in one document, for a mesh that stays as it is."""
    return {
        **_frame(proxy),
        "static_resources": {
            "listeners": [_without_type(_listener(proxy, listener)) for listener in proxy.listeners],
            "clusters": [_without_type(_cluster(destination)) for destination in proxy.destinations],
        },
    }


def discovered(proxy: Proxy, folder: PurePath) -> dict[str, Document]:
    """Return an Envoy's configuration as files by name, to be laid into `folder`, for a mesh that changes.

    `bootstrap.json` is for Envoy's start and stays. Envoy follows the others: a new one has to take the place of the
    old by a rename within the folder.
    """
    files = {
        "listeners.json": [_listener(proxy, listener, follows=True) for listener in proxy.listeners],
        "clusters.json": [_cluster(destination, folder) for destination in proxy.destinations],
    }
    files |= {_endpoints_file(each): [_load_assignment(each)] for each in proxy.destinations if not each.by_dns}
    found = {name: {"resources": resources} for name, resources in files.items()}
    dynamic = {"lds_config": _followed(folder, "listeners.json"), "cds_config": _followed(folder, "clusters.json")}
    return {"bootstrap.json": {**_frame(proxy), "dynamic_resources": dynamic}, **found}


def _frame(proxy: Proxy) -> Document:
    """Return what an Envoy has whatever its mesh is like."""
    frame: Document = {
        "node": {"id": proxy.id, "cluster": proxy.cluster},
        "admin": {"address": address(proxy.admin)},
    }
    if proxy.tags:
        tags = [{"tag_name": name, "fixed_value": proxy.tags[name]} for name in sorted(proxy.tags)]
        frame["stats_config"] = {"stats_tags": tags}
    return frame


def _listener(proxy: Proxy, listener: Listener, *, follows: bool = False) -> Document:
    if listener.tcp:
        body = http.tcp_filter(proxy, listener, listener.tcp)
    else:
        body = http.connection_manager(proxy, listener, follows=follows)
    return {
        "@type": f"{_TYPES}envoy.config.listener.v3.Listener",
        "name": listener.name,
        "address": address(listener.endpoint),
        # X-Ray's tracer writes it into each segment as ingress or egress.
        "traffic_direction": listener.direction.upper(),
        "filter_chains": [{"filters": [body]}],
    }


def _cluster(destination: Destination, folder: PurePath | None = None) -> Document:
    """Return a cluster that holds its endpoints, or follows them in a file of `folder`."""
    cluster: Document = {
        "@type": f"{_TYPES}envoy.config.cluster.v3.Cluster",
        "name": destination.name,
        "connect_timeout": _CONNECT_TIMEOUT,
    }
    if destination.by_dns:
        cluster |= {"type": "STRICT_DNS", "dns_lookup_family": "V4_ONLY"}
        cluster |= {"dns_refresh_rate": _DNS_REFRESH, "respect_dns_ttl": True}
    if destination.by_dns or folder is None:
        cluster.setdefault("type", "STATIC")
        cluster["load_assignment"] = _without_type(_load_assignment(destination))
    else:
        cluster["type"] = "EDS"
        cluster["eds_cluster_config"] = {"eds_config": _followed(folder, _endpoints_file(destination))}
    if destination.protocol == "http2":
        options: Document = {"explicit_http_config": {"http2_protocol_options": {}}}
        cluster["typed_extension_protocol_options"] = {_HTTP_OPTIONS: {"@type": f"{_TYPES}{_HTTP_OPTIONS}", **options}}
    if destination.health_check:
        cluster["health_checks"] = [_health_check(destination.health_check)]
        # An endpoint taken back is gone even while its last checks pass. Where none is healthy, all are asked, as AWS's
        # load balancers do ("fail open"): a busy machine may answer its checks late.
        cluster["ignore_health_on_host_removal"] = True
        cluster["common_lb_config"] = {"healthy_panic_threshold": {"value": 1}}
    if destination.outliers:
        cluster["outlier_detection"] = _outlier_detection(destination.outliers)
    return cluster


def _load_assignment(destination: Destination) -> Document:
    endpoints = [{"endpoint": {"address": address(endpoint)}} for endpoint in destination.endpoints]
    return {
        "@type": f"{_TYPES}envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": destination.name,
        "endpoints": [{"lb_endpoints": endpoints}],
    }


def _health_check(check: HealthCheck) -> Document:
    how: dict[CheckProtocol, Document] = {
        "http": {"http_health_check": {"path": check.path}},
        "http2": {"http_health_check": {"path": check.path, "codec_client_type": "HTTP2"}},
        "grpc": {"grpc_health_check": {}},
        "tcp": {"tcp_health_check": {}},
    }
    return {
        "interval": http.seconds(check.interval),
        "no_traffic_interval": http.seconds(check.interval),
        "timeout": http.seconds(check.timeout),
        "healthy_threshold": check.healthy_after,
        "unhealthy_threshold": check.unhealthy_after,
        **how[check.protocol],
    }


def _outlier_detection(outliers: OutlierDetection) -> Document:
    return {
        "consecutive_5xx": outliers.errors,
        "interval": http.seconds(outliers.interval),
        "base_ejection_time": http.seconds(outliers.base_ejection),
        "max_ejection_percent": outliers.most_ejected,
    }


def address(endpoint: Endpoint) -> Document:
    """Return an endpoint as Envoy writes it."""
    return {"socket_address": {"address": endpoint.address, "port_value": endpoint.port}}


def text(document: Document) -> str:
    """Return a document as the text of a file: the same for the same content."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def _followed(folder: PurePath, name: str) -> Document:
    watched = {"path": str(folder)}
    return {"path_config_source": {"path": str(folder / name), "watched_directory": watched}}


def _endpoints_file(destination: Destination) -> str:
    return f"endpoints-{quote(destination.name, safe='')}.json"


def _without_type(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "@type"}
