"""A review over the embedded AWS's X-Ray: segments put with boto3, read with windows, pages and batches."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from localaws.instance import Instance
from tests.localaws.support import client_of, until
from traces.calling import Caller
from traces.errors import RequestError
from traces.fetch import XRay
from traces.model import CLIENT, Key
from traces.ranges import Range

PROXY = "AWS::AppMesh::Proxy"
FRONTEND, NODEJS = Key("ecs-mesh/frontend", PROXY), Key("ecs-mesh/nodejs", PROXY)
HOUR = 3600
VIEWS = 30  # page views, one each hour, the first just before now


def segment_id(name: str) -> str:
    return f"{name.encode().hex():0<16}"[:16]


def segment(trace_id: str, name: str, start: float, seconds: float, **more: object) -> str:
    """A document as Envoy sends it; its id is its name's."""
    document = {
        "id": segment_id(name),
        "trace_id": trace_id,
        "name": f"ecs-mesh/{name}",
        "start_time": start,
        "end_time": start + seconds,
        "origin": PROXY,
        "http": {"request": {"method": "GET", "url": f"http://{name}.local/"}, "response": {"status": 200}},
        "annotations": {"component": "proxy"},
        "aws": {"app_mesh": {"mesh_name": "ecs-mesh", "virtual_node_name": name}},
    }
    return json.dumps({**document, **more})


@pytest.fixture(scope="module")
def begun() -> int:
    """The second of the newest page view."""
    return int(time.time()) - 60


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, begun: int) -> Iterator[Any]:
    """An X-Ray that has received a page view each hour; every third ended in a fault at the backend."""
    own = Instance(tmp_path_factory.mktemp("state"))
    own.start()
    try:
        xray = client_of(own, "xray")
        for number in range(VIEWS):
            start = begun - number * HOUR
            trace_id = f"1-{start:08x}-{number:024x}"
            fault = {"fault": True} if number % 3 == 0 else {}
            frontend = segment(trace_id, "frontend", start, 0.05)
            nodejs = segment(trace_id, "nodejs", start + 0.01, 0.02, parent_id=segment_id("frontend"), **fault)
            answer = xray.put_trace_segments(TraceSegmentDocuments=[frontend, nodejs])
            assert [] == answer["UnprocessedTraceSegments"]
        yield xray
    finally:
        own.stop()


@pytest.fixture
def xray(client: Any) -> XRay:
    return XRay(Caller(client, waits=(0.1, 0.1)))


@pytest.fixture
def asked(begun: int) -> Range:
    """All page views."""
    return Range(begun - VIEWS * HOUR, begun + 30)


def test_a_map_of_more_hours_than_a_call_answers(xray: XRay, asked: Range) -> None:
    """Client, frontend and backend with every page view counted once."""
    until(lambda: len(xray.summaries(asked).value) == VIEWS)
    fetched = xray.service_map(asked)
    assert () == fetched.missing
    assert {Key(FRONTEND.name, CLIENT), FRONTEND, NODEJS} == set(fetched.value.nodes)
    assert {(Key(FRONTEND.name, CLIENT), FRONTEND), (FRONTEND, NODEJS)} == set(fetched.value.edges)
    backend = fetched.value.nodes[NODEJS].statistics
    assert backend is not None
    assert (VIEWS, 20, 10) == (backend.total, backend.ok, backend.fault)
    assert 0.02 == pytest.approx(backend.average, rel=0.01)


def test_the_list_and_the_details_agree(xray: XRay, asked: Range, begun: int) -> None:
    """Every trace of the list can be shown, its parents joined."""
    listed = xray.summaries(asked).value
    assert [begun - number * HOUR for number in range(VIEWS)] == [trace.start for trace in listed]
    assert {"http://frontend.local/"} == {trace.url for trace in listed}
    assert {("proxy",)} == {trace.annotations["component"] for trace in listed}
    detailed = xray.traces([trace.id for trace in listed])
    assert () == detailed.missing
    assert [trace.id for trace in listed] == [trace.id for trace in detailed.value]
    assert {((0, FRONTEND.name), (1, NODEJS.name))} == {
        tuple((depth, found.name) for depth, found in trace.walk() if not found.inferred) for trace in detailed.value
    }


def test_filters_are_x_rays(xray: XRay, asked: Range) -> None:
    """A right one selects, a wrong one is refused with a reason."""
    assert 10 == len(xray.summaries(asked, 'service("ecs-mesh/nodejs") { fault }').value)
    with pytest.raises(RequestError, match="X-Ray refuses the filter 'responsetime >'"):
        xray.summaries(asked, "responsetime >")
