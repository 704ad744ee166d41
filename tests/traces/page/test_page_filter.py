"""Filtering and the lists: histogram, text, states, URLs; sorting and turning pages; the address that keeps it all."""

import re
from collections import Counter
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.traces.demo import CRYSTALS, HELLO, NODEJS, PROXY, UNKNOWN, Demo
from tests.traces.page.conftest import Visit

REVIEW = Demo(seed=4).review(400)
TRACES = REVIEW.traces


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit(REVIEW)


def listed(page: Page, column: int) -> list[str]:
    """The texts of a column of the list of traces, as shown."""
    return page.locator(f"#list tbody td:nth-child({column})").all_inner_texts()


def count_of(page: Page) -> int:
    """How many traces match, as the heading tells."""
    return int(re.findall(r"Traces: ([\d,]+) of", page.locator("#traces-heading").inner_text())[0].replace(",", ""))


def drag(page: Page, left: float, right: float) -> None:
    """Drag over the histogram, from one share of its width to another."""
    box = page.locator("#histogram .overlay").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * left, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * right, box["y"] + 70, steps=4)
    page.mouse.up()


def test_a_range_dragged_on_the_histogram_filters_the_traces(page: Page) -> None:
    """The right half of the times: fewer traces, each within the range that the two fields tell."""
    drag(page, 0.5, 1)
    expect(page.get_by_label("From (ms)")).not_to_have_value("")
    low, high = (float(page.get_by_label(name).input_value()) / 1000 for name in ("From (ms)", "to (ms)"))
    within = sum(low * 0.999 <= trace.response_time <= high * 1.001 for trace in TRACES)
    assert 0 < within < len(TRACES)
    assert within == pytest.approx(count_of(page), abs=1)
    page.get_by_role("button", name="All durations").click()
    assert len(TRACES) == count_of(page)


def test_a_range_can_be_typed(page: Page) -> None:
    """By keyboard: from 50 ms on, no end."""
    page.get_by_label("From (ms)").fill("50")
    page.keyboard.press("Tab")
    assert sum(trace.response_time >= 0.05 for trace in TRACES) == count_of(page)
    expect(page.locator("#histogram .selection")).to_be_visible()


def test_a_range_that_ends_before_it_begins_is_refused(page: Page) -> None:
    """The field says what is wrong, and the traces stay."""
    page.get_by_label("From (ms)").fill("50")
    page.get_by_label("to (ms)").fill("10")
    page.keyboard.press("Tab")
    told = page.get_by_label("to (ms)").evaluate("field => field.validationMessage")
    assert "The range has to end after it begins." == told


def test_a_range_on_a_services_histogram_is_about_its_own_time(page: Page) -> None:
    """Traces are found by what nodejs took in them, though the whole trace took longer."""
    took = {
        trace.id: segment.end - segment.start
        for trace in REVIEW.details.values()
        for _, segment in trace.walk()
        if segment.name == NODEJS.name and segment.end
    }
    middle = sorted(took.values())[len(took) // 2]
    page.get_by_role("button", name=f"ecs-mesh/nodejs ({PROXY})").click()
    page.get_by_label("to (ms)").fill(str(middle * 1000))
    page.keyboard.press("Tab")
    assert sum(seconds <= middle for seconds in took.values()) == pytest.approx(count_of(page), abs=1)


def test_the_percentiles_are_marked(page: Page) -> None:
    """Half of the responses took no longer than p50."""
    shown = page.locator("#histogram .marks text").all_text_contents()
    assert ["p50", "p90", "p99"] == [text.split()[0] for text in shown]
    times = sorted(trace.response_time * 1000 for trace in TRACES)
    assert times[199] == pytest.approx(float(shown[0].split()[1]), rel=0.06)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("503", lambda trace: "503" in f"{trace.id} {trace.status}"),
        ("crystal", lambda trace: "crystal" in trace.url),
        ("GET nodejs", lambda trace: "nodejs" in trace.url),
        (TRACES[7].id[-12:], lambda trace: trace is TRACES[7]),
        ("POST", lambda _: False),
    ],
)
def test_words_in_the_filter_are_looked_for_in_url_id_status_and_method(page: Page, text: str, matches: object) -> None:
    """All words have to be found, in whatever of them; nothing found is said in the list."""
    assert callable(matches)
    page.get_by_label("Filter traces").fill(text)
    assert sum(map(matches, TRACES)) == count_of(page)
    assert page.locator("#list .empty").count() == (not any(map(matches, TRACES)))


def test_states_can_be_left_out(page: Page) -> None:
    """Each box tells how many there are; unchecking OK leaves the others."""
    states = Counter(trace.state for trace in TRACES)
    ok = page.get_by_role("checkbox", name="OK")
    expect(page.locator("label", has=ok)).to_contain_text(str(states["ok"]))
    ok.uncheck()
    assert len(TRACES) - states["ok"] == count_of(page)


def test_traces_are_grouped_by_url_as_in_the_console(page: Page) -> None:
    """URL, average, share, and how they ended: the most frequent first."""
    cells = page.locator("#groups tbody tr").first.locator("td").all_inner_texts()
    hellos = [trace for trace in TRACES if trace.url == HELLO.url]
    average = sum(trace.response_time for trace in hellos) / len(hellos)
    assert [HELLO.url, f"{average * 1000:.2g} ms"] == cells[:2]
    assert f"{len(hellos) / 4:.0f} %" == cells[2].strip()
    assert [str(sum(trace.state == "fault" for trace in hellos))] == re.findall(r"\d+", cells[6])


def test_a_url_of_the_groups_filters_and_is_let_go_of(page: Page) -> None:
    """The other URLs stay to be chosen, and the focus stays where it was."""
    page.get_by_role("button", name=CRYSTALS.url).press("Enter")
    assert sum(trace.url == CRYSTALS.url for trace in TRACES) == count_of(page)
    assert CRYSTALS.url == page.evaluate("document.activeElement.textContent")
    expect(page.get_by_role("button", name=UNKNOWN.url)).to_be_visible()
    page.get_by_role("button", name=f"Remove URL: {CRYSTALS.url}").click()
    assert len(TRACES) == count_of(page)


def test_the_list_is_sorted_by_its_headings(page: Page) -> None:
    """Response time: the slowest first, then the fastest; the heading says which to a screen reader."""
    heading = page.locator("#list th").filter(has_text="Response time")
    slowest, *_, fastest = sorted(TRACES, key=lambda trace: -trace.response_time)
    heading.get_by_role("button").click()
    assert slowest.id == listed(page, 1)[0]
    expect(heading).to_have_attribute("aria-sort", "descending")
    heading.get_by_role("button").click()
    assert fastest.id == listed(page, 1)[0]
    expect(heading).to_have_attribute("aria-sort", "ascending")


def test_the_newest_come_first(page: Page) -> None:
    """As X-Ray lists them, with the age before the end of the range."""
    assert [trace.id for trace in TRACES[:50]] == listed(page, 1)


def test_pages_are_turned_and_the_focus_stays_on_the_button(page: Page) -> None:
    """Next shows the next fifty, by keyboard too; at the end there is no next."""
    page.locator("#list").get_by_role("button", name="Next").press("Enter")
    assert [trace.id for trace in TRACES[50:100]] == listed(page, 1)
    page.keyboard.press("Enter")
    assert [trace.id for trace in TRACES[100:150]] == listed(page, 1)
    page.locator("#list").get_by_role("button", name="Last").click()
    assert [trace.id for trace in TRACES[350:]] == listed(page, 1)
    expect(page.locator("#list").get_by_role("button", name="Next")).to_be_disabled()


def test_ten_thousand_traces_keep_the_page_as_light_as_a_hundred(visit: Visit) -> None:
    """No more elements for 100 times the traces, before and after sorting and filtering."""
    elements = "document.querySelectorAll('body *').length"
    few = visit(Demo().review(100)).evaluate(elements)
    page = visit(replace(Demo().review(10_000), details={}))
    assert page.evaluate(elements) < few + 200
    page.locator("#list th").filter(has_text="Client IP").get_by_role("button").click()
    page.get_by_label("Filter traces").fill("GET")
    assert page.evaluate(elements) < few + 200
    assert 10_000 == count_of(page)


def test_what_is_shown_is_told_to_screen_readers(page: Page) -> None:
    """A live region says how many traces match after each change."""
    page.get_by_role("checkbox", name="OK").uncheck()
    expect(page.locator("[aria-live=polite]")).to_have_text(f"{count_of(page)} of 400 traces shown")


def test_the_address_brings_the_same_choice_back(page: Page) -> None:
    """All that was chosen stands after the #: opened again it shows the same."""
    page.get_by_role("button", name=f"ecs-mesh/nodejs ({PROXY})").click()
    page.get_by_label("to (ms)").fill("5")
    page.get_by_role("checkbox", name="Fault").uncheck()
    page.get_by_label("Filter traces").fill("nodejs get")
    count, chosen = count_of(page), page.locator("#chosen").inner_text()
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert (count, chosen) == (count_of(page), page.locator("#chosen").inner_text())
    assert "nodejs get" == page.get_by_label("Filter traces").input_value()


def test_the_back_button_takes_back_one_choice_not_one_letter(page: Page) -> None:
    """Choices are steps, typing is not."""
    page.get_by_role("checkbox", name="OK").uncheck()
    page.get_by_label("Filter traces").press_sequentially("wp-login")
    assert sum(trace.url == UNKNOWN.url and trace.state != "ok" for trace in TRACES) == count_of(page)
    page.go_back()
    assert len(TRACES) == count_of(page)


@pytest.mark.parametrize("address", ["#node=999&range=9-1&states=,&text=", "#edge=x", "#range=a-b", "#%E0%A4%A"])
def test_addresses_that_mean_nothing_here_show_what_they_can(visit: Visit, address: str) -> None:
    """A link of another page or a mistyped one is no reason to show nothing at all."""
    expect(visit(REVIEW, address).locator("#traces-heading")).to_contain_text("of 400 traces")
