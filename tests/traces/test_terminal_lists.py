"""The list of traces and one trace in detail, as a person sees them."""

import json
from typing import Any

import pytest

from tests.traces.samples import START
from tests.traces.test_terminal import WIDTHS, fits, row, shown
from traces import documents
from traces.model import State, Trace, TraceSummary
from traces.ranges import Range
from traces.terminal.listing import listing
from traces.terminal.waterfall import waterfall

FRONTEND_URL = "http://ecsdemo-frontend.service.local/"
NODEJS_URL = "http://ecsdemo-nodejs.service.local:3000/"
_ASKED = Range(int(START) - 600, int(START))
_STATUS: dict[State, int] = {"ok": 200, "error": 404, "throttle": 429, "fault": 503}


def summary(number: int, url: str, age: float, seconds: float, state: State = "ok", **more: Any) -> TraceSummary:
    return TraceSummary(
        id=f"1-58406520-{number:024x}",
        start=START - age,
        duration=seconds,
        response_time=seconds,
        state=state,
        status=_STATUS[state],
        method="GET",
        url=url,
        client_ip="10.0.0.12",
        annotations={"component": ("proxy",), "node_id": ("n",)},
        **more,
    )


def listed(*traces: TraceSummary, width: int, limit: int = 20) -> str:
    return shown(listing(traces, _ASKED, limit=limit, now=START, width=width), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_traces_are_grouped_by_url_as_in_the_console(width: int) -> None:
    """Average, share of the traces, and how they ended: OK, throttled, errors, faults; the largest group first."""
    states: list[State] = ["ok", "throttle", "error", "fault", "ok", "ok"]
    found = [summary(number, FRONTEND_URL, 5, 0.01 * number, state) for number, state in enumerate(states, start=1)]
    text = listed(summary(9, NODEJS_URL, 1, 0.5), summary(10, NODEJS_URL, 2, 0.7), *found, width=width, limit=0)
    assert [FRONTEND_URL, "35", "ms", "75%", "3", "1", "1", "1"] == row(text, FRONTEND_URL)
    assert [NODEJS_URL, "600", "ms", "25%", "2", "-", "-", "-"] == row(text, NODEJS_URL)
    assert text.index(FRONTEND_URL) < text.index(NODEJS_URL)


@pytest.mark.parametrize("width", WIDTHS)
def test_each_trace_tells_what_the_console_tells(width: int) -> None:
    """ID, age, method, response, response time, URL, client and annotations; on two lines where one is too short."""
    text = listed(summary(7, NODEJS_URL, 65, 0.0072, "fault"), width=width)
    at = text.index("1-58406520-000000000000000000000007")
    told = text[at:].replace(" annotations", "").split()
    assert ["1m", "GET", "503", "fault", "7.2", "ms", NODEJS_URL, "10.0.0.12", "2"] == told[1:]
    assert fits(text, width)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_a_limit_leaves_out_is_told(width: int) -> None:
    """Groups count all traces; how to list all is said."""
    text = listed(*(summary(number, FRONTEND_URL, number, 0.01) for number in range(5)), width=width, limit=2)
    assert 2 == text.count("1-58406520-")
    assert "2 of 5 traces listed; --limit 5 lists all" in text


def test_a_trace_still_in_progress_is_marked() -> None:
    """Its numbers may change."""
    assert "200 OK partial" in listed(summary(1, FRONTEND_URL, 3, 0.01, partial=True), width=80)


@pytest.mark.parametrize("width", [60, *WIDTHS])
def test_long_urls_fold(width: int) -> None:
    """They are shown in full: a cut URL cannot be copied."""
    url = "http://example.com/" + "segment/" * 30
    text = listed(summary(1, url, 3, 0.01), width=width)
    assert fits(text, width)
    assert 30 <= "".join(text.split()).count("segment/")


def test_no_traces_are_a_heading_only() -> None:
    """With the range that was asked for."""
    assert "Traces  0 in 2026-03-31 11:55:00 to 12:05:00 UTC (10 min)" == listed(width=80)


# One trace.


def segment(
    name: str, parent: str, start: float, seconds: float | None, status: int = 200, **more: Any
) -> dict[str, Any]:
    """A segment as Envoy sends it; `start` in seconds after the first."""
    end = {} if seconds is None else {"end_time": START + start + seconds}
    return {
        "id": f"id-{name}",
        "name": f"ecs-mesh/{name}",
        "start_time": START + start,
        **end,
        **({"parent_id": f"id-{parent}"} if parent else {}),
        "origin": "AWS::AppMesh::Proxy",
        "http": {
            "request": {"method": "GET", "url": FRONTEND_URL, "client_ip": "10.0.0.12", "user_agent": "curl/8.5"},
            "response": {"status": status},
        },
        "annotations": {"component": "proxy", "response_flags": "-"},
        "aws": {"app_mesh": {"mesh_name": "ecs-mesh", "virtual_node_name": name}},
        **more,
    }


def trace(*segments: dict[str, Any]) -> Trace:
    readable = documents.readable(json.dumps(one) for one in segments)
    found = documents.trace("1-58406520-a006649127e371903a2de979", readable, duration=0.1, limit_exceeded=False)
    assert found is not None
    return found


def chain() -> Trace:
    return trace(
        segment("gateway", "", 0.0, 0.1),
        segment("frontend", "gateway", 0.02, 0.07),
        segment("nodejs", "frontend", 0.03, 0.02, 503, fault=True),
        segment("crystal", "frontend", 0.06, 0.01, 429),
    )


def bars(text: str) -> dict[str, tuple[int, int]]:
    """Column and length of each segment's bar, by name."""
    lines = [line for line in text.splitlines() if "█" in line]
    return {line.split()[1]: (line.index("█"), line.count("█")) for line in lines}


@pytest.mark.parametrize("width", WIDTHS)
def test_the_waterfall_indents_each_segment_under_its_caller(width: int) -> None:
    """With its start, its duration and how it ended."""
    text = shown(waterfall(chain(), width), width)
    assert ["1", "ecs-mesh/gateway", "0", "ms", "100", "ms", "200", "OK"] == row(text, "gateway")[:8]
    assert ["3", "ecs-mesh/nodejs", "30", "ms", "20", "ms", "503", "fault"] == row(text, "nodejs")[:8]
    assert ["4", "ecs-mesh/crystal", "60", "ms", "10", "ms", "429", "throttled"] == row(text, "crystal")[:8]
    columns = [
        next(line for line in text.splitlines() if name in line).index("ecs")
        for name in ("gateway", "frontend", "nodejs", "crystal")
    ]
    assert [0, 2, 4, 4] == [column - columns[0] for column in columns]
    assert fits(text, width)


@pytest.mark.parametrize("width", WIDTHS)
def test_bars_lie_where_the_segments_were_in_time(width: int) -> None:
    """In proportion to the whole trace."""
    found = bars(shown(waterfall(chain(), width), width))
    left, whole = found["ecs-mesh/gateway"]
    for name, start, seconds in (("frontend", 0.02, 0.07), ("nodejs", 0.03, 0.02), ("crystal", 0.06, 0.01)):
        column, length = found[f"ecs-mesh/{name}"]
        assert abs(column - left - whole * start / 0.1) <= 1
        assert abs(length - whole * seconds / 0.1) <= 1


def test_details_tell_request_annotations_and_mesh() -> None:
    """And whatever else the document holds, so that nothing needs the console."""
    found = trace(segment("gateway", "", 0.0, 0.1, cause={"message": "boom"}, metadata={"a": 1}))
    details = shown(waterfall(found, 140), 140).partition("AWS::AppMesh::Proxy")[2].split("\n")
    assert [
        ["id-gateway"],
        ["request", *f"GET {FRONTEND_URL} from 10.0.0.12 by curl/8.5".split()],
        ["annotations", "component=proxy", "response_flags=-"],
        ["aws.app_mesh", "mesh_name=ecs-mesh", "virtual_node_name=gateway"],
        ["cause", '{"message":', '"boom"}'],
        ["metadata", '{"a":', "1}"],
    ] == [line.split() for line in details]


def test_a_missing_parent_is_told() -> None:
    """A service in between sent nothing: the trace does not pretend to be whole."""
    text = shown(waterfall(trace(segment("gateway", "", 0, 0.1), segment("nodejs", "lost", 0.03, 0.02)), 80), 80)
    assert "ecs-mesh/nodejs was called by segment id-lost, which X-Ray has not received." in " ".join(text.split())


def test_a_segment_in_progress_is_open_at_its_end() -> None:
    """It has no duration yet."""
    text = shown(waterfall(trace(segment("gateway", "", 0, 0.1), segment("nodejs", "gateway", 0.05, None)), 100), 100)
    assert "running" in row(text, "nodejs")
    assert row(text, "nodejs")[-1].endswith("▸")


def test_a_trace_of_no_length_is_drawn() -> None:
    """All in the same instant."""
    found = documents.trace(
        "1-58406520-a006649127e371903a2de979",
        documents.readable([json.dumps(segment("gateway", "", 0, 0))]),
        duration=0.0,
        limit_exceeded=False,
    )
    assert found is not None
    assert 1 == bars(shown(waterfall(found, 80), 80))["ecs-mesh/gateway"][1]
