"""Summaries of traces: what they tell, in which order, of which time, page by page."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.support import code_of
from tests.localaws.xray_site import PROXY, Site


@pytest.fixture
def site(client: Callable[..., Any]) -> Site:
    return Site(client("xray", f"xray-{uuid.uuid4().hex[:8]}"))


def test_a_summary_tells_the_request_and_all_that_served_it(site: Site) -> None:
    """URL, status and times are the root's; services, users and annotations those of all segments."""
    http = {
        "request": {"url": "http://shop/", "method": "GET", "user_agent": "curl", "client_ip": "10.0.0.9"},
        "response": {"status": 201},
    }
    ec2 = {"ec2": {"availability_zone": "eu-west-1a", "instance_id": "i-0123"}}
    shop = site.segment("shop", took=0.2, http=http, user="alice", annotations={"tier": "gold", "a-b": "not indexed"})
    stock = site.below(shop, "stock", took=0.4, annotations={"tier": "gold", "items": 3, "cold": True}, aws=ec2)
    site.put(stock, shop)

    (summary,) = site.summaries()

    names = {"AccountId": "123456789012", "Type": PROXY}
    shop_id, stock_id = ({"Name": name, "Names": [name], **names} for name in ("shop", "stock"))
    assert {
        "Id": shop["trace_id"],
        "ResponseTime": 0.2,
        "Duration": 0.41,
        "HasFault": False,
        "HasError": False,
        "HasThrottle": False,
        "IsPartial": False,
        "Http": {
            "HttpURL": "http://shop/",
            "HttpStatus": 201,
            "HttpMethod": "GET",
            "UserAgent": "curl",
            "ClientIp": "10.0.0.9",
        },
        "Annotations": {
            "tier": [{"AnnotationValue": {"StringValue": "gold"}, "ServiceIds": [shop_id, stock_id]}],
            "items": [{"AnnotationValue": {"NumberValue": 3.0}, "ServiceIds": [stock_id]}],
            "cold": [{"AnnotationValue": {"BooleanValue": True}, "ServiceIds": [stock_id]}],
        },
        "Users": [{"UserName": "alice", "ServiceIds": [shop_id]}],
        "ServiceIds": [shop_id, stock_id],
        "EntryPoint": shop_id,
        "AvailabilityZones": [{"Name": "eu-west-1a"}],
        "InstanceIds": [{"Id": "i-0123"}],
        "ResourceARNs": [],
    }.items() <= summary.items()
    assert site.begin == summary["StartTime"].timestamp()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"http": {"response": {"status": 200}}}, (False, False, False)),
        ({"http": {"response": {"status": 404}}}, (True, False, False)),
        ({"http": {"response": {"status": 429}}}, (True, False, True)),
        ({"http": {"response": {"status": 503}}}, (False, True, False)),
        ({"http": {"response": {"status": 503}}, "error": False, "fault": False}, (False, False, False)),
        ({"error": True, "throttle": True}, (True, False, True)),
        ({"fault": True, "error": True}, (False, True, False)),
    ],
)
def test_trouble_at_the_root_is_told_by_flags_or_else_by_the_status(
    site: Site, fields: dict[str, Any], expected: tuple[bool, bool, bool]
) -> None:
    """Newer Envoys set flags, older ones only the status of the response: both tell the same."""
    site.put(site.segment("shop", **fields))

    (summary,) = site.summaries()

    assert expected == (summary["HasError"], summary["HasFault"], summary["HasThrottle"])


def test_trouble_below_the_root_is_not_the_trace_s_own(site: Site) -> None:
    """A fault that the root recovered from is none of the trace, but throttling anywhere is told."""
    root = site.segment("shop")
    site.put(root, site.below(root, "stock", fault=True), site.below(root, "price", throttle=True))

    (summary,) = site.summaries()

    assert (False, False, True) == (summary["HasFault"], summary["HasError"], summary["HasThrottle"])
    (cause,) = summary["FaultRootCauses"]
    assert (["stock"], False) == ([service["Name"] for service in cause["Services"]], cause["ClientImpacting"])


def test_a_fault_is_followed_to_where_it_began(site: Site) -> None:
    """The root cause of a fault names the services on the way down to it, and the exception there."""
    exceptions = {"exceptions": [{"id": "e" * 16, "type": "Timeout", "message": "after 2 s"}]}
    root = site.segment("shop", fault=True)
    stock = site.below(root, "stock", fault=True, cause=exceptions)
    site.put(root, stock)

    (cause,) = site.summaries()[0]["FaultRootCauses"]

    assert ["shop", "stock"] == [service["Name"] for service in cause["Services"]]
    assert [{"Name": "Timeout", "Message": "after 2 s"}] == cause["Services"][-1]["EntityPath"][0]["Exceptions"]
    assert cause["ClientImpacting"]


def test_pages_follow_each_other_from_the_newest_to_the_oldest(site: Site) -> None:
    """All pages together hold each trace once, newest first, and each page says how many traces it looked at."""
    segments = [site.segment("shop", at=at / 10) for at in range(250)]
    for start in range(0, 250, 50):
        site.put(*segments[start : start + 50])

    pages = list(site.xray.get_paginator("get_trace_summaries").paginate(**site.window))

    assert [100, 100, 50] == [page["TracesProcessedCount"] for page in pages]
    newest_first = [segment["trace_id"] for segment in reversed(segments)]
    assert newest_first == [summary["Id"] for page in pages for summary in page["TraceSummaries"]]


def test_traces_of_one_moment_are_each_given_once(site: Site) -> None:
    """A page may end among traces that began at the very same time."""
    segments = [site.segment("shop") for _ in range(101)]
    site.put(*segments)

    found = [summary["Id"] for summary in site.summaries()]

    assert sorted(segment["trace_id"] for segment in segments) == sorted(found)


@pytest.mark.parametrize(
    ("kind", "first", "last", "expected"),
    [
        ("TraceId", 0, 1, 1),
        ("TraceId", 1, 5, 0),
        ("Event", 5, 6, 1),
        ("Event", 11, 12, 0),
        ("Service", 5, 6, 0),
        ("Service", 10, 11, 1),
        ("Service", 2, 3, 1),
    ],
)
def test_the_range_is_of_starts_or_of_activity_or_of_ends(
    site: Site, kind: str, first: int, last: int, expected: int
) -> None:
    """A trace from second 0 to 10, with a segment from 1 to 2.5, is found by the kind of time that is asked for."""
    root = site.segment("shop", took=10)
    site.put(root, site.below(root, "stock", at=1, took=1.5))

    found = site.summaries(TimeRangeType=kind, StartTime=site.begin + first, EndTime=site.begin + last)

    assert expected == len(found)
    assert all((kind == "Event") == ("MatchedEventTime" in summary) for summary in found)


def test_ranges_that_x_ray_refuses(site: Site) -> None:
    """No range, one that ends before it starts, and more than a day are errors, as are foreign page tokens."""
    hour = 3600
    for given in (
        {},
        {"StartTime": site.begin},
        {"StartTime": site.begin, "EndTime": site.begin},
        {"StartTime": site.begin - 25 * hour, "EndTime": site.begin},
        {**site.window, "NextToken": "made up"},
        {**site.window, "TimeRangeType": "Yesterday"},
    ):
        assert code_of(site.xray.get_trace_summaries, **given) == "InvalidRequestException"


def test_a_narrow_filter_is_read_through_short_pages(site: Site) -> None:
    """Where few traces match, a page holds few, and still leads to the next."""
    for start in range(0, 1_200, 50):
        site.put(*[site.segment("shop", at=(start + n) / 100) for n in range(50)])
    oldest = site.segment("rare", at=-1)
    site.put(oldest)

    found = site.summaries('service("rare")', StartTime=site.begin - 5)

    assert [oldest["trace_id"]] == [summary["Id"] for summary in found]
