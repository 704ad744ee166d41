"""--wave with tasks that run: a wave is proved by its own traces before the next one begins."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from services import images
from tests.engine.checkout import Checkout

pytestmark = pytest.mark.engine

# The calls of a request, from the gateway on; the last two services are deployed first.
FLEET = {
    "shop": {"image": images.FRONTEND, "entrance": True, "backends": {"CRYSTAL_URL": "basket"}},
    "basket": {"image": images.FRONTEND, "backends": {"CRYSTAL_URL": "stock/crystal"}},
    "stock": {"image": images.CRYSTAL, "healthPath": "/health"},
}
LOST = {"service": "xray", "operation": "PutTraceSegments", "status": 400, "code": "InvalidRequestException"}
WAVES = ("--wave", "3,rest", "--sampling-rate", "1", "--skip-preview")


@pytest.fixture
def site(tmp_path: Any) -> Iterator[Checkout]:
    """The fleet, deployed without tracing, its page answering."""
    made = Checkout(tmp_path, tasks="processes")
    (tmp_path / "fleet.yaml").write_text(yaml.safe_dump({"services": FLEET}, sort_keys=False), encoding="utf-8")
    try:
        made.script("disable", "--yes", "--skip-preview")
        yield made
    finally:
        made.close()


def test_a_wave_whose_traces_do_not_arrive_stops_the_run(site: Checkout) -> None:
    """GIVEN X-Ray takes no segments THEN the call within the wave is named, and the caller before it not touched."""
    site.faults(LOST)
    held = site.json("enable", *WAVES, exits=3)

    assert [(hop["source"], hop["target"], hop["seen"]) for hop in held["hops"]] == [("basket", "stock", 0)]
    assert "not every call is traced: basket → stock." in held["summary"]
    assert "Wave 1 of 2 (platform, stock, basket) is not good" in held["summary"]
    states = {stack["service"]: stack["state"] for stack in held["stacks"]}
    assert states == {"platform": "done", "stock": "done", "basket": "done", "shop": "not run"}
    assert site.json("status", "--no-drift")["services"]["shop"]["sidecar"] is False

    site.faults()
    done = site.json("enable", *WAVES)
    assert {(hop["source"], hop["target"]) for hop in done["hops"] if hop["seen"] == done["traffic"]["sent"]} == {
        ("platform", "shop"),
        ("shop", "basket"),
        ("basket", "stock"),
    }
