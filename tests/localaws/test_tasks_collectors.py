"""Traced tasks with the daemon's successors: what real Envoys send reaches X-Ray through each of them."""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from automation.traffic import send
from localaws.ecs.model import Task
from localaws.instance import Instance
from localaws.tasks import envoys
from services.collectors import COLLECTORS
from tests.localaws.demo_site import TRACED, Demo, pairs


@pytest.mark.parametrize("name", ["adot", "cloudwatch-agent"])
def test_what_envoys_send_reaches_x_ray(running: Instance, name: str) -> None:
    """A gateway and a service, each with the collector as it is deployed: both ends of each request are on the map."""
    demo = Demo(running, COLLECTORS[name]("us-east-1"))
    tracing = {**TRACED, "XRAY_SAMPLING_RATE": "1"}
    demo.serve("frontend", tracing=tracing)
    demo.open_gateway(tracing=tracing)
    for service in ("frontend", "gateway"):
        demo.stable(service)
        # Envoy waits for the collector's start alone, and of a collector that is slower some segments would be lost.
        demo.until(partial(demo.log, "/xray-container", service), lambda lines: "heard on UDP" in "".join(lines))
    begin = datetime.now(UTC) - timedelta(seconds=1)
    assert not send(f"{demo.url()}health", 10, cancelled=threading.Event()).problems()

    def edges() -> set[tuple[str, str]]:
        graph = demo.xray.get_service_graph(StartTime=begin, EndTime=datetime.now(UTC) + timedelta(seconds=2))
        names = {service["ReferenceId"]: service["Name"] for service in graph["Services"]}
        return {
            (service["Name"], names[edge["ReferenceId"]]) for service in graph["Services"] for edge in service["Edges"]
        }

    demo.until(edges, lambda found: (f"{demo.name}/gateway", f"{demo.name}/frontend") in found)
    (task,) = demo.tasks("frontend")
    (sidecar,) = (each for each in task["containers"] if each["name"] == "xray")
    health = "HEALTHY" if name == "adot" else "UNKNOWN"  # of the two only ADOT's image has a binary to ask
    assert (sidecar["lastStatus"], sidecar["healthStatus"]) == ("RUNNING", health)
    assert "localaws's stand-in" in demo.log("/xray-container", "frontend")[0]


@pytest.mark.parametrize(
    ("properties", "spared", "redirected"),
    [
        ({"IgnoredUID": "1337", "IgnoredGID": ""}, ["1337", "1337:7"], ["", "0", "0:1337", "0:"]),
        ({"IgnoredUID": "1337", "IgnoredGID": "1338"}, ["1337", "0:1338"], ["1338", "0:7"]),
    ],
)
def test_whom_a_redirection_leaves_alone(properties: dict[str, str], spared: list[str], redirected: list[str]) -> None:
    """A user, a group, or both; what is left empty is nobody."""
    definition = {"proxyConfiguration": {"properties": pairs(properties)}}
    given: Any = dict.fromkeys(("id", "arn", "cluster", "group", "started_by"), "")
    task = Task(**given, definition=definition, launch={}, network={}, overrides={}, containers=[], created=0)
    assert [user for user in (*spared, *redirected) if envoys.is_spared(task, user)] == spared
