"""From App Mesh to Envoys of our own and back, on tasks that run, while requests go on."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from automation.traffic import Traffic, send
from tests.engine.checkout import Checkout
from tests.engine.test_traffic import HOPS, NODES, RATE

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The four services in App Mesh, every request traced."""
    made = Checkout(tmp_path_factory.mktemp("migrated"), tasks="processes")
    made.json("enable", "--sampling-rate", "1", "--skip-preview")
    yield made
    made.close()


@contextmanager
def requests(site: Checkout) -> Iterator[Traffic]:
    """Under way, RATE a second, while it lasts; afterwards what became of them."""
    page = site.json("status", "--no-drift")["page"]
    ended, told = threading.Event(), Traffic(url=page, wanted=10**6)
    sender = threading.Thread(
        target=lambda: told.__dict__.update(vars(send(page, 10**6, rate=RATE, cancelled=ended))), daemon=True
    )
    sender.start()
    try:
        yield told
    finally:
        ended.set()
        sender.join()


def meshes(site: Checkout) -> list[str]:
    """Those in App Mesh."""
    return [mesh["meshName"] for mesh in site.aws("appmesh").list_meshes()["meshes"]]


def test_the_way_is_shown_before_it_is_gone(site: Checkout) -> None:
    """Its steps, with their stacks in order, and the plan of the first; nothing is changed."""
    shown = site.script("migrate", "--to", "envoy", "--preview").stdout
    steps = [line.rpartition("(")[2] for line in shown.splitlines() if re.match(r"  \d\. ", line)]
    assert steps == [
        "platform, crystal, nodejs, frontend)",
        "crystal, nodejs)",
        "frontend)",
        "platform)",
        "frontend, nodejs, crystal, platform)",
    ]
    assert "~ servicediscovery.Service crystal-discovery" in shown
    assert "ecs.TaskDefinition" not in shown
    assert "Nothing was changed." in shown


@pytest.mark.parametrize(("to", "left"), [("envoy", []), ("appmesh", ["ecs-mesh"])])
def test_no_request_fails_on_the_way(site: Checkout, to: str, left: list[str]) -> None:
    """At 100 a second, over both meshes side by side; in the end the map is the same, and only one mesh is there."""
    with requests(site) as told:
        moved: Any = site.json("migrate", "--to", to)
    assert told.problems() == []
    assert told.ok > 10 * RATE

    assert [step["exitCode"] for step in moved["steps"]] == [0] * 5
    assert meshes(site) == left
    last = moved["steps"][-1]
    assert [hop["seen"] > 0 for hop in last["hops"]] == [True] * len(HOPS)
    assert {node["name"] for node in last["serviceMap"]["nodes"] if node["type"] != "client"} == NODES

    again = site.json("migrate", "--to", to)
    assert (again["changed"], again["steps"]) == (False, [])
