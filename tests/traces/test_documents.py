"""The documents of a trace, joined into the tree that they describe."""

import json
from typing import Any

import pytest

from traces import documents
from traces.model import State, Trace


def segment(name: str, parent: str = "", start: float = 10.0, end: float | None = 11.0, **more: Any) -> dict[str, Any]:
    """A document whose id is its name."""
    known = {"id": name, "name": name, "start_time": start, **({"parent_id": parent} if parent else {}), **more}
    return known if end is None else {**known, "end_time": end}


def joined(*found: object) -> Trace:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in found]
    trace = documents.trace("1-0-0", documents.readable(texts), duration=None, limit_exceeded=False)
    assert trace is not None
    return trace


def shape(trace: Trace) -> list[tuple[int, str]]:
    return [(depth, found.name) for depth, found in trace.walk()]


def test_parents_are_found_in_other_documents() -> None:
    """Each Envoy sends its own; the tree is one, siblings in the order of their start."""
    trace = joined(
        segment("crystal", "frontend", 10.5),
        segment("nodejs", "frontend", 10.2),
        segment("gateway", "", 10.0),
        segment("frontend", "gateway", 10.1),
    )
    assert [(0, "gateway"), (1, "frontend"), (2, "nodejs"), (2, "crystal")] == shape(trace)


def test_subsegments_come_inside_a_document_or_on_their_own() -> None:
    """Both are children, and may have called others."""
    within = segment("app", subsegments=[segment("query", start=10.1, subsegments=[segment("connect", start=10.1)])])
    trace = joined(within, segment("egress", "app", 10.3, type="subsegment"), segment("next", "egress", 10.4))
    assert [(0, "app"), (1, "query"), (2, "connect"), (1, "egress"), (2, "next")] == shape(trace)
    assert "subsegments" not in trace.roots[0].document


def test_a_parent_that_never_came_makes_a_root_that_names_it() -> None:
    """Nothing is hidden because its caller is missing."""
    trace = joined(segment("gateway"), segment("nodejs", "lost", 10.4))
    assert [("gateway", ""), ("nodejs", "lost")] == [(root.name, root.parent) for root in trace.roots]


def test_parents_in_a_circle_are_shown_once_each() -> None:
    """Broken documents end neither in a loop nor in an empty trace."""
    trace = joined(segment("a", "b"), segment("b", "a"), segment("self", "self"))
    assert {"a", "b", "self"} == {found.name for _, found in trace.walk()}
    assert 3 == len(list(trace.walk()))


def test_of_a_segment_that_came_twice_the_complete_one_counts() -> None:
    """SDKs send a segment in progress, then the same one with its end."""
    for found in ([segment("a", end=None), segment("a", end=12.0)], [segment("a", end=12.0), segment("a", end=None)]):
        assert [12.0] == [known.end for _, known in joined(*found).walk()]


def test_a_trace_without_duration_lasts_from_first_start_to_last_end() -> None:
    """X-Ray tells none while a trace is in progress."""
    trace = joined(segment("a", start=10.0, end=10.5), segment("b", "a", 10.2, 11.5), segment("c", "a", 10.3, None))
    assert (10.0, 1.5) == (trace.start, trace.duration)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({}, "ok"),
        ({"error": True}, "error"),
        ({"error": True, "throttle": True}, "throttle"),
        ({"fault": True}, "fault"),
        ({"http": {"response": {"status": 200}}}, "ok"),
        ({"http": {"response": {"status": 404}}}, "error"),
        ({"http": {"response": {"status": 429}}}, "throttle"),
        ({"http": {"response": {"status": 503}}}, "fault"),
    ],
)
def test_how_a_segment_ended_is_told_by_its_flags_or_its_status(told: dict[str, Any], state: State) -> None:
    """Old Envoys send only the status."""
    assert [state] == [found.state for _, found in joined(segment("a", **told)).walk()]


@pytest.mark.parametrize("broken", ["", "{", "[]", "7", "{}", '{"id": "a"}', '{"id": 1, "start_time": 1}'])
def test_what_is_no_segment_is_left_out(broken: str) -> None:
    """The rest of the trace is shown all the same."""
    assert [(0, "a")] == shape(joined(broken, segment("a")))


def test_parts_of_the_wrong_kind_do_no_harm() -> None:
    """What a document should hold and does not is just not known."""
    odd = segment("a", http={"request": [], "response": {"status": "200"}}, subsegments=[7, {"id": "b"}])
    assert [("", None)] == [(found.url, found.status) for _, found in joined(odd).walk()]
