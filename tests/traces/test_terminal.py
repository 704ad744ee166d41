"""The map, latencies and a comparison as a person sees them: at the widths people have, with colours and without."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

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
from traces.comparing import compare
from traces.model import CLIENT, Key, ServiceMap
from traces.terminal import comparison, latency, words
from traces.terminal.service_map import service_map as drawn

WIDTHS = (80, 140)
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def shown(thing: RenderableType, width: int, *, colours: bool = False) -> str:
    """What is on the screen, without blanks at the ends of the lines."""
    out = io.StringIO()
    Console(
        file=out, width=width, color_system="truecolor" if colours else None, force_terminal=colours, highlight=False
    ).print(thing)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def fits(text: str, width: int) -> bool:
    return all(len(_ESCAPE.sub("", line)) <= width for line in text.splitlines())


def row(text: str, start: str, after: str = "") -> list[str]:
    """The words of the first line that holds `start`, below the one that holds `after`."""
    return next(line for line in text[text.index(after) :].splitlines() if start in line).split()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_map_is_a_tree_from_the_clients_down(width: int) -> None:
    """Gateway, then itself, then the frontend and its backends, each below who called it."""
    tree = shown(drawn(workshop(), width), width).split("services, as")[0].splitlines()[3:]
    assert [
        "client",
        "└─ ecs-mesh/ecsworkshop-vgw",
        "   ├─ ↺ itself",
        "   └─ ecs-mesh/frontend",
        "      ├─ ecs-mesh/nodejs",
        "      └─ ecs-mesh/crystal",
        "client",
        "└─ ecs-mesh/frontend ↑",
    ] == [re.split(r" {2,}[0-9]", line)[0] for line in tree[:8]]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_map_tells_of_each_call_how_long_how_often_and_how_it_ended(width: int) -> None:
    """Average, traces per minute, and the shares of OK, 4xx, 429 and 5xx, in numbers that need no colour."""
    text = shown(drawn(workshop(), width), width)
    assert ["9.0", "ms", "58.0", "69%", "10%", "-", "21%"] == row(text, "├─ ecs-mesh/nodejs")[2:9]
    assert ["18", "ms", "4.0", "100%", "-", "-", "-"] == row(text, "└─ ecs-mesh/crystal")[2:9]
    assert ["37", "ms", "95.0", "95%", "-", "5%", "-"] == row(text, "frontend", "services, as")[2:9]
    assert fits(text, width)


def test_a_services_dot_grows_with_its_traffic() -> None:
    """Little, some, much."""
    text = shown(drawn(workshop(), 80), 80)
    dots = [row(text, name.name, "services, as")[0] for name in (CRYSTAL, NODEJS, FRONTEND)]
    assert ["·", "•", "●"] == dots


def test_a_bar_has_letters_for_those_who_see_no_colours() -> None:
    """Errors, throttled and faults, each at least one cell however rare."""
    assert "█████████EFF" == words.bar(stats(58, 0.1, error=6, fault=12), 12).plain
    assert "█████████ETF" == words.bar(stats(10_000, 0.1, error=1, throttle=1, fault=1), 12).plain
    assert "FFFF" == words.bar(stats(1, 0.1, fault=1), 4).plain


def test_colours_are_the_consoles() -> None:
    """Green OK, yellow 4xx, purple 429, red 5xx."""
    text = shown(words.bar(stats(4, 0.1, error=1, throttle=1, fault=1), 4), 80, colours=True)
    assert "\x1b[32m█\x1b[0m\x1b[33mE\x1b[0m\x1b[35mT\x1b[0m\x1b[31mF\x1b[0m" == text


@pytest.mark.parametrize("width", WIDTHS)
def test_colours_change_nothing_but_colours(width: int) -> None:
    """With escape codes taken away, the text is the same; without colours there are none."""
    plain = shown(drawn(workshop(), width), width)
    coloured = shown(drawn(workshop(), width), width, colours=True)
    assert "\x1b" not in plain
    assert "\x1b[31m" in coloured
    assert plain == "\n".join(line.rstrip() for line in _ESCAPE.sub("", coloured).splitlines())


def test_services_that_call_each_other_in_a_circle_are_shown_once() -> None:
    """No client, no top, and no endless tree."""
    circle = service_map(
        node(FRONTEND, stats(2, 0.1)),
        node(NODEJS, stats(2, 0.1)),
        edge(FRONTEND, NODEJS, stats(2, 0.1)),
        edge(NODEJS, FRONTEND, stats(2, 0.1)),
    )
    tree = shown(drawn(circle, 80), 80).split("services, as")[0]
    assert (2, 1) == (tree.count("frontend"), tree.count("nodejs"))


def test_two_services_of_one_name_are_told_apart_by_type() -> None:
    """An application and its proxy may share a name."""
    pair = service_map(node(Key("web", "Proxy"), stats(1, 0.1)), node(Key("web", "Container"), stats(1, 0.1)))
    text = shown(drawn(pair, 80), 80)
    assert "web (Proxy)" in text
    assert "web (Container)" in text


@pytest.mark.parametrize("width", [60, 80, 140])
def test_long_names_do_not_push_the_numbers_out(width: int) -> None:
    """A name folds; what it is about stays."""
    long = Key("ecs-mesh/" + "very-long-name-" * 6, "P")
    shown_map = service_map(node(long, stats(60, 0.1)), node(Key(long.name, CLIENT), None))
    text = shown(drawn(shown_map, width), width)
    assert fits(text, width)
    assert "100%" in text
    assert "5xx" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_an_empty_range_says_so(width: int) -> None:
    """Not an empty table."""
    empty = service_map()
    for thing in (drawn(empty, width), latency.of_all(empty, width)):
        assert "No traces in this range." in shown(thing, width)


# Latency.


def spread() -> ServiceMap:
    """A frontend with a hundred responses, one of them slow."""
    return service_map(node(FRONTEND, stats(100, 0.02), histogram((0.012, 60), (0.018, 38), (0.024, 1), (0.9, 1))))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_histogram_shows_percentiles_where_they_lie(width: int) -> None:
    """The numbers above, and a mark at the bin that holds each."""
    shown_map = spread()
    text = shown(latency.of_node(shown_map.nodes[FRONTEND], shown_map, width), width)
    assert "p50 12 ms   p90 18 ms   p99 24 ms" in text
    marked = [line for line in text.splitlines() if "◂" in line]
    assert ["60% ◂ p50", "38% ◂ p90", "1% ◂ p99"] == [" ".join(line.split()[-3:]) for line in marked]
    assert ["ms", "and", "more"] == text.splitlines()[-1].split()[1:4]
    assert fits(text, width)


def test_a_bin_may_hold_all_percentiles() -> None:
    """Nearly all responses alike, and a few much slower: the marks stand beside each other, uncut."""
    alike = service_map(node(FRONTEND, stats(1002, 0.2), histogram((0.2, 1000), (9.0, 2))))
    text = shown(latency.of_node(alike.nodes[FRONTEND], alike, 80), 80)
    assert "200 to 205 ms" in text
    assert "◂ p50 ◂ p90 ◂ p99" in text
    assert fits(text, 80)


def test_the_most_frequent_bin_has_the_longest_bar() -> None:
    """A bar is as long as its share."""
    shown_map = spread()
    lines = shown(latency.of_node(shown_map.nodes[FRONTEND], shown_map, 100), 100).splitlines()
    lengths = {line.split("%")[0].rpartition(" ")[2]: line.count("█") for line in lines if "█" in line}
    assert 40 == lengths["60"]
    assert 25 == lengths["38"]


def test_whose_latency_it_is_is_told() -> None:
    """A node's is the service's own, an edge's the caller's."""
    shown_map = workshop()
    assert latency.OF_NODE in shown(latency.of_node(shown_map.nodes[NODEJS], shown_map, 80), 80)
    assert latency.OF_EDGE in shown(latency.of_edge(shown_map.edges[FRONTEND, NODEJS], shown_map, 80), 80)


@pytest.mark.parametrize("width", WIDTHS)
def test_all_latencies_keep_their_columns(width: int) -> None:
    """Long pairs of names fold; p99 stays."""
    text = shown(latency.of_all(workshop(), width), width)
    assert ["58", "5.0", "ms", "10", "ms", "40", "ms"] == row(text, "ecs-mesh/nodejs")[1:]
    assert fits(text, width)
    assert 2 == text.count("p99")


def test_no_responses_have_no_histogram() -> None:
    """A service that X-Ray has no durations of."""
    shown_map = service_map(node(FRONTEND, stats(0, 0)))
    text = shown(latency.of_node(shown_map.nodes[FRONTEND], shown_map, 80), 80)
    assert "No responses in this range." in text


# Comparison.


@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_tells_new_and_lost_and_shifts(width: int) -> None:
    """What a flip of tracing, or a deployment, did to the map."""
    before = workshop()
    slower = replace(before.nodes[NODEJS], durations=histogram((0.008, 58)))
    after = replace(
        before,
        nodes={key: found for key, found in before.nodes.items() if key != CRYSTAL} | {NODEJS: slower},
        edges={ends: found for ends, found in before.edges.items() if CRYSTAL not in ends},
    )
    text = shown(comparison.comparison(compare(before, after)), width)
    assert f"- lost service {CRYSTAL.name}" in text
    assert f"- lost edge    {FRONTEND.name} → {CRYSTAL.name}" in text
    assert ["shift", "+3.0", "ms", "-2.0", "ms", "~", "-32", "ms"] == row(text, "shift", after=NODEJS.name)
    assert fits(text, width)


def test_the_same_map_twice_has_no_changes() -> None:
    """And says so."""
    assert "Same services and edges in both." in shown(comparison.comparison(compare(workshop(), workshop())), 80)


def test_what_tracing_costs_is_not_claimed_but_doubted() -> None:
    """X-Ray sees traced requests only; load and sampling differ, too."""
    text = shown(comparison.comparison(compare(workshop(), workshop())), 400)
    assert f"{GATEWAY.name}, where requests come in: p50 40 ms → 40 ms (0)" in text
    assert "X-Ray knows only requests that were traced" in text
    assert "Traces per minute: 66.0 before, 66.0 after." in text
    assert "66 and 66 responses are few" in text


def test_without_traces_before_the_cost_cannot_be_told() -> None:
    """The usual case: tracing was off. Where to measure instead is said."""
    text = shown(comparison.comparison(compare(service_map(), workshop())), 400)
    assert (
        f"It cannot be told from X-Ray: {GATEWAY.name}, where requests come in, has no traces in the range before."
        in text
    )
    assert f"+ new  client of {FRONTEND_CLIENT.name}" in text


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "-"),
        (0.0, "0 ms"),
        (0.00042, "0.42 ms"),
        (0.0083, "8.3 ms"),
        (0.00999, "10.0 ms"),
        (0.01, "10 ms"),
        (0.083, "83 ms"),
        (0.9999, "1.00 s"),
        (1.24, "1.24 s"),
        (95.0, "95 s"),
    ],
)
def test_durations_have_two_or_three_digits_that_count(seconds: float | None, told: str) -> None:
    """In the unit that people expect."""
    assert told == words.duration(seconds)


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [(0, 9, "-"), (9, 9, "100%"), (1, 1000, "<1%"), (999, 1000, ">99%"), (1, 3, "33%"), (0, 0, "-")],
)
def test_a_share_is_0_or_100_only_if_it_is(part: int, whole: int, told: str) -> None:
    """One fault in a thousand is neither none nor hidden."""
    assert told == words.share(part, whole)
