"""What Envoys and tracing add to a request: gateway → frontend → nodejs and crystal, tasks as local processes.

The demo is built as the tests build it, by plain AWS calls.
"""

import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from automation import traffic
from bench.embedded import embedded
from bench.figures import Figure, LeftOut, Size, in_turns
from localaws.tasks import addresses
from tests.localaws.demo_site import MESH_PORT, TRACED, Demo

_PERCENTILES = (50, 99)
_OFF = "tracing off"
_WITHOUT = "no Envoys: the frontend and its backends alone"
_CHAINS: Mapping[str, Mapping[str, str]] = {  # the variables of all Envoys
    _OFF: {},
    "tracing at 5 %": {**TRACED, "XRAY_SAMPLING_RATE": "0.05"},
    "tracing at 100 %": {**TRACED, "XRAY_SAMPLING_RATE": "1"},
}
_CHECKED_SECONDS = 300  # between two health checks of a healthy container: none while it is measured
_WARMING = 50  # requests
_READY = urllib3.Retry(total=200, backoff_factor=0.05, backoff_max=0.2)
_APPLICATIONS = ("crystal", "nodejs", "frontend")
_REPOSITORY = Path(__file__).parents[1]


def measure(size: Size, folder: Path) -> Iterator[Figure | LeftOut]:
    """Send requests at a steady rate to each chain in turn, and yield how long their answers took."""
    if not addresses.available():
        yield LeftOut(what="latency of the chain of Envoys", why="this machine has no loopback address but 127.0.0.1")
        return
    with embedded(folder, tasks="processes") as instance, _applications() as frontend:
        urls = {_WITHOUT: frontend}
        for name, variables in _CHAINS.items():
            demo = _Demo(instance)
            demo.deploy(tracing=variables)
            urls[name] = demo.url()
        for url in urls.values():
            traffic.send(url, _WARMING, rate=size.rate, cancelled=threading.Event())
        found = in_turns(size, {name: _asked(url, size) for name, url in urls.items()})
    for name in _CHAINS:
        for percent in _PERCENTILES:
            yield _figure(name, percent, found, size)


def _figure(name: str, percent: int, found: Mapping[str, Sequence[traffic.Traffic]], size: Size) -> Figure:
    failed = sum(len(round_.problems()) for round_ in found[name])
    return Figure(
        what=f"p{percent} of a page through four Envoys, {name}",
        unit="ms",
        values=_percentiles(found[name], percent),
        baselines={
            baseline: _percentiles(found[baseline], percent) for baseline in (_OFF, _WITHOUT) if baseline != name
        },
        note=f"{size.requests} requests at {size.rate:g}/s" + (f"; {failed} kinds of failures" if failed else ""),
    )


def _percentiles(rounds: Sequence[traffic.Traffic], percent: int) -> list[float]:
    """Return a percentile of each round, in ms."""
    return [
        sorted(each.seconds)[math.ceil(len(each.seconds) * percent / 100) - 1] * 1000  # the nearest rank
        for each in rounds
    ]


def _asked(url: str, size: Size) -> Callable[[], traffic.Traffic]:
    return lambda: traffic.send(url, size.requests, rate=size.rate, cancelled=threading.Event())


class _Demo(Demo):
    """The demo, its containers hardly ever checked once they are healthy."""

    def define(self, *containers: dict[str, Any], **more: Any) -> str:
        """Register a task definition."""
        for container in containers:
            if "healthCheck" in container:
                container["healthCheck"]["interval"] = _CHECKED_SECONDS
        return super().define(*containers, **more)


@contextmanager
def _applications() -> Iterator[str]:
    """Run the demo's three applications without anything between them; yield the frontend's URL."""
    hosts = {name: f"127.78.{os.getpid() % 250}.{number}" for number, name in enumerate(_APPLICATIONS, 1)}
    variables = {
        "PYTHONPATH": str(_REPOSITORY),
        "CRYSTAL_URL": f"http://{hosts['crystal']}:{MESH_PORT}/crystal",
        "NODEJS_URL": f"http://{hosts['nodejs']}:{MESH_PORT}",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", f"localaws.programs.{name}"],
            env={"PATH": os.defpath, **variables, "LOCALAWS_TASK_ADDRESS": host},
            stdout=subprocess.DEVNULL,
        )
        for name, host in hosts.items()
    ]
    try:
        with urllib3.PoolManager() as pool:
            for host in hosts.values():
                pool.request("GET", f"http://{host}:{MESH_PORT}/health", retries=_READY)
        yield f"http://{hosts['frontend']}:{MESH_PORT}/"
    finally:
        for process in processes:
            process.kill()
            process.wait()
