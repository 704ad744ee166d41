"""What is rendered says what the mesh said, in the words of Envoy's API reference."""

import json
from pathlib import PurePath
from typing import Any

import pytest

from envoymesh import (
    AccessLog,
    Destination,
    Endpoint,
    HealthCheck,
    Match,
    OutlierDetection,
    Retry,
    Route,
    Tracing,
    bootstrap,
    discovered,
)
from envoymesh.http import seconds
from envoymesh.render import text
from tests.envoymesh.support import APP, cluster_of, filter_of, hearing, proxy, route_of, with_destination

_DAEMON = Endpoint(address="127.0.1.1", port=2000)


@pytest.mark.parametrize(
    ("duration", "written"),
    [(0, "0s"), (15, "15s"), (300.0, "300s"), (0.25, "0.25s"), (0.001, "0.001s"), (1e-9, "0.000000001s")],
)
def test_durations_are_written_in_full(duration: float, written: str) -> None:
    """Neither zeros that count are lost, nor is there an exponent."""
    assert written == seconds(duration)


def test_timeouts_are_app_meshs_unless_told() -> None:
    """15 s for a request and 300 s without a byte; 0 is none."""
    everything = Match(prefix="/")
    usual = route_of(Route(match=everything, targets={"app": 1}))["route"]
    told = route_of(Route(match=everything, targets={"app": 1}, timeout=0, idle_timeout=1.5))["route"]

    assert ["15s", "300s"] == [usual["timeout"], usual["idle_timeout"]]
    assert ["0s", "1.5s"] == [told["timeout"], told["idle_timeout"]]


def test_retries_say_how_often_on_what_and_how_long() -> None:
    """Statuses need a word of their own among the reasons."""
    retry = Retry(times=3, on=["reset", "5xx"], statuses=[503, 429], per_try=0.5)
    told = route_of(Route(match=Match(prefix="/"), targets={"app": 1}, retry=retry))["route"]["retry_policy"]

    assert {
        "retry_on": "reset,5xx,retriable-status-codes",
        "num_retries": 3,
        "retriable_status_codes": [503, 429],
        "per_try_timeout": "0.5s",
    } == told


@pytest.mark.parametrize(
    ("protocol", "how"),
    [
        ("http", {"http_health_check": {"path": "/health"}}),
        ("http2", {"http_health_check": {"path": "/health", "codec_client_type": "HTTP2"}}),
        ("grpc", {"grpc_health_check": {}}),
        ("tcp", {"tcp_health_check": {}}),
    ],
)
def test_health_is_checked_by_its_protocol(protocol: Any, how: dict[str, Any]) -> None:
    """As often, as patiently and as strictly as said, and no endpoint is asked while none is healthy."""
    check = HealthCheck(protocol=protocol, interval=5, timeout=0.5, healthy_after=2, unhealthy_after=3, path="/health")
    cluster = cluster_of(with_destination(health_check=check))

    told = cluster["health_checks"][0]
    times = {"interval": "5s", "no_traffic_interval": "5s", "timeout": "0.5s"}
    assert {**times, "healthy_threshold": 2, "unhealthy_threshold": 3, **how} == told
    assert cluster["common_lb_config"]["healthy_panic_threshold"] == {"value": 1}


def test_outliers_are_left_out_for_a_while() -> None:
    """Errors in a row, how often one looks, how long, and how many at most."""
    outliers = OutlierDetection(errors=5, interval=10, base_ejection=0.5, most_ejected=50)

    told = cluster_of(with_destination(outliers=outliers))["outlier_detection"]
    assert {"consecutive_5xx": 5, "interval": "10s", "base_ejection_time": "0.5s", "max_ejection_percent": 50} == told


def test_a_name_is_resolved_again_and_again() -> None:
    """A destination found by DNS has its name in the cluster, in files too, and no file of endpoints."""
    named = with_destination(endpoints=[Endpoint(address="db.example.com", port=5432)], by_dns=True)
    cluster = cluster_of(named)
    files = discovered(named, PurePath("/run/envoy"))

    address = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
    assert cluster["type"] == "STRICT_DNS"
    assert (cluster["dns_refresh_rate"], cluster["respect_dns_ttl"]) == ("1s", True)  # soon, but not sooner than told
    assert address == {"socket_address": {"address": "db.example.com", "port_value": 5432}}
    assert files["clusters.json"]["resources"][0]["load_assignment"] == cluster["load_assignment"]
    assert set(files) == {"bootstrap.json", "clusters.json", "listeners.json"}


def test_files_name_each_other() -> None:
    """The bootstrap names listeners and clusters, each cluster the file of its endpoints, and all are there."""
    folder = PurePath("/run/envoy")
    files = discovered(proxy(destinations=[APP, Destination(name="a/b")]), folder)

    dynamic = files["bootstrap.json"]["dynamic_resources"]
    followed = [dynamic["lds_config"], dynamic["cds_config"]]
    followed += [each["eds_cluster_config"]["eds_config"] for each in files["clusters.json"]["resources"]]
    paths = {PurePath(each["path_config_source"]["path"]) for each in followed}
    assert {folder / name for name in files if name != "bootstrap.json"} == paths
    assert {folder} == {path.parent for path in paths}


@pytest.mark.parametrize(
    ("log", "name", "config"),
    [
        (AccessLog(path="/dev/stdout"), "stdout", {}),
        (AccessLog(path="/var/log/access"), "file", {"path": "/var/log/access"}),
        (
            AccessLog(path="/dev/stdout", text="%PROTOCOL%\n"),
            "stdout",
            {"log_format": {"text_format_source": {"inline_string": "%PROTOCOL%\n"}}},
        ),
        (
            AccessLog(path="/dev/stdout", json={"status": "%RESPONSE_CODE%"}),
            "stdout",
            {"log_format": {"json_format": {"status": "%RESPONSE_CODE%"}}},
        ),
    ],
    ids=["output", "file", "text", "JSON"],
)
@pytest.mark.parametrize("tcp", [None, "app"], ids=["http", "tcp"])
def test_the_access_log_goes_where_it_is_wanted(
    log: AccessLog, name: str, config: dict[str, Any], tcp: str | None
) -> None:
    """To the output or a file, in the format given or Envoy's own, for requests and for connections."""
    told = filter_of(proxy(listeners=[hearing(tcp=tcp)], access_log=log))["access_log"]

    assert [f"envoy.access_loggers.{name}"] == [each["name"] for each in told]
    assert config == {key: value for key, value in told[0]["typed_config"].items() if key != "@type"}


def test_no_log_and_no_traces_unless_wanted() -> None:
    """An Envoy of which neither is asked has neither."""
    told = filter_of(proxy())

    assert told["access_log"] == []
    assert "tracing" not in told


def _traces(**more: Any) -> dict[str, Any]:
    tracing = Tracing(segment_name="mesh/frontend", daemon=_DAEMON, mesh="mesh", node="frontend", **more)
    provider = filter_of(proxy(tracing=tracing))["tracing"]["provider"]
    assert provider["name"] == "envoy.tracers.xray"
    told: dict[str, Any] = provider["typed_config"]
    return told


def test_segments_are_named_and_sent_to_the_daemon() -> None:
    """X-Ray gets the segment's name, its origin, and the mesh and node; the daemon is an address, over UDP."""
    told = _traces()

    assert told["segment_name"] == "mesh/frontend"
    assert told["daemon_endpoint"] == {"protocol": "UDP", "address": "127.0.1.1", "port_value": 2000}
    names = {"mesh_name": "mesh", "virtual_node_name": "frontend"}
    assert told["segment_fields"] == {"origin": "AWS::AppMesh::Proxy", "aws": {"app_mesh": names}}


@pytest.mark.parametrize("rate", [0, 0.05, 1])
def test_the_rate_is_what_is_sampled_beyond_the_first_of_a_second(rate: float) -> None:
    """A local rule for all requests, in the second version, which alone Envoy reads."""
    rules = json.loads(_traces(sampling_rate=rate)["sampling_rule_manifest"]["inline_string"])

    assert {"version": 2, "default": {"fixed_target": 1, "rate": rate}, "rules": []} == rules


def test_a_manifest_takes_the_place_of_the_rate() -> None:
    """Rules that were given reach Envoy as they are."""
    manifest = '{"version": 2, "default": {"fixed_target": 0, "rate": 0}, "rules": []}'

    assert manifest == _traces(sampling_rate=0.5, manifest=manifest)["sampling_rule_manifest"]["inline_string"]


@pytest.mark.parametrize("tcp", [None, "app"], ids=["http", "tcp"])
@pytest.mark.parametrize(("direction", "prefix"), [("inbound", "ingress"), ("outbound", "egress")])
def test_listeners_know_their_direction(direction: str, prefix: str, tcp: str | None) -> None:
    """Segments and metrics tell what came in from what went out."""
    rendered = proxy(listeners=[hearing(direction=direction, tcp=tcp)])

    listener = bootstrap(rendered)["static_resources"]["listeners"][0]
    assert direction.upper() == listener["traffic_direction"]
    assert prefix == filter_of(rendered)["stat_prefix"]


def test_tcp_goes_to_its_destination_for_an_hour_of_silence() -> None:
    """A listener that looks into nothing has no routes."""
    told = filter_of(proxy(listeners=[hearing(tcp="app")]))

    assert ["app", "3600s"] == [told["cluster"], told["idle_timeout"]]
    assert "route_config" not in told


def test_the_edge_tells_who_asked() -> None:
    """Only the first Envoy takes the client's address from the connection."""
    assert filter_of(proxy(listeners=[hearing(edge=True)]))["use_remote_address"] is True
    assert "use_remote_address" not in filter_of(proxy())


def test_tags_are_on_all_metrics() -> None:
    """Each by its name, sorted; without any there are none."""
    told = bootstrap(proxy(tags={"appmesh.mesh": "m", "appmesh.a": "n"}))

    tags = [{"tag_name": "appmesh.a", "fixed_value": "n"}, {"tag_name": "appmesh.mesh", "fixed_value": "m"}]
    assert told["stats_config"] == {"stats_tags": tags}
    assert "stats_config" not in bootstrap(proxy())


def test_the_same_mesh_makes_the_same_text() -> None:
    """The order in which weights and tags were given changes nothing, so nothing is redeployed for it."""

    def rendered(*names: str) -> str:
        route = Route(match=Match(prefix="/"), targets=dict.fromkeys(names, 1))
        return text(bootstrap(proxy(route, tags=dict.fromkeys(names, "x"))))

    assert rendered("a", "b") == rendered("b", "a")
