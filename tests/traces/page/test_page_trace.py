"""One trace: its waterfall, all that is known of a segment, links to it and the way back; and data that means harm."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.traces.demo import PAGE, PROXY, Demo
from tests.traces.page.conftest import Visit
from traces.model import CLIENT, Edge, Key, Node, Segment, ServiceMap, Statistics, Trace
from traces.report import Review

REVIEW = Demo(seed=5, chains=(PAGE,)).review(120)
SUMMARY = REVIEW.traces[2]
TRACE = REVIEW.details[SUMMARY.id]


def test_a_click_in_the_list_opens_the_waterfall(visit: Visit) -> None:
    """The segments stand one below the other, deeper ones further in, as long as they took."""
    page = visit(REVIEW)
    page.get_by_role("link", name=SUMMARY.id).click()
    expect(page.get_by_role("heading", name=SUMMARY.id)).to_be_focused()
    rows = page.locator(".waterfall tbody tr")
    names = [row.locator("button").inner_text() for row in rows.all()]
    assert [segment.name for _, segment in TRACE.walk()] == names
    expect(page.locator("#overview")).to_be_hidden()
    indents = [row.locator("td").first.evaluate("cell => parseFloat(cell.style.paddingLeft)") for row in rows.all()]
    assert sorted(set(indents)) == indents


def test_bars_lie_where_the_segments_lie_in_time(visit: Visit) -> None:
    """Offset and length are shares of the whole trace."""
    page = visit(REVIEW, f"#trace={SUMMARY.id}")
    *_, (_, last) = TRACE.walk()
    assert last.end
    style = page.locator(".bar-of-time").last.evaluate("bar => [bar.style.left, bar.style.width].map(parseFloat)")
    expected = [100 * (last.start - TRACE.start) / TRACE.duration, 100 * (last.end - last.start) / TRACE.duration]
    assert expected == pytest.approx(style, abs=0.01)


def test_arrow_keys_go_from_segment_to_segment_and_the_panel_follows(visit: Visit) -> None:
    """The panel tells annotations, http, the mesh's names and the document itself."""
    page = visit(REVIEW, f"#trace={SUMMARY.id}")
    page.locator(".waterfall button").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    *_, (_, last) = TRACE.walk()
    panel = page.get_by_role("complementary", name="Segment")
    expect(panel).to_contain_text(last.id)
    for part in ("request.url", PAGE.url, "app_mesh.mesh_name", "ecs-mesh", "node_id", "annotations"):
        expect(panel).to_contain_text(part)
    panel.get_by_text("Document").click()
    expect(panel.locator("pre")).to_contain_text(f'"id": "{last.id}"')


def test_back_leads_to_the_same_page_of_the_list(visit: Visit) -> None:
    """After page two of a sorted list and a trace, the back button brings page two, and the focus to the trace."""
    page = visit(REVIEW)
    page.locator("#list th").filter(has_text="Response time").get_by_role("button").click()
    page.locator("#list").get_by_role("button", name="Next").click()
    link = page.locator("#list tbody a").nth(4)
    name = link.inner_text()
    link.click()
    expect(page.locator(".waterfall")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name=name)).to_be_focused()
    expect(page.locator("#list .pager")).to_contain_text("100 of 120")


def test_all_traces_closes_a_trace_that_was_linked_to(visit: Visit) -> None:
    """A deep link has no way back in the browser; the button is one."""
    page = visit(REVIEW, f"#trace={SUMMARY.id}&states=ok")
    page.get_by_role("button", name="All traces").click()
    expect(page.locator("#overview")).to_be_visible()
    assert page.url.endswith("#states=ok")


def test_a_trace_the_page_does_not_have_is_said_so(visit: Visit) -> None:
    """A link of another review names no trace of this one."""
    page = visit(REVIEW, "#trace=1-00000000-000000000000000000000000")
    expect(page.locator("#trace")).to_contain_text("The page has no trace of this ID.")


def test_a_trace_without_segments_shows_what_the_list_tells(visit: Visit) -> None:
    """Details are optional."""
    page = visit(replace(REVIEW, details={}), f"#trace={SUMMARY.id}")
    expect(page.locator("#trace")).to_contain_text("The segments of this trace were not collected")
    expect(page.locator("#trace .facts")).to_contain_text(SUMMARY.client_ip)


def test_what_x_ray_dropped_and_what_is_in_progress_are_told(visit: Visit) -> None:
    """A limit exceeded is a notice; a segment without an end has no duration."""
    root = replace(TRACE.roots[0], end=None)
    trace = replace(TRACE, roots=(root,), limit_exceeded=True)
    page = visit(replace(REVIEW, details={SUMMARY.id: trace}), f"#trace={SUMMARY.id}")
    expect(page.locator("#trace .problem")).to_have_text("X-Ray dropped segments of this trace: it was too large.")
    expect(page.locator(".waterfall tbody tr").first).to_contain_text("in progress")


def test_a_trace_of_a_thousand_segments_is_shown_piece_by_piece(visit: Visit) -> None:
    """300 at first, more when asked for."""
    child = TRACE.roots[0].children[0]
    root = replace(TRACE.roots[0], children=tuple(replace(child, id=str(n), children=()) for n in range(999)))
    page = visit(replace(REVIEW, details={SUMMARY.id: replace(TRACE, roots=(root,))}), f"#trace={SUMMARY.id}")
    rows = page.locator(".waterfall tbody tr")
    expect(rows).to_have_count(300)
    page.get_by_role("button", name="Show more of 1,000 segments").click()
    expect(rows).to_have_count(600)


def test_traces_of_a_later_chunk_open_too(visit: Visit) -> None:
    """The 451st of 500 lies in the third block of segments."""
    review = Demo(seed=6).review(500)
    trace = review.details[review.traces[450].id]
    page = visit(review, f"#trace={trace.id}")
    expect(page.get_by_role("complementary", name="Segment")).to_contain_text(trace.roots[0].id)


EVIL = "</script><script>alert('x')</script><img src=//e.invalid/x onerror=alert(1)>\u2028\ud800${alert(2)}'\"&lt;"


def evil_review() -> Review:
    """Every text of a review says the same, and means harm."""
    long = (EVIL + "n" * 200)[:200]
    key, client = Key(long, PROXY), Key(long, CLIENT)
    document = {"name": EVIL, "annotations": {"__proto__": EVIL, EVIL: EVIL, "nan": float("nan"), "big": 2**70}}
    segment = Segment(
        id=EVIL,
        parent=EVIL,
        name=long,
        type=EVIL,
        start=10,
        end=11,
        state="fault",
        method=EVIL,
        url=EVIL,
        document=document,
    )
    named = replace(segment, type=PROXY, document={**document, "annotations": {"__proto__": EVIL, EVIL: EVIL}})
    statistics = Statistics(fault=1, total=1, response_time=1)
    summary = replace(
        SUMMARY,
        id=EVIL,
        start=10,
        state="fault",
        method=EVIL,
        url=EVIL,
        user_agent=EVIL,
        client_ip=EVIL,
        services=(client, key),
        annotations={"__proto__": (EVIL, True, 1.5), EVIL: (EVIL,)},
    )
    nodes = {key: Node(key=key, statistics=statistics), client: Node(key=client, statistics=None)}
    edges = {(client, key): Edge(source=client, target=key, statistics=statistics)}
    trace = Trace(id=EVIL, start=10, duration=1, roots=(named, segment))
    map_ = ServiceMap(start=0, end=60, nodes=nodes, edges=edges)
    return Review(title=EVIL, map=map_, traces=[summary], details={EVIL: trace}, notes=[EVIL])


def unharmed(page: Page) -> None:
    """The page has no element that the data named, and all its scripts are those it was written with."""
    assert 0 == page.locator("img, iframe, object, embed, link").count()
    assert {"licences", "index", "segments-0-0", ""} == set(
        page.locator("script").evaluate_all("all => all.map(e => e.id)")
    )


def test_texts_that_mean_harm_are_shown_as_text(visit: Visit) -> None:
    """Markup, scripts, line separators, half characters: they are text everywhere, and nothing runs or is fetched."""
    page = visit(evil_review())
    unharmed(page)
    expect(page.locator("#title")).to_contain_text("</script><script>alert('x')")
    expect(page.locator("#notes")).to_contain_text("<img src=//e.invalid/x onerror=alert(1)>")
    expect(page.locator("#list tbody")).to_contain_text("onerror=alert(1)")
    page.get_by_text("The map as tables").click()
    page.locator("#groups tbody button").click()
    expect(page.locator("#traces-heading")).to_have_text("Traces: 1 of 1 traces")
    page.locator("#list tbody a").click()
    expect(page.locator(".waterfall tbody tr")).to_have_count(2)
    panel = page.get_by_role("complementary", name="Segment")
    expect(panel.locator("dt").get_by_text("__proto__")).to_be_visible()
    unharmed(page)


def test_a_document_that_is_no_json_for_browsers_is_shown_as_it_is(visit: Visit) -> None:
    """NaN and numbers beyond what JavaScript counts: the text of the document has them, digit by digit."""
    page = visit(evil_review())
    page.locator("#list tbody a").click()
    page.locator(".waterfall button").nth(1).click()
    panel = page.get_by_role("complementary", name="Segment")
    panel.get_by_text("Document").click()
    expect(panel.locator("pre")).to_contain_text(f'"big": {2**70}')
    expect(panel.locator("pre")).to_contain_text('"nan": NaN')


def test_names_of_two_hundred_characters_leave_the_page_as_wide_as_it_is(visit: Visit) -> None:
    """Nothing sticks out on a narrow screen."""
    page = visit(evil_review(), viewport={"width": 800, "height": 900})
    width = "document.documentElement.scrollWidth"
    assert 800 == page.evaluate(width)
    page.locator("#list tbody a").click()
    expect(page.locator(".waterfall")).to_be_visible()
    assert 800 == page.evaluate(width)
