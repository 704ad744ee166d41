"""X-Ray takes segments: which ones, why not the others, and what becomes of those that come in parts."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from localaws.instance import Instance
from tests.localaws.support import code_of, send
from tests.localaws.xray_site import Site

DAY = 86_400


@pytest.fixture
def site(client: Callable[..., Any]) -> Site:
    return Site(client("xray", f"xray-{uuid.uuid4().hex[:8]}"))


def test_a_segment_is_given_back_as_it_was_sent(site: Site) -> None:
    """What a segment tells is kept whole, with its times to the last digit."""
    sent = site.segment("ecs-mesh/frontend", at=0.123456, http={"response": {"status": 200}}, metadata={"a": [1.5]})

    assert [] == site.put(sent)

    assert [sent] == site.trace(sent["trace_id"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": None}, "MissingId"),
        ({"id": "12345"}, "InvalidId"),
        ({"trace_id": None}, "MissingTraceId"),
        ({"trace_id": "1-5759e988"}, "InvalidTraceId"),
        ({"name": None}, "MissingName"),
        ({"name": ""}, "InvalidName"),
        ({"name": "x" * 201}, "InvalidName"),
        ({"name": "SELECT ?"}, "InvalidName"),
        ({"start_time": None}, "MissingStartTime"),
        ({"start_time": "now"}, "InvalidStartTime"),
        ({"end_time": None}, "MissingEndTime"),
        ({"end_time": None, "in_progress": False}, "MissingEndTime"),
        ({"end_time": 1}, "InvalidEndTime"),
        ({"parent_id": "frontend"}, "InvalidParentId"),
        ({"type": "subsegment"}, "MissingParentId"),
        ({"metadata": "x" * 65_536}, "InvalidSegment"),
    ],
)
def test_a_faulty_segment_is_told_by_id_and_reason(site: Site, change: dict[str, Any], code: str) -> None:
    """One bad segment of a batch is answered with its id, code and message; the others are taken."""
    bad = {key: value for key, value in (site.segment("bad") | change).items() if value is not None}
    good = site.segment("good")

    (unprocessed,) = site.put(bad, good)

    assert code == unprocessed["ErrorCode"]
    assert bad.get("id") == unprocessed.get("Id")
    assert unprocessed["Message"]
    assert {good["trace_id"]} == site.found("")


def test_what_is_no_document_is_told_without_an_id(site: Site) -> None:
    """What cannot be read as an object has no id to be told by."""
    unprocessed = site.put('{"id": ', "[]", '{"id": NaN}', '{"subsegments": [' * 2_000)

    assert ["ParseError", "MissingId", "ParseError", "ParseError"] == [one["ErrorCode"] for one in unprocessed]
    assert not any("Id" in one for one in unprocessed)


def test_a_faulty_subsegment_spoils_its_segment(site: Site) -> None:
    """A subsegment without an end is reported under the id of the segment that it came in."""
    begun = {"name": "query", "id": "1" * 16, "start_time": site.begin}
    segment = site.segment("shop", subsegments=[{**begun, "id": "2" * 16, "in_progress": True, "subsegments": [begun]}])

    assert [
        {
            "Id": segment["id"],
            "ErrorCode": "MissingEndTime",
            "Message": "Invalid subsegment. ErrorCode: MissingEndTime, Cause: null",
        }
    ] == site.put(segment)


def test_segments_of_another_time_are_not_taken(site: Site) -> None:
    """Segments older than 30 days, or of the future, are refused, while a clock a little ahead does no harm."""
    old, future, ahead = (site.segment("clock", at=at) for at in (-31 * DAY, DAY, 200))

    assert ["InvalidTraceId", "InvalidStartTime"] == [one["ErrorCode"] for one in site.put(old, future, ahead)]


def test_random_trace_ids_of_opentelemetry_are_taken(site: Site) -> None:
    """The time within a trace id is not looked at: OpenTelemetry's ids hold none."""
    segment = site.segment("otel", trace_id="1-00000001-" + uuid.uuid4().hex[:24])

    assert [] == site.put(segment)

    assert {segment["trace_id"]} == site.found("")


def test_a_completed_segment_takes_the_place_of_the_one_in_progress(site: Site) -> None:
    """A trace is partial until its segment is complete; one in progress that comes late changes nothing."""
    begun = site.segment("slow", took=None)
    complete = site.segment("slow", took=2, id=begun["id"], trace_id=begun["trace_id"])
    site.put(begun)
    assert [True] == [summary["IsPartial"] for summary in site.summaries()]

    site.put(complete)
    site.put(begun)

    assert [complete] == site.trace(begun["trace_id"])
    (summary,) = site.summaries()
    assert (False, 2.0, 2.0) == (summary["IsPartial"], summary["ResponseTime"], summary["Duration"])


def test_subsegments_sent_on_their_own_join_their_segment(site: Site) -> None:
    """Subsegments may come before what they belong to, and below each other; they end up in their places."""
    segment = site.segment("shop")
    outer = site.below(segment, "checkout", type="subsegment")
    inner = site.below(outer, "pay", type="subsegment")

    assert [] == site.put(inner)
    assert [inner] == site.trace(segment["trace_id"])
    assert [] == site.put(outer, segment)

    assert [{**segment, "subsegments": [{**outer, "subsegments": [inner]}]}] == site.trace(segment["trace_id"])


def test_a_call_to_what_sends_no_segments_is_inferred(site: Site) -> None:
    """A table that a subsegment tells of becomes a segment of its own, marked as inferred."""
    call = {
        "id": "a" * 16,
        "name": "DynamoDB",
        "namespace": "aws",
        "start_time": site.begin,
        "end_time": site.begin + 0.02,
        "aws": {"table_name": "orders", "operation": "PutItem"},
        "throttle": True,
    }
    segment = site.segment("shop", subsegments=[call])
    site.put(segment)

    _, inferred = sorted(site.trace(segment["trace_id"]), key=lambda document: "inferred" in document)

    assert ("orders", "AWS::DynamoDB::Table", call["id"]) == (
        inferred["name"],
        inferred["origin"],
        inferred["parent_id"],
    )
    (summary,) = site.summaries('service(id(name: "orders", type: "AWS::DynamoDB::Table")) { throttle }')
    assert (True, False) == (summary["HasThrottle"], summary["HasError"])


def test_a_trace_that_is_too_large_takes_no_more(site: Site) -> None:
    """Beyond 500 kB of documents a trace drops segments, says so to the sender, and to whoever reads it."""
    root = site.segment("big")
    parts = [site.below(root, "part", metadata={"x": "x" * 60_000}) for _ in range(9)]

    unprocessed = site.put(root, *parts)

    assert [parts[-1]["id"]] == [one["Id"] for one in unprocessed]
    assert unprocessed[0]["Message"].startswith("Trace Size Exceeded.")
    (trace,) = site.xray.batch_get_traces(TraceIds=[root["trace_id"]])["Traces"]
    assert trace["LimitExceeded"]
    assert 9 == len(trace["Segments"])


def test_batches_of_traces_are_small(site: Site) -> None:
    """One to five traces can be asked for at once; what is unknown is told."""
    known, unknown = site.segment("a"), site.trace_id()
    site.put(known)

    answer = site.xray.batch_get_traces(TraceIds=[unknown, known["trace_id"], known["trace_id"]])

    assert [known["trace_id"]] == [trace["Id"] for trace in answer["Traces"]]
    assert [unknown] == answer["UnprocessedTraceIds"]
    for ids in ([], [site.trace_id() for _ in range(6)], ["x" * 36]):
        for call in (site.xray.batch_get_traces, site.xray.get_trace_graph):
            assert code_of(call, TraceIds=ids) == "InvalidRequestException"


def test_telemetry_is_accepted(site: Site) -> None:
    """A daemon's own records are taken, but only complete ones."""
    record = {"Timestamp": site.begin, "SegmentsReceivedCount": 5, "BackendConnectionErrors": {"TimeoutCount": 1}}

    site.xray.put_telemetry_records(TelemetryRecords=[record], Hostname="here")

    assert code_of(site.xray.put_telemetry_records, TelemetryRecords=[{}]) == "InvalidRequestException"


@pytest.mark.parametrize("body", ["not a list", [1], [["a"]], [None], {"a": "b"}])
def test_a_batch_of_another_type_is_refused(instance: Instance, body: object) -> None:
    """Documents are strings in a list; a call that sends anything else ends in an error about that."""
    signed = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/xray/aws4_request, Signature=s",
        "Content-Type": "application/json",
    }

    status, answer = send(instance, "POST", "/TraceSegments", {"TraceSegmentDocuments": body}, signed)

    assert 400 == status
    assert "is not of the type" in answer


def test_accounts_and_regions_are_apart(site: Site, client: Callable[..., Any]) -> None:
    """A trace is known only in the region that it was sent to."""
    elsewhere = Site(client("xray", f"xray-{uuid.uuid4().hex[:8]}"))
    segment = site.segment("here")

    site.put(segment)

    assert [] == elsewhere.trace(segment["trace_id"])
    assert [] == elsewhere.summaries()
    assert {} == elsewhere.graph().services


def test_two_parts_that_name_each_other_do_no_harm(site: Site) -> None:
    """Segments and subsegments whose parents form a circle are still given back."""
    one = site.segment("a", parent="b" * 16, id="a" * 16)
    other = site.segment("b", parent="a" * 16, id="b" * 16, trace_id=one["trace_id"])
    loose = site.segment("c", parent="d" * 16, id="c" * 16, trace_id=one["trace_id"], type="subsegment")
    looser = site.segment("d", parent="c" * 16, id="d" * 16, trace_id=one["trace_id"], type="subsegment")

    site.put(*map(json.dumps, (one, other, loose, looser)))

    assert {"a", "b", "c", "d"} == {document["name"] for document in site.trace(one["trace_id"])}
    assert [one["trace_id"]] == [summary["Id"] for summary in site.summaries()]
    assert {("a", "b"), ("b", "a")} == site.graph().edges.keys()
