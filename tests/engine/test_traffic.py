"""The main job with tasks that run: from nothing to the service map, and flips under load."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from automation.traffic import Traffic, send
from tests.engine.checkout import Checkout

HOPS = {("platform", "frontend"), ("frontend", "nodejs"), ("frontend", "crystal")}
NODES = {"ecs-mesh/ecsworkshop-vgw", "ecs-mesh/frontend", "ecs-mesh/nodejs", "ecs-mesh/crystal"}
RATE = 100  # requests a second

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A clone in which nothing was run yet, whose tasks will run as processes."""
    made = Checkout(tmp_path_factory.mktemp("real"), tasks="processes")
    yield made
    made.close()


@pytest.fixture(scope="module")
def enabled(real: Checkout) -> Any:
    """The first enable, from nothing: its document, and what a person read."""
    result = real.script("enable", "--yes", "--json", "--sampling-rate", "1")
    return {"document": json.loads(result.stdout), "told": result.stderr}


def test_enable_ends_in_the_service_map(enabled: Any) -> None:
    """200 requests are answered, every declared call was traced, and the map shows the four services."""
    document, told = enabled["document"], enabled["told"]

    assert document["traffic"]["answers"] == {"200": 200}
    assert {(hop["source"], hop["target"]): hop["seen"] for hop in document["hops"]} == dict.fromkeys(HOPS, 200)
    assert {node["name"] for node in document["serviceMap"]["nodes"] if node["type"] != "client"} == NODES
    assert "Service map" in told
    assert "└─ ecs-mesh/nodejs" in told


def test_status_tells_where_the_page_is(real: Checkout, enabled: Any) -> None:
    """It opens in a browser: HTML that shows both backends."""
    assert enabled
    page = real.json("status", "--no-drift")["page"]

    text = urllib3.request("GET", page, retries=False).data.decode()
    assert "Node.js backend: Hello!" in text
    assert "Crystal backend: Hello!" in text


def test_the_review_reads_what_enable_made(real: Checkout, enabled: Any) -> None:
    """traces.py: every call is there, a list, one trace in detail, and the page in one file."""
    assert enabled
    waited = json.loads(real.script("traces", "wait", "--json", "--last", "1h").stdout)
    assert {(hop["source"], hop["target"]) for hop in waited["hops"]} == HOPS

    listed = json.loads(real.script("traces", "list", "--json", "--last", "1h", "--limit", "5").stdout)
    shown = real.script("traces", "show", listed["traces"][0]["id"]).stdout
    assert "ecs-mesh/" in shown

    real.script("traces", "report", "--html", "review.html", "--last", "1h")
    assert "<!doctype html>" in (real.root / "review.html").read_text(encoding="utf-8")


def test_a_request_is_one_trace_where_the_header_is_forwarded(real: Checkout, enabled: Any) -> None:
    """Not with the behaviour of the originals: exit code 3 names the application. With the README's switch it is."""
    assert enabled
    refused = json.loads(
        real.script("traces", "wait", "--json", "--joined", "--timeout", "0", "--last", "1h", exits=3).stdout
    )
    kinds = {hop["target"]: hop["cause"] and hop["cause"]["kind"] for hop in refused["hops"]}
    assert kinds == {"frontend": None, "nodejs": "header-not-forwarded", "crystal": "header-not-forwarded"}

    real.python("-m", "localaws", "stop")
    real.python("-m", "localaws", "start", env={"LOCALAWS_FORWARD_TRACE_HEADER": "1"})
    real.script("enable", "--yes", "--skip-preview", "--traffic", "20")
    real.script("traces", "wait", "--joined", "--last", "1m")


def test_a_flip_under_load_loses_no_request(real: Checkout, enabled: Any) -> None:
    """Off and on again at 100 requests a second: every one is answered with 200."""
    assert enabled
    page = real.json("status", "--no-drift")["page"]
    ended, told = threading.Event(), list[Traffic]()
    sender = threading.Thread(target=lambda: told.append(send(page, 10**6, rate=RATE, cancelled=ended)), daemon=True)
    sender.start()

    real.script("disable", "--yes", "--skip-preview")
    real.script("enable", "--yes", "--traffic", "0", "--skip-preview", "--sampling-rate", "0.05")
    ended.set()
    sender.join()

    assert told[0].problems() == []
    assert told[0].ok > 10 * RATE


def test_with_tracing_off_nothing_is_on_the_map(real: Checkout, enabled: Any) -> None:
    """The page works, and X-Ray gets nothing."""
    assert enabled
    real.script("disable", "--yes", "--skip-preview")
    page = real.json("status", "--no-drift")["page"]
    assert send(page, 50, cancelled=threading.Event()).problems() == []

    shown = json.loads(real.script("traces", "map", "--json", "--last", "2s").stdout)
    assert shown["nodes"] == []
