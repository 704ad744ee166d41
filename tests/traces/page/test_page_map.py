"""The service map: what it shows, choosing by mouse and by keyboard, and what choosing does to the rest of the page."""

from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.traces.demo import CRYSTAL, FRONTEND, GATEWAY, NODEJS, Demo
from tests.traces.page.conftest import Visit
from traces.model import Key, Node, ServiceMap, Statistics
from traces.report import Review

REVIEW = Demo(seed=3).review(400)


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit(REVIEW)


def service(page: Page, key: Key) -> Locator:
    return page.get_by_role("button", name=f"{key.name} ({key.type})")


def of(*services: Key) -> int:
    """How many traces of the review went through all of these."""
    return sum(all(service in trace.services for service in services) for trace in REVIEW.traces)


def test_nodes_tell_average_and_traces_a_minute(page: Page) -> None:
    """A circle holds what the console's does: 27 ms, 14 t/min."""
    statistics = REVIEW.map.nodes[FRONTEND].statistics
    assert statistics is not None
    shown = service(page, FRONTEND)
    expect(shown.locator(".big")).to_have_text(f"{statistics.average * 1000:.3g} ms")
    expect(shown).to_contain_text(f"{statistics.total / 30:.3g} t/min")


def test_all_services_clients_and_calls_are_there(page: Page) -> None:
    """Four services, a client before each entrance, five calls and the gateway's to itself."""
    assert 6 == page.locator(".node").count()
    assert 2 == page.locator(".node .name").get_by_text("Client", exact=True).count()
    assert len(REVIEW.map.edges) == page.locator(".edge").count()


def test_what_is_wrong_is_told_by_sign_and_pattern_not_by_colour_alone(page: Page) -> None:
    """Faults of crystal: a cross with the share, and a hatched part of the ring."""
    crystal = service(page, CRYSTAL)
    expect(crystal.locator("tspan.fault")).to_contain_text("✕")
    assert 1 == crystal.locator('[fill="url(#pattern-fault)"]').count()


def test_more_traffic_is_a_larger_circle(page: Page) -> None:
    """The frontend, which everything passes, is larger than crystal, which is rare."""
    radius = [float(service(page, key).locator(".disc").get_attribute("r") or 0) for key in (CRYSTAL, FRONTEND)]
    assert radius[0] < radius[1]


def test_a_click_on_a_service_leaves_its_traces(page: Page) -> None:
    """The list, its heading and the reading of the histogram follow the choice; a click beside it takes it back."""
    service(page, CRYSTAL).click()
    expect(page.locator("#traces-heading")).to_have_text(f"Traces: {of(CRYSTAL)} of 400 traces")
    expect(page.locator("#reading")).to_contain_text("ecs-mesh/crystal: the service's own latency")
    page.locator(".map svg").click(position={"x": 5, "y": 5})
    expect(page.locator("#traces-heading")).to_have_text("Traces: 400 of 400 traces")


def test_a_click_on_a_call_leaves_the_traces_that_made_it(page: Page) -> None:
    """The reading of a call says that it is the caller's, network included."""
    page.get_by_role("button", name="ecs-mesh/frontend → ecs-mesh/nodejs").locator(".pill").click()
    expect(page.locator("#traces-heading")).to_have_text(f"Traces: {of(FRONTEND, NODEJS)} of 400 traces")
    expect(page.locator("#reading")).to_contain_text("as the caller saw it, network included")


def test_a_client_stands_for_what_begins_at_its_service(page: Page) -> None:
    """The client before the gateway: all traces that began there."""
    page.get_by_role("button", name="Client of ecs-mesh/ecsworkshop-vgw", exact=True).click()
    expect(page.locator("#traces-heading")).to_have_text(f"Traces: {of(GATEWAY)} of 400 traces")


def test_without_segments_the_services_of_the_list_decide(visit: Visit) -> None:
    """A review without details filters by what X-Ray's summaries name, calls included."""
    page = visit(replace(REVIEW, details={}))
    page.get_by_role("button", name="ecs-mesh/frontend → ecs-mesh/nodejs").locator(".pill").click()
    expect(page.locator("#traces-heading")).to_have_text(f"Traces: {of(FRONTEND, NODEJS)} of 400 traces")
    expect(page.locator("#reading")).to_contain_text("by their response time, as the page has no segments")


def test_arrow_keys_go_from_node_to_call_to_node_and_enter_chooses(page: Page) -> None:
    """One tab stop, where the calls begin; from there they lead to the right."""
    page.get_by_role("button", name="Show the whole map").focus()
    page.keyboard.press("Tab")
    met = []
    for _ in range(5):
        met.append(str(page.evaluate("document.activeElement.getAttribute('aria-label')")).partition(",")[0])
        page.keyboard.press("ArrowRight")
    assert met == [
        "Client of ecs-mesh/ecsworkshop-vgw",
        "Client → ecs-mesh/ecsworkshop-vgw",
        "ecs-mesh/ecsworkshop-vgw (AWS::AppMesh::Proxy)",
        "ecs-mesh/ecsworkshop-vgw → ecs-mesh/frontend",
        "ecs-mesh/frontend (AWS::AppMesh::Proxy)",
    ]
    page.keyboard.press("Enter")
    assert 1 == page.locator('.map [aria-pressed="true"]').count()
    page.keyboard.press("Escape")
    assert 0 == page.locator('.map [aria-pressed="true"]').count()


def test_the_map_zooms_by_buttons_and_comes_back(page: Page) -> None:
    """Zooming in makes the circles larger, and Fit shows the whole map again."""
    disc = service(page, FRONTEND).locator(".disc")
    width = "element => Math.round(element.getBoundingClientRect().width)"
    before = disc.evaluate(width)
    page.get_by_role("button", name="Zoom in").click()
    assert disc.evaluate(width) > before
    page.get_by_role("button", name="Show the whole map").click()
    assert before == disc.evaluate(width)


def test_a_wheel_scrolls_the_page_unless_ctrl_is_held(page: Page) -> None:
    """Nobody gets caught in the map while scrolling past it."""
    disc = service(page, FRONTEND).locator(".disc")
    width = "element => Math.round(element.getBoundingClientRect().width)"
    before = disc.evaluate(width)
    page.locator(".map svg").hover(position={"x": 20, "y": 20})
    page.mouse.wheel(0, 200)
    expect(page.locator("h1")).not_to_be_in_viewport()
    assert before == disc.evaluate(width)
    page.evaluate("scrollTo(0, 0)")
    page.locator(".map svg").hover(position={"x": 20, "y": 20})
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    assert disc.evaluate(width) > before


def test_the_map_can_be_dragged(page: Page) -> None:
    """Panning moves everything on it, and chooses nothing."""
    shown = service(page, FRONTEND).locator(".disc")
    before = shown.bounding_box()
    box = page.locator(".map svg").bounding_box()
    assert before
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 50)
    page.mouse.up()
    after = shown.bounding_box()
    assert after
    assert (60, 30) == (round(after["x"] - before["x"]), round(after["y"] - before["y"]))
    assert "#" not in page.url


def test_the_map_can_be_read_as_tables_and_chosen_from(page: Page) -> None:
    """For those who read rather than look: the same numbers, sortable, with buttons that choose."""
    page.get_by_text("The map as tables").click()
    row = page.locator("#map-table tr").filter(has=page.get_by_role("button", name="ecs-mesh/crystal", exact=True))
    statistics = REVIEW.map.nodes[CRYSTAL].statistics
    assert statistics
    expect(row.locator("td").nth(3)).to_have_text(str(statistics.total))
    row.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#traces-heading")).to_have_text(f"Traces: {of(CRYSTAL)} of 400 traces")
    assert "ecs-mesh/crystal" == page.evaluate("document.activeElement.textContent")


def test_a_review_of_nothing_says_so(visit: Visit) -> None:
    """No traffic: words in the places of the charts, and no error."""
    page = visit(Review(title="idle", map=ServiceMap(start=0, end=60, nodes={}, edges={}), traces=[]))
    expect(page.locator("#map")).to_have_text("No calls in this range of time.")
    expect(page.locator("#histogram")).to_have_text("No response times here.")
    expect(page.locator("#list")).to_contain_text("No trace matches.")


def test_three_hundred_services_are_drawn(visit: Visit) -> None:
    """A large map is laid out and can be chosen from, if small."""
    keys = [Key(f"service-{number}", "AWS::ECS::Fargate") for number in range(300)]
    nodes = {key: Node(key=key, statistics=Statistics(ok=9, total=9, response_time=1)) for key in keys}
    pairs = [(keys[(number - 1) // 3], keys[number]) for number in range(1, 300)]
    edges = {pair: replace(next(iter(REVIEW.map.edges.values())), source=pair[0], target=pair[1]) for pair in pairs}
    page = visit(Review(title="large", map=ServiceMap(start=0, end=60, nodes=nodes, edges=edges), traces=[]))
    assert (300, 299) == (page.locator(".node").count(), page.locator(".edge").count())
    page.locator(".node").filter(has_text="service-17").first.press("Enter")
    expect(page.locator("#reading")).to_contain_text("the service's own latency")
