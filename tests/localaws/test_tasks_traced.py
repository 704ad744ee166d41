"""Traced tasks: the segments that real Envoys send, from the request to X-Ray, every one of them."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from automation.traffic import send
from localaws.instance import Instance
from tests.localaws.demo_site import ALL_SERVICES, TRACED, Demo, pairs

_BATCH = 5  # traces that X-Ray tells of at once
_REQUESTS = 1000


@pytest.fixture(scope="module")
def demo(running: Instance) -> Demo:
    """The demo, every request traced."""
    site = Demo(running)
    site.deploy(tracing={**TRACED, "XRAY_SAMPLING_RATE": "1"})
    return site


class Window:
    """What X-Ray gets from the next full second on, which it waits for: X-Ray's ranges are in seconds."""

    def __init__(self, demo: Demo) -> None:
        now = datetime.now(UTC)
        self._demo, self._begin = demo, now.replace(microsecond=0) + timedelta(seconds=1)
        threading.Event().wait((self._begin - now).total_seconds())

    def traces(self) -> list[str]:
        """Return the ids of all traces."""
        pages = self._demo.xray.get_paginator("get_trace_summaries").paginate(**self._times())
        return [summary["Id"] for page in pages for summary in page["TraceSummaries"]]

    def segments(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the segments of each trace."""
        ids = self.traces()
        for first in range(0, len(ids), _BATCH):
            answer = self._demo.xray.batch_get_traces(TraceIds=ids[first : first + _BATCH])
            for trace in answer["Traces"]:
                yield [json.loads(segment["Document"]) for segment in trace["Segments"]]

    def nodes(self) -> Counter[str]:
        """Return how many responses of each node X-Ray counts."""
        answer = self._demo.xray.get_service_graph(**self._times())
        return Counter(
            {
                service["Name"].partition("/")[2]: service["SummaryStatistics"]["TotalCount"]
                for service in answer["Services"]
                if service.get("SummaryStatistics")
            }
        )

    def _times(self) -> dict[str, datetime]:
        return {"StartTime": self._begin, "EndTime": datetime.now(UTC) + timedelta(seconds=2)}


def requests(demo: Demo, number: int, rate: float | None = None) -> None:
    """Send requests, all of which must be answered with 200."""
    traffic = send(demo.url(), number, rate=rate, cancelled=threading.Event())
    assert not traffic.problems()


def shape(segments: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return a trace as its calls, sorted: who sent a segment, in which direction, and below whose."""
    names = {segment["id"]: segment["name"].partition("/")[2] for segment in segments}
    calls = [
        (names.get(each.get("parent_id", ""), ""), names[each["id"]], each["annotations"]["direction"])
        for each in segments
    ]
    return tuple(sorted(f"{caller}>{called} {direction}" for caller, called, direction in calls))


OF_THE_ORIGINAL = {
    (">gateway ingress", "gateway>frontend ingress"),
    (">frontend egress", "frontend>nodejs ingress"),
    (">frontend egress", "frontend>crystal ingress"),
}
JOINED = (
    ">gateway ingress",
    "frontend>crystal ingress",
    "frontend>frontend egress",
    "frontend>frontend egress",
    "frontend>nodejs ingress",
    "gateway>frontend ingress",
)


def test_every_segment_of_a_thousand_requests_arrives(demo: Demo) -> None:
    """The original's applications pass no header on, so a request is three traces of two segments; none is lost."""
    window = Window(demo)
    requests(demo, _REQUESTS)

    expected = {"gateway": _REQUESTS, "frontend": 3 * _REQUESTS, "nodejs": _REQUESTS, "crystal": _REQUESTS}
    demo.until(window.nodes, lambda nodes: nodes == expected)
    assert Counter(dict.fromkeys(OF_THE_ORIGINAL, _REQUESTS)) == Counter(map(shape, window.segments()))


def test_forwarding_joins_a_request_into_one_trace(demo: Demo) -> None:
    """With the applications' switch on, the six segments of a request have one trace id and the right parents."""
    forward = pairs({"FORWARD_TRACE_HEADER": "1"})
    demo.change("frontend", lambda containers: containers["frontend-app"]["environment"].extend(forward))
    window = Window(demo)
    requests(demo, 50)

    demo.until(window.nodes, lambda nodes: nodes == dict.fromkeys(ALL_SERVICES, 50))
    assert Counter({JOINED: 50}) == Counter(map(shape, window.segments()))


def test_at_the_default_rate_crystal_is_rare(demo: Demo) -> None:
    """Envoy samples the first request after each second and 5 % of the rest; nodejs, called first, takes the first.

    At 1.6 requests a second every other one comes well after the second is over.
    """
    for name in ALL_SERVICES:
        demo.change(name, without_rate)
    demo.change("frontend", lambda containers: without(containers["frontend-app"], "FORWARD_TRACE_HEADER"))
    window = Window(demo)
    requests(demo, 24, rate=1.6)

    nodes = demo.until(window.nodes, lambda found: found["nodejs"] >= 11)
    assert nodes["crystal"] < 0.6 * nodes["nodejs"]


def test_with_tracing_off_no_segment_arrives(demo: Demo) -> None:
    """The page still works."""
    for name in ALL_SERVICES:
        demo.change(name, without_tracing)
    window = Window(demo)
    requests(demo, 100)

    assert "Crystal backend" in demo.page()
    assert window.traces() == []


def without(container: dict[str, Any], variable: str) -> None:
    """Take an environment variable from a container."""
    container["environment"] = [each for each in container["environment"] if each["name"] != variable]


def without_rate(containers: dict[str, dict[str, Any]]) -> None:
    without(containers["envoy"], "XRAY_SAMPLING_RATE")


def without_tracing(containers: dict[str, dict[str, Any]]) -> None:
    without(containers["envoy"], "ENABLE_ENVOY_XRAY_TRACING")
    containers["envoy"].pop("dependsOn")
    containers.pop("xray")
