"""The main job with the daemon's successors, on tasks that run: each collector beside the others in one mesh."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.checkout import Checkout

COLLECTORS = {"platform": "adot", "crystal": "adot", "nodejs": "xray-daemon", "frontend": "cloudwatch-agent"}
HOPS = {("platform", "frontend"), ("frontend", "nodejs"), ("frontend", "crystal")}

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A clone in which nothing was run yet, each stack with a collector."""
    made = Checkout(tmp_path_factory.mktemp("mixed"), tasks="processes")
    stacks = made.root / "stacks"
    stacks.mkdir(exist_ok=True)
    for service, collector in COLLECTORS.items():
        text = f"config:\n  aws:region: us-east-1\n  ecs-tracing:collector: {collector}\n"
        (stacks / f"Pulumi.local-{service}.yaml").write_text(text, encoding="utf-8")
    yield made
    made.close()


def definition(checkout: Checkout) -> Any:
    """What ECS runs of the frontend."""
    ecs = checkout.aws("ecs")
    (service,) = ecs.describe_services(cluster="container-demo", services=["ecsdemo-frontend"])["services"]
    return ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]


def redirection(found: Any) -> dict[str, str]:
    return {each["name"]: each["value"] for each in found["proxyConfiguration"]["properties"]}


def test_enable_proves_every_call_and_disable_takes_all_away(mixed: Checkout) -> None:
    """Each call is on the service map, whatever collectors are at its ends; afterwards nothing of them is left."""
    enabled = mixed.json("enable", "--sampling-rate", "1")

    assert {(hop["source"], hop["target"]) for hop in enabled["hops"] if hop["seen"]} == HOPS
    assert [stack["verification"]["ok"] for stack in enabled["stacks"]] == [True] * 4
    assert redirection(definition(mixed))["IgnoredGID"] == "1338"
    assert mixed.json("preview")["changed"] is False

    disabled = mixed.json("disable")
    assert [stack["verification"]["ok"] for stack in disabled["stacks"]] == [True] * 4
    off = definition(mixed)
    assert "xray" not in {container["name"] for container in off["containerDefinitions"]}
    assert "IgnoredGID" not in redirection(off)
