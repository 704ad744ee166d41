"""The service graph: which services call which, counted as X-Ray counts."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.support import code_of
from tests.localaws.xray_site import PROXY, Graph, Site, egress, ingress

HOUR = 3600


@pytest.fixture
def site(client: Callable[..., Any]) -> Site:
    return Site(client("xray", f"xray-{uuid.uuid4().hex[:8]}"))


def forwarded(site: Site) -> list[dict[str, Any]]:
    """One request as Envoys of 1.40 send it where the application forwards the trace header."""
    gateway = site.segment("vgw", 0, 0.100, annotations=ingress())
    frontend = site.below(gateway, "frontend", 0.010, 0.080, annotations=ingress())
    to_nodejs = site.below(frontend, "frontend", 0.020, 0.030, annotations=egress())
    nodejs = site.below(to_nodejs, "nodejs", 0.022, 0.020, annotations=ingress())
    to_crystal = site.below(frontend, "frontend", 0.060, 0.020, annotations=egress())
    crystal = site.below(to_crystal, "crystal", 0.062, 0.010, annotations=ingress(), fault=True)
    return [gateway, frontend, to_nodejs, nodejs, to_crystal, crystal]


def test_a_request_through_the_mesh(site: Site) -> None:
    """Each Envoy is one node, its ingress counted, its egress the calls as the caller saw them."""
    site.put(*forwarded(site))

    graph = site.graph()

    assert {
        ("client of vgw", "vgw"): 0.1,
        ("vgw", "frontend"): 0.08,
        ("frontend", "nodejs"): 0.03,
        ("frontend", "crystal"): 0.02,
    } == {ends: edge["SummaryStatistics"]["TotalResponseTime"] for ends, edge in graph.edges.items()}
    assert [1, 1, 1, 1] == [graph.count(name) for name in ("vgw", "frontend", "nodejs", "crystal")]
    assert {"Value": 0.08, "Count": 1} == graph.services["frontend"]["ResponseTimeHistogram"][0]
    assert {"OtherCount": 1, "TotalCount": 1} == graph.services["crystal"]["SummaryStatistics"]["FaultStatistics"]
    assert 1 == graph.edges["frontend", "nodejs"]["SummaryStatistics"]["OkCount"]


def test_a_header_that_is_not_forwarded_leaves_broken_traces(site: Site) -> None:
    """Without the header each call begins a trace, at a client of the frontend, and the frontend is counted for it."""
    shape = forwarded(site)
    to_nodejs, nodejs, to_crystal, crystal = shape[2:]
    for root, called in ((to_nodejs, nodejs), (to_crystal, crystal)):
        del root["parent_id"]
        root["trace_id"] = called["trace_id"] = site.trace_id()
    site.put(*shape)

    graph = site.graph()

    assert {
        ("client of vgw", "vgw"),
        ("client of frontend", "frontend"),
        ("vgw", "frontend"),
        ("frontend", "nodejs"),
        ("frontend", "crystal"),
    } == graph.edges.keys()
    assert 3 == graph.count("frontend")
    assert 2 == graph.count("client of frontend", "frontend")


def test_the_self_edge_of_older_envoys(site: Site) -> None:
    """Two segments of one name without a direction, as Envoys before 1.22 send them, make a self-edge."""
    received = site.segment("vgw")
    routed = site.below(received, "vgw")
    site.put(received, routed, site.below(routed, "frontend"))

    graph = site.graph()

    assert {("client of vgw", "vgw"), ("vgw", "vgw"), ("vgw", "frontend")} == graph.edges.keys()
    assert 2 == graph.count("vgw")


def test_a_routed_request_as_a_subsegment(site: Site) -> None:
    """Where Envoy sends the request routed as a subsegment, it is the call as the caller saw it."""
    received = site.segment("vgw", took=0.1)
    routed = site.below(received, "vgw", took=0.09, type="subsegment")
    site.put(received, routed, site.below(routed, "frontend", took=0.08))

    graph = site.graph()

    assert {("client of vgw", "vgw"), ("vgw", "frontend")} == graph.edges.keys()
    assert 0.09 == graph.edges["vgw", "frontend"]["SummaryStatistics"]["TotalResponseTime"]
    assert 1 == graph.count("vgw")


def test_spans_of_the_router_between_ingress_and_egress(site: Site) -> None:
    """Envoys that send a subsegment for each request routed (1.40: spawn_upstream_span) make the same graph."""
    frontend = site.segment("frontend", took=0.1, annotations=ingress())
    to_app = site.below(frontend, "router app egress", type="subsegment", annotations=ingress())
    leaving = site.below(to_app, "frontend", took=0.04, annotations=egress())
    to_nodejs = site.below(leaving, "router nodejs egress", took=0.03, type="subsegment", annotations=egress())
    nodejs = site.below(to_nodejs, "nodejs", took=0.02, annotations=ingress())
    site.put(frontend, to_app, leaving, to_nodejs, nodejs)

    graph = site.graph()

    assert {("client of frontend", "frontend"), ("frontend", "nodejs")} == graph.edges.keys()
    assert 1 == graph.count("frontend")
    assert 0.03 == graph.edges["frontend", "nodejs"]["SummaryStatistics"]["TotalResponseTime"]


def test_a_call_that_nobody_answered_is_seen_at_the_caller(site: Site) -> None:
    """An egress that failed for want of a backend counts as a fault of the Envoy that it left from."""
    frontend = site.segment("frontend", annotations=ingress())
    site.put(frontend, site.below(frontend, "frontend", annotations=egress(), fault=True))

    graph = site.graph()

    assert {("client of frontend", "frontend")} == graph.edges.keys()
    assert 1 == graph.services["frontend"]["SummaryStatistics"]["FaultStatistics"]["TotalCount"]


def test_a_segment_whose_parent_never_came_is_called_by_a_client(site: Site) -> None:
    """A lost segment leaves no gap: what it called begins at a client."""
    site.put(site.segment("nodejs", parent="f" * 16))

    graph = site.graph()

    assert {("client of nodejs", "nodejs")} == graph.edges.keys()
    client = graph.services["client of nodejs"]
    assert ("nodejs", "unknown") == (client["Name"], client["State"])
    assert not {"SummaryStatistics", "DurationHistogram", "AccountId"} & client.keys()
    served = graph.services["nodejs"]
    assert (True, "active", PROXY) == (served["Root"], served["State"], served["Type"])


def test_what_sends_no_segments_is_on_the_map_too(site: Site) -> None:
    """Calls that only a subsegment tells of lead to a node of their kind; those answered by a segment lead there."""
    times = {"start_time": site.begin, "end_time": site.begin + 0.25}
    calls = [
        {"id": "a" * 16, "name": "SNS", "namespace": "aws", **times},
        {"id": "b" * 16, "name": "api.example.com", "namespace": "remote", **times, "error": True},
        {"id": "c" * 16, "name": "orders@db", "namespace": "remote", "sql": {"url": "jdbc:x"}, **times},
        {"id": "d" * 16, "name": "stock.local", "namespace": "remote", **times},
    ]
    shop = site.segment("shop", took=2, subsegments=calls)
    site.put(shop, site.segment("stock", took=0.2, parent="d" * 16, trace_id=shop["trace_id"]))

    graph = site.graph()

    types = {"SNS": "AWS::SNS", "api.example.com": "remote", "orders@db": "Database::SQL", "stock": PROXY}
    assert types == {target: graph.services[target]["Type"] for source, target in graph.edges if source == "shop"}
    assert "unknown" == graph.services["SNS"]["State"]
    assert 1 == graph.services["api.example.com"]["SummaryStatistics"]["ErrorStatistics"]["OtherCount"]
    assert 0.25 == graph.edges["shop", "stock"]["SummaryStatistics"]["TotalResponseTime"]


def test_windows_side_by_side_add_up(site: Site) -> None:
    """A response is counted in the window in which it began, and in no other."""
    for at in (0.5, 29.99, 30, 59):
        root = site.segment("shop", at, took=20)
        site.put(root, site.below(root, "stock", at + 5, took=1))
    middle = site.begin + 30

    whole = site.graph(EndTime=site.begin + 90)
    halves = [site.graph(EndTime=middle), site.graph(StartTime=middle, EndTime=site.begin + 90)]

    assert (4, 4) == (whole.count("shop"), whole.count("stock"))
    assert [2, 2] == [half.count("shop") for half in halves]
    assert [1, 3] == [half.count("shop", "stock") for half in halves]


def test_segments_in_progress_are_on_the_map_uncounted(site: Site) -> None:
    """A service at work on its first request is there, with nothing to count yet."""
    site.put(site.segment("slow", took=None))

    assert 0 == site.graph().count("slow")


def test_more_than_six_hours_at_once_are_refused(site: Site) -> None:
    """The map, and its statistics, reach over six hours a call."""
    site.graph(StartTime=site.begin - 6 * HOUR, EndTime=site.begin)
    long = {"StartTime": site.begin - 6 * HOUR - 1, "EndTime": site.begin}

    for call in (site.xray.get_service_graph, site.xray.get_time_series_service_statistics):
        with pytest.raises(site.xray.exceptions.InvalidRequestException, match="cannot be longer than 6 hours"):
            call(**long)
        assert code_of(call, **{**site.window, "NextToken": "made up"}) == "InvalidRequestException"


def test_the_graph_of_single_traces(site: Site) -> None:
    """A trace graph shows the traces asked for and no others."""
    wanted, other = site.segment("wanted"), site.segment("other")
    site.put(wanted, other)

    graph = Graph(site.xray.get_trace_graph(TraceIds=[wanted["trace_id"]])["Services"])

    assert {"wanted", "client of wanted"} == graph.services.keys()


def test_the_graph_of_a_group(site: Site) -> None:
    """A group's graph is that of the traces that its filter expression finds."""
    site.put(site.segment("shop", fault=True), site.segment("shop"), site.segment("gate"))
    group = site.xray.create_group(GroupName="faults", FilterExpression='service("shop") { fault }')["Group"]

    for given in ({"GroupName": "faults"}, {"GroupARN": group["GroupARN"]}):
        graph = site.graph(**given)
        assert (1, {"shop", "client of shop"}) == (graph.count("shop"), set(graph.services))
    assert {"gate", "shop"} <= site.graph(GroupName="Default").services.keys()
    assert code_of(site.graph, GroupName="Faults") == "InvalidRequestException"


def test_statistics_over_time(site: Site) -> None:
    """A service, an edge, or all edges: one entry for each minute, or five, in which something began."""
    at = 60 - site.begin % 60  # the next whole minute
    for began, fault in ((at, False), (at + 1, True), (at + 60, False)):
        root = site.segment("shop", began, took=0.5, fault=fault)
        site.put(root, site.below(root, "stock", began, took=0.25))
    window = {"StartTime": site.begin, "EndTime": site.begin + 600}

    def entries(expression: str = "", **given: Any) -> list[dict[str, Any]]:
        chosen = {"EntitySelectorExpression": expression} if expression else {}
        call = site.xray.get_time_series_service_statistics
        found: list[dict[str, Any]] = call(**window, **chosen, **given)["TimeSeriesServiceStatistics"]
        return found

    first, second = entries(f'service(id(name: "shop", type: "{PROXY}"))')
    assert [site.begin + at, site.begin + at + 60] == [one["Timestamp"].timestamp() for one in (first, second)]
    assert (2, 1) == tuple(one["ServiceSummaryStatistics"]["TotalCount"] for one in (first, second))
    assert 1 == first["ServiceSummaryStatistics"]["FaultStatistics"]["TotalCount"]
    assert [{"Value": 0.5, "Count": 2}] == first["ResponseTimeHistogram"]
    assert [2, 1] == [one["EdgeSummaryStatistics"]["TotalCount"] for one in entries('edge("shop", "stock")')]
    assert [4, 2] == [one["EdgeSummaryStatistics"]["TotalCount"] for one in entries()]
    assert entries('id(name: "stock")', Period=60) == entries('service("stock")')
    assert 3 == sum(one["ServiceSummaryStatistics"]["TotalCount"] for one in entries('service("shop")', Period=300))
    assert [] == entries('service("nobody")')
    for bad in ({"expression": "fault"}, {"expression": 'edge("a", "b") OR'}, {"Period": 7}):
        assert code_of(entries, **bad) == "InvalidRequestException"
