"""`mesh: envoy` on tasks that run: plain Envoys, every collector beside the others, and the way from mesh to mesh."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from automation.traffic import Traffic, send
from tests.engine.checkout import Checkout
from tests.engine.test_traffic import HOPS, NODES, RATE

COLLECTORS = {"platform": "adot", "crystal": "adot", "nodejs": "xray-daemon", "frontend": "cloudwatch-agent"}

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A clone in which nothing was run yet, each stack with a collector."""
    made = Checkout(tmp_path_factory.mktemp("own"), tasks="processes")
    (made.root / "stacks").mkdir(exist_ok=True)
    for service, collector in COLLECTORS.items():
        text = f"config:\n  aws:region: us-east-1\n  ecs-tracing:collector: {collector}\n"
        (made.root / "stacks" / f"Pulumi.local-{service}.yaml").write_text(text, encoding="utf-8")
    yield made
    made.close()


@pytest.fixture(scope="module")
def maps() -> dict[str, Any]:
    """The graphs of service maps, by mesh."""
    return {}


@contextmanager
def requests(site: Checkout) -> Iterator[None]:
    """Under way, RATE a second, while it lasts; each of them is answered with 200."""
    page = site.json("status", "--no-drift")["page"]
    ended, told = threading.Event(), list[Traffic]()
    sender = threading.Thread(target=lambda: told.append(send(page, 10**6, rate=RATE, cancelled=ended)), daemon=True)
    sender.start()
    try:
        yield
    finally:
        ended.set()
        sender.join()
    assert told[0].problems() == []
    assert told[0].ok > 10 * RATE


def meshes(site: Checkout) -> list[str]:
    """Those in App Mesh."""
    return [mesh["meshName"] for mesh in site.aws("appmesh").list_meshes()["meshes"]]


def graph(document: Any) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The map that a command ended with: name and type of each node, who called whom."""
    shown = document["serviceMap"]
    nodes = {(node["name"], node["type"]) for node in shown["nodes"]}
    return nodes, {(edge["source"]["name"], edge["target"]["name"]) for edge in shown["edges"]}


def test_enable_ends_in_the_service_map(own: Checkout, maps: dict[str, Any]) -> None:
    """All services and calls, whatever collectors are at their ends; and nothing is in App Mesh."""
    enabled = own.json("enable", "--mesh", "envoy", "--sampling-rate", "1", "--skip-preview")

    assert enabled["traffic"]["answers"] == {"200": 200}
    assert {(hop["source"], hop["target"]): hop["seen"] for hop in enabled["hops"]} == dict.fromkeys(HOPS, 200)
    maps["envoy"] = graph(enabled)
    assert {name for name, kind in maps["envoy"][0] if kind != "client"} == NODES
    assert [stack["verification"]["ok"] for stack in enabled["stacks"]] == [True] * 4
    assert meshes(own) == []


def test_a_mesh_is_not_changed_in_passing(own: Checkout) -> None:
    """It would cost requests; the way without is named, and nothing was changed."""
    refused = own.script("enable", "crystal", "--yes", "--mesh", "appmesh", exits=2).stderr
    assert "'crystal': the tasks change their mesh in one go" in refused
    assert "next: python automation/migrate.py" in refused
    assert not own.json("preview", "crystal")["changed"]


def test_a_flip_under_load_loses_no_request(own: Checkout) -> None:
    """Off and on again: Envoys leave when nobody has their address any more."""
    with requests(own):
        off = own.json("disable", "--skip-preview")
        on = own.json("enable", "--skip-preview", "--traffic", "0", "--sampling-rate", "0.05")
    assert [stack["verification"]["ok"] for stack in (*off["stacks"], *on["stacks"])] == [True] * 8


@pytest.mark.parametrize(("to", "left"), [("appmesh", ["ecs-mesh"]), ("envoy", [])])
def test_the_way_to_the_other_mesh_loses_no_request(
    own: Checkout, maps: dict[str, Any], to: str, left: list[str]
) -> None:
    """Step by step under load; in the end the map is the same in either mesh, and only one mesh is there."""
    with requests(own):
        moved = own.json("migrate", "--to", to, "--skip-preview")

    assert [step["exitCode"] for step in moved["steps"]] == [0] * 5
    assert meshes(own) == left
    assert graph(moved["steps"][-1]) == maps["envoy"]
    again = own.json("migrate", "--to", to)
    assert (again["changed"], again["steps"]) == (False, [])


def test_where_app_mesh_has_ended(deployed: Checkout) -> None:
    """Nothing is asked of it: its objects are forgotten on the way out of it, and when all is destroyed."""
    shown = deployed.script("migrate", "--to", "envoy", "--preview").stdout
    steps = [line.rpartition("(")[2] for line in shown.splitlines() if re.match(r"  \d\. ", line)]
    assert steps == [
        "platform, crystal, nodejs, frontend)",
        "crystal, nodejs)",
        "frontend)",
        "platform)",
        "frontend, nodejs, crystal, platform)",
    ]
    assert "~ servicediscovery.Service crystal-discovery" in shown
    assert "Nothing was changed." in shown

    deployed.faults({"service": "appmesh", "operation": "*", "status": 403, "code": "AccessDeniedException"})
    moved = deployed.json("migrate", "--to", "envoy", "--forget-app-mesh", "--skip-preview")
    assert moved["exitCode"] == 0
    assert deployed.json("status")["services"]
    assert deployed.json("destroy")["exitCode"] == 0
