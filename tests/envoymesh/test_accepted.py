"""The real Envoy accepts every kind of configuration that is rendered, in one document and as files."""

from pathlib import Path
from typing import Any

import pytest

from envoymesh import (
    AccessLog,
    Destination,
    Endpoint,
    HealthCheck,
    Listener,
    Match,
    OutlierDetection,
    Proxy,
    Retry,
    Route,
    Tracing,
    ValueMatch,
    VirtualHost,
    bootstrap,
    discovered,
)
from envoymesh.model import DEFAULT_RETRY
from envoymesh.render import text
from tests.envoymesh.support import APP, Running, anywhere, hearing, made_static, proxy, refusal, with_destination

_CHECK: dict[str, Any] = {"interval": 5, "timeout": 2, "healthy_after": 2, "unhealthy_after": 3}


def _matching(match: Match) -> Proxy:
    return proxy(Route(match=match, targets={"app": 1}))


def _with_header(**wanted: Any) -> Proxy:
    return _matching(Match(prefix="/", headers=[ValueMatch(name="version", **wanted)]))


def _leading(**more: Any) -> Proxy:
    return proxy(Route(**{"match": Match(prefix="/api"), "targets": {"app": 1}, **more}))


def _traced(**more: Any) -> Proxy:
    daemon = Endpoint(address="127.0.0.1", port=2000)
    return proxy(tracing=Tracing(segment_name="m/n", daemon=daemon, mesh="m", node="n", **more))


_MANIFEST = '{"version": 2, "default": {"fixed_target": 1, "rate": 1}, "rules": []}'
PROXIES = {
    "nothing": proxy(listeners=[], destinations=[]),
    "prefix": _matching(Match(prefix="/api")),
    "path": _matching(Match(path="/health")),
    "regex": _matching(Match(regex="/v[0-9]+/.*")),
    "header there": _with_header(),
    "header not there": _with_header(invert=True),
    "header exact": _with_header(exact="2"),
    "header prefix": _with_header(prefix="2"),
    "header suffix": _with_header(suffix="2"),
    "header regex, inverted": _with_header(regex="[2-9]", invert=True),
    "header in a range": _with_header(span=(2, 9)),
    "header outside a range": _with_header(span=(2, 9), invert=True),
    "method": _matching(Match(prefix="/", headers=[ValueMatch(name=":method", exact="GET")])),
    "parameters": _matching(
        Match(prefix="/", parameters=[ValueMatch(name="color", exact="red"), ValueMatch(name="size")])
    ),
    "weights": proxy(
        Route(match=Match(prefix="/"), targets={"app": 90, "canary": 10}),
        destinations=[APP, Destination(name="canary")],
    ),
    "weights of which one is 0": _leading(targets={"app": 1, "gone": 0}),
    "weights that are all 0": _leading(targets={"app": 0, "gone": 0}),
    "no target": _leading(targets={}),
    "another host": _leading(host="frontend.service.local"),
    "another prefix": _leading(prefix="/v1"),
    "no prefix": _leading(prefix="/"),
    "no prefix, with signs": _leading(match=Match(prefix="/a.b+c(d)"), prefix="/"),
    "another path": _leading(path="/everything"),
    "default retries": _leading(retry=DEFAULT_RETRY),
    "no retries": _leading(retry=Retry(times=0, on=[])),
    "gRPC retries": _leading(retry=Retry(times=3, on=["cancelled", "unavailable"], per_try=0.25)),
    "timeouts": _leading(timeout=0, idle_timeout=0.5),
    "no health check": with_destination(),
    "health check by http": with_destination(health_check=HealthCheck(protocol="http", path="/health", **_CHECK)),
    "health check by http2": with_destination(health_check=HealthCheck(protocol="http2", **_CHECK)),
    "health check by grpc": with_destination(protocol="http2", health_check=HealthCheck(protocol="grpc", **_CHECK)),
    "health check by tcp": with_destination(health_check=HealthCheck(protocol="tcp", **_CHECK)),
    "outliers": with_destination(outliers=OutlierDetection(errors=5, interval=10, base_ejection=30, most_ejected=50)),
    "http2": with_destination(protocol="http2"),
    "a name in DNS": with_destination(endpoints=[Endpoint(address="db.example.com", port=80)], by_dns=True),
    "a log to the output": proxy(access_log=AccessLog(path="/dev/stdout")),
    "a log to a file": proxy(access_log=AccessLog(path="/dev/null")),
    "a log in a format": proxy(access_log=AccessLog(path="/dev/stdout", text="%START_TIME% %RESPONSE_CODE%\n")),
    "a log in JSON": proxy(access_log=AccessLog(path="/dev/stdout", json={"status": "%RESPONSE_CODE%"})),
    "traces": _traced(),
    "traces by rules": _traced(manifest=_MANIFEST),
    "tags": proxy(tags={"appmesh.mesh": "m", "appmesh.virtual_node": "n"}),
    "the edge": proxy(listeners=[hearing(edge=True)]),
    "outbound": proxy(listeners=[hearing(direction="outbound")]),
    "tcp": proxy(listeners=[hearing(tcp="app")], access_log=AccessLog(path="/dev/stdout")),
    "hosts": proxy(
        listeners=[
            Listener(
                name="egress",
                endpoint=Endpoint(address="127.0.0.1", port=15001),
                direction="outbound",
                hosts=[
                    VirtualHost(name="one", domains=["a.local", "*.a.local"], routes=[]),
                    VirtualHost(name="rest", domains=["*"], routes=[]),
                ],
            )
        ]
    ),
}


@pytest.mark.parametrize("name", PROXIES)
def test_the_real_envoy_accepts_one_document(name: str, tmp_path: Path) -> None:
    """What is rendered as a static configuration passes Envoy's own validation."""
    assert refusal(bootstrap(PROXIES[name]), tmp_path) == ""


@pytest.mark.parametrize("name", ["weights", "http2", "a name in DNS", "health check by grpc", "tcp", "traces"])
def test_the_real_envoy_accepts_the_files(name: str, tmp_path: Path) -> None:
    """What is rendered as files, where that is other than in one document, passes it too."""
    assert refusal(made_static(PROXIES[name], tmp_path), tmp_path) == ""


def test_the_real_envoy_refuses_what_is_wrong(tmp_path: Path) -> None:
    """A field that there is not, a protocol that there is not, and a destination that there is not are noticed."""
    document = bootstrap(proxy())
    cluster = document["static_resources"]["clusters"][0]

    assert "'nodes'" in refusal({**document, "nodes": {}}, tmp_path)
    cluster["type"] = "MAGIC"
    assert "MAGIC" in refusal(document, tmp_path)
    assert "unknown cluster 'nowhere'" in refusal(bootstrap(_leading(targets={"nowhere": 1})), tmp_path)


def test_an_envoy_follows_its_files(tmp_path: Path) -> None:
    """A real Envoy goes live with the listener and the endpoints in its files, even where a name has a slash."""
    destinations = [APP, Destination(name="mesh/canary", endpoints=APP.endpoints)]
    ways = {"app": 1, "mesh/canary": 1}
    rendered = anywhere(proxy(Route(match=Match(prefix="/"), targets=ways), destinations=destinations))
    for name, document in discovered(rendered, tmp_path).items():
        (tmp_path / name).write_text(text(document), encoding="utf-8")

    with Running(tmp_path / "bootstrap.json") as envoy:
        stats = envoy.told("stats?filter=update_rejected|total_listeners_active&format=json")["stats"]
        clusters = envoy.told("clusters?format=json")["cluster_statuses"]

    found = {each["name"]: each["value"] for each in stats if "name" in each}
    assert found.pop("listener_manager.total_listeners_active") == 1
    assert {0} == set(found.values())
    assert {"app": 1, "mesh/canary": 1} == {each["name"]: len(each["host_statuses"]) for each in clusters}
