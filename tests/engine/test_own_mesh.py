"""`mesh: envoy` on tasks that run: plain Envoys that find each other by DNS, and every collector beside the others."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from automation.traffic import Traffic, send
from tests.engine.checkout import Checkout
from tests.engine.test_traffic import HOPS, NODES, RATE

COLLECTORS = {"platform": "adot", "crystal": "adot", "nodejs": "xray-daemon", "frontend": "cloudwatch-agent"}

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A clone in which nothing was run yet, in a mesh of our own, each stack with a collector."""
    made = Checkout(tmp_path_factory.mktemp("own"), tasks="processes")
    stacks = made.root / "stacks"
    stacks.mkdir(exist_ok=True)
    for service, collector in COLLECTORS.items():
        keys = f"  ecs-tracing:mesh: envoy\n  ecs-tracing:collector: {collector}\n"
        text = f"config:\n  aws:region: us-east-1\n{keys}"
        (stacks / f"Pulumi.local-{service}.yaml").write_text(text, encoding="utf-8")
    yield made
    made.close()


def test_the_service_map_is_that_of_app_mesh(own: Checkout) -> None:
    """The same nodes and calls, whatever collectors are at their ends; and nothing is in App Mesh."""
    enabled = own.json("enable", "--sampling-rate", "1")

    assert enabled["traffic"]["answers"] == {"200": 200}
    assert {(hop["source"], hop["target"]): hop["seen"] for hop in enabled["hops"]} == dict.fromkeys(HOPS, 200)
    assert {node["name"] for node in enabled["serviceMap"]["nodes"] if node["type"] != "client"} == NODES
    assert [stack["verification"]["ok"] for stack in enabled["stacks"]] == [True] * 4
    assert own.aws("appmesh").list_meshes()["meshes"] == []


def test_a_flip_under_load_loses_no_request(own: Checkout) -> None:
    """At 100 requests a second: Envoys leave when nobody has their address any more."""
    page = own.json("status", "--no-drift")["page"]
    ended, told = threading.Event(), list[Traffic]()
    sender = threading.Thread(target=lambda: told.append(send(page, 10**6, rate=RATE, cancelled=ended)), daemon=True)
    sender.start()
    document: Any = own.json("disable", "--skip-preview")
    ended.set()
    sender.join()

    assert told[0].problems() == []
    assert told[0].ok > 10 * RATE
    assert [stack["verification"]["ok"] for stack in document["stacks"]] == [True] * 4
