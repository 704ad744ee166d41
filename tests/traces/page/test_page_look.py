"""Before and after, light and dark, the reader's time zone, print, and what assistive technology finds."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.traces.demo import CRYSTALS, HEALTH, HELLO, PAGE, PROXY, Demo
from tests.traces.page.conftest import Visit

BEFORE = Demo(seed=7, title="before", chains=(PAGE, HELLO, HEALTH), slower=0.5).review(150)
NO_GATEWAY = Demo(seed=8, title="before", chains=(HELLO, CRYSTALS)).review(80)
AFTER = Demo(seed=9, title="after", chains=(PAGE, HELLO, CRYSTALS)).review(200, before=BEFORE)
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
DARK, LIGHT = "rgb(13, 18, 25)", "rgb(243, 245, 249)"


def marked(page: Page, kind: str) -> list[str]:
    """The names of what is marked on the map as new or lost."""
    found = page.locator(f".map .{kind}").evaluate_all("all => all.map(each => each.getAttribute('aria-label'))")
    return sorted(label.partition(",")[0] for label in found)


def test_what_is_new_is_marked(visit: Visit) -> None:
    """Crystal and the call of it came with the second set; words say so too."""
    page = visit(AFTER)
    assert ["ecs-mesh/crystal (AWS::AppMesh::Proxy)", "ecs-mesh/frontend → ecs-mesh/crystal"] == marked(page, "new")
    expect(page.get_by_role("button", name=f"ecs-mesh/crystal ({PROXY})")).to_contain_text("new")


def test_what_is_lost_is_marked(visit: Visit) -> None:
    """What was there before and is no more stays on the map, as lost."""
    page = visit(replace(BEFORE, before=NO_GATEWAY))
    assert ["ecs-mesh/crystal (AWS::AppMesh::Proxy)", "ecs-mesh/frontend → ecs-mesh/crystal"] == marked(page, "lost")


def test_a_service_tells_how_its_average_changed(visit: Visit) -> None:
    """Twice as slow is about +100 %."""
    name = f"ecs-mesh/nodejs ({PROXY})"
    now, was = (each.map.nodes[HELLO.services[1]].statistics for each in (AFTER, BEFORE))
    assert now
    assert was
    change = f"+{now.average / was.average - 1:.0%}".replace("%", " %")
    expect(visit(AFTER).get_by_role("button", name=name)).to_contain_text(change)


def test_the_histogram_overlays_both(visit: Visit) -> None:
    """Bars for the one that is shown, a line named like the other."""
    page = visit(AFTER)
    expect(page.locator("#histogram .outline text")).to_have_text("line: before")
    assert 0 < page.locator("#histogram .bars rect").count()
    page.get_by_text("before", exact=True).click()
    expect(page.locator("#histogram .outline text")).to_have_text("line: after")


def test_the_lists_are_those_of_the_set_that_is_shown(visit: Visit) -> None:
    """Title, notes and traces change; a trace of the set before opens by its link."""
    page = visit(AFTER)
    page.get_by_label("before").check(force=True)
    expect(page.locator("#traces-heading")).to_have_text("Traces: 150 of 150 traces")
    expect(page.locator("#title")).to_have_text("Traces: before")
    link = page.get_by_role("link", name=BEFORE.traces[0].id)
    link.click()
    expect(page.locator(".waterfall tbody tr")).to_have_count(len([*BEFORE.details[BEFORE.traces[0].id].walk()]))
    page.go_back()
    page.go_back()
    expect(page.locator("#traces-heading")).to_have_text("Traces: 200 of 200 traces")


def test_urls_are_compared(visit: Visit) -> None:
    """The groups tell how the average changed, and what is new."""
    page = visit(AFTER)
    crystal = page.locator("#groups tr", has=page.get_by_role("button", name=CRYSTALS.url))
    expect(crystal.locator("td").nth(2)).to_have_text("new")


@pytest.mark.parametrize(("scheme", "colour"), [("dark", DARK), ("light", LIGHT)])
def test_the_system_says_light_or_dark(visit: Visit, scheme: str, colour: str) -> None:
    """Without a choice the page is as the system is."""
    assert colour == visit(BEFORE, color_scheme=scheme).evaluate(BACKGROUND)


def test_the_reader_may_say_otherwise(visit: Visit) -> None:
    """A button turns the page dark on a light system, and light again."""
    page = visit(BEFORE, color_scheme="light")
    page.get_by_role("button", name="Dark").click()
    assert DARK == page.evaluate(BACKGROUND)
    page.get_by_role("button", name="Light").click()
    assert LIGHT == page.evaluate(BACKGROUND)


@pytest.mark.parametrize(("zone", "shown"), [("Europe/Berlin", "12:06:40"), ("America/New_York", "06:06:40")])
def test_times_are_those_of_the_readers_zone(visit: Visit, zone: str, shown: str) -> None:
    """The same file, opened elsewhere; the foot of the page names the zone."""
    page = visit(BEFORE, timezone_id=zone)
    expect(page.locator("#range")).to_contain_text(shown)
    expect(page.locator("#zone")).to_contain_text(zone)


def test_print_is_light_and_leaves_out_what_only_a_screen_can_use(visit: Visit) -> None:
    """On paper: charts and lists, no buttons."""
    page = visit(BEFORE, color_scheme="dark")
    page.get_by_role("button", name="Light").click()
    page.get_by_role("button", name="Dark").click()
    page.emulate_media(media="print")
    expect(page.locator("#theme")).to_be_hidden()
    expect(page.locator("#filter")).to_be_hidden()
    expect(page.locator("#map svg")).to_be_visible()
    card = "getComputedStyle(document.querySelector('.card')).backgroundColor"
    assert "rgb(255, 255, 255)" == page.evaluate(card)


def test_landmarks_and_headings_lead_through_the_page(visit: Visit) -> None:
    """One main, a banner, a footer, a search; headings of one level each below the title."""
    page = visit(BEFORE)
    for role in ("banner", "main", "contentinfo", "search"):
        expect(page.get_by_role(role)).to_have_count(1)
    headings = page.get_by_role("heading").evaluate_all("all => all.map(each => each.tagName)")
    assert ["H1", "H2", "H2", "H2", "H2", "H2"] == headings


def test_everything_that_can_be_used_has_a_name(visit: Visit) -> None:
    """No button, field or link without words for a screen reader, and no two elements with one id."""
    page = visit(AFTER, f"#trace={AFTER.traces[0].id}")
    page.get_by_role("button", name="All traces").click()
    nameless = """[...document.querySelectorAll('button, input, a, [role=button]')].filter((each) => {
        const labels = [...(each.labels ?? [])].map((label) => label.textContent);
        return ![each.getAttribute('aria-label'), each.textContent, ...labels].join('').trim();
    }).map((each) => each.outerHTML)"""
    assert [] == page.evaluate(nameless)
    ids = page.locator("[id]").evaluate_all("all => all.map(each => each.id)")
    assert len(set(ids)) == len(ids)


def test_the_first_tab_offers_to_skip_to_the_traces(visit: Visit) -> None:
    """The map lies in the way of those who come for the list."""
    page = visit(BEFORE, "#text=nothing-such")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the traces")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#traces")).to_be_focused()
    expect(page.locator("#traces-heading")).to_have_text("Traces: 0 of 150 traces")


def test_the_focus_can_be_seen(visit: Visit) -> None:
    """Whatever the keyboard reaches is outlined, nodes of the map by their halo."""
    page = visit(BEFORE)
    for _ in range(6):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    focused = "getComputedStyle(document.activeElement.querySelector('.halo, .pill')).strokeDasharray"
    assert "5px, 3px" == page.evaluate(focused)
