"""Which targets the load balancers can reach: ECS counts a task behind one as ready only then."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from envoymesh import Endpoint
from localaws.ecs import alarm

_PAUSE_SECONDS = 0.1
_ANSWER_SECONDS = 2.0
_DOUBTS = ("failed_active_health_check", "pending_active_hc")  # in Envoy's HostHealthStatus


class Targets:
    """Asks the load balancers' Envoy, for as long as a target that it was given has not been found healthy."""

    def __init__(self, admin: Endpoint) -> None:
        self._url = f"http://{admin.address}:{admin.port}/clusters?format=json"
        self._direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._lock = threading.Lock()
        self._expected: AbstractSet[Endpoint] = frozenset()
        self._healthy: AbstractSet[Endpoint] = frozenset()
        self._asked = threading.Event()
        self._watcher: threading.Thread | None = None  # not before there are targets: the server forks until then

    def expect(self, endpoints: AbstractSet[Endpoint]) -> None:
        """Say which targets there are."""
        with self._lock:
            self._expected, self._healthy = frozenset(endpoints), self._healthy & endpoints
            if self._expected - self._healthy:
                self._asked.set()
        if endpoints and self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="targets", daemon=True)
            self._watcher.start()

    def is_healthy(self, endpoint: Endpoint) -> bool:
        """Return whether a target has been found healthy."""
        return endpoint in self._healthy

    def _watch(self) -> None:
        while True:
            self._asked.wait()
            found = frozenset(self._ask())
            with self._lock:
                news = found & self._expected != self._healthy
                self._healthy = found & self._expected
                if not self._expected - self._healthy:
                    self._asked.clear()
            if news:
                alarm.wake()
            threading.Event().wait(_PAUSE_SECONDS)

    def _ask(self) -> Iterator[Endpoint]:
        try:
            with self._direct.open(self._url, timeout=_ANSWER_SECONDS) as answer:
                document = json.load(answer)
        except (OSError, ValueError):  # it has not begun yet
            return
        for cluster in document.get("cluster_statuses", []):
            for host in cluster.get("host_statuses", []):
                if not _is_doubtful(host.get("health_status", {})):
                    address = host["address"]["socket_address"]
                    yield Endpoint(address=address["address"], port=address["port_value"])


def _is_doubtful(status: dict[str, Any]) -> bool:
    return any(status.get(doubt) for doubt in _DOUBTS)
