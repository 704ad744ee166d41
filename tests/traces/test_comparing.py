"""What changed on the map from one range to another."""

from tests.traces.samples import (
    CRYSTAL,
    FRONTEND,
    FRONTEND_CLIENT,
    GATEWAY,
    NODEJS,
    edge,
    histogram,
    node,
    service_map,
    stats,
    workshop,
)
from traces import comparing
from traces.comparing import compare
from traces.model import Key


def test_new_and_lost_services_and_edges_are_told() -> None:
    """What is on one map only."""
    before = service_map(
        node(FRONTEND, stats(1, 0.1)), node(CRYSTAL, stats(1, 0.1)), edge(FRONTEND, CRYSTAL, stats(1, 0.1))
    )
    after = service_map(
        node(FRONTEND, stats(1, 0.1)), node(NODEJS, stats(1, 0.1)), edge(FRONTEND, NODEJS, stats(1, 0.1))
    )
    found = compare(before, after)
    assert ([NODEJS], [CRYSTAL]) == (found.new_nodes, found.lost_nodes)
    assert ([(FRONTEND, NODEJS)], [(FRONTEND, CRYSTAL)]) == (found.new_edges, found.lost_edges)
    assert [FRONTEND] == [shift.key for shift in found.shifts]


def test_shifts_are_told_by_percentile() -> None:
    """Before and after, of the service's own latency."""
    before = service_map(node(FRONTEND, stats(100, 0.01), histogram((0.01, 95), (0.05, 5))))
    after = service_map(node(FRONTEND, stats(100, 0.02), histogram((0.02, 100))))
    shift = compare(before, after).shifts[0]
    assert {50: (0.01, 0.02), 90: (0.01, 0.02), 99: (0.05, 0.02)} == shift.percentiles()
    assert not shift.is_thin


def test_few_responses_are_marked() -> None:
    """Their last percentile is one response."""
    many, few = (service_map(node(FRONTEND, stats(count, 0.01), histogram((0.01, count)))) for count in (100, 99))
    assert [True, True, False] == [
        compare(*pair).shifts[0].is_thin for pair in ((many, few), (few, many), (many, many))
    ]


def test_the_entry_is_what_clients_call_and_reaches_most() -> None:
    """The gateway, although more clients seem to call the frontend: its own calls start traces of their own."""
    assert GATEWAY == compare(workshop(), workshop()).entry


def test_an_entry_of_one_side_only_has_no_shift() -> None:
    """Before tracing was on there is nothing to compare with."""
    found = compare(service_map(), workshop())
    assert (GATEWAY, None) == (found.entry, found.entry_shift)
    assert (0.0, 66.0) == (comparing.rate(found.before, GATEWAY), comparing.rate(found.after, GATEWAY))


def test_nothing_compared_with_nothing_is_nothing() -> None:
    """Two empty ranges."""
    found = compare(service_map(), service_map())
    assert (None, [], []) == (found.entry, list(found.shifts), list(found.new_nodes))


def test_clients_have_no_shift() -> None:
    """Nobody measures them."""
    assert {Key(FRONTEND_CLIENT.name, "client")}.isdisjoint(
        {shift.key for shift in compare(workshop(), workshop()).shifts}
    )
