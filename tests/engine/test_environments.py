"""An environment's own file, on the real engine: it becomes configuration that the plain CLI heeds, too."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.engine.checkout import Checkout

pytestmark = pytest.mark.engine

FILE = """\
tags: {team: shop}
config:
  mesh: envoy
  collector: adot
stacks:
  platform: {cpu: 1024, memory: 2048}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A clone with such a file, its platform deployed."""
    made = Checkout(tmp_path_factory.mktemp("environments"))
    (made.root / "environments").mkdir()
    (made.root / "environments" / "local.yaml").write_text(FILE, encoding="utf-8")
    made.json("enable", "platform", "--skip-preview")
    yield made
    made.close()


def gateway(site: Checkout) -> Any:
    """What ECS runs as the gateway, with its tags."""
    ecs = site.aws("ecs")
    (service,) = ecs.describe_services(cluster="container-demo", services=["mesh-gw-proxy"])["services"]
    return ecs.describe_task_definition(taskDefinition=service["taskDefinition"], include=["TAGS"])


def test_what_it_says_is_deployed_and_in_the_stacks_file(site: Checkout) -> None:
    """Mesh, collector, size and tags; a second run finds nothing to do."""
    found = gateway(site)
    images = {each["name"]: each["image"] for each in found["taskDefinition"]["containerDefinitions"]}
    assert "envoyproxy/envoy:" in images["envoy"]
    assert "aws-otel-collector" in images["xray"]
    assert (found["taskDefinition"]["cpu"], found["taskDefinition"]["memory"]) == ("1024", "2048")
    assert {"key": "team", "value": "shop"} in found["tags"]

    file = site.root / "stacks" / "Pulumi.local-platform.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    assert (config["ecs-tracing:mesh"], config["ecs-tracing:cpu"]) == ("envoy", "1024")
    assert not site.json("preview", "platform")["changed"]


def test_the_plain_cli_heeds_it(site: Checkout) -> None:
    """The account, too: the provider refuses every other."""
    site.pulumi("preview", "--stack", "local-platform", "--expect-no-changes")
    site.pulumi("config", "set", "aws:allowedAccountIds", '["210987654321"]', "--stack", "local-platform")
    try:
        refused = site.pulumi("preview", "--stack", "local-platform", exits=255)
        assert "AWS account ID not allowed: 123456789012" in refused.stdout + refused.stderr
    finally:
        site.pulumi("config", "rm", "aws:allowedAccountIds", "--stack", "local-platform")


def test_an_option_does_not_contradict_it(site: Checkout) -> None:
    """Nor is a wrong value taken; both end in one error, and nothing is changed."""
    refused = site.script("enable", "platform", "--yes", "--collector", "xray-daemon", exits=2).stderr
    assert "collector is to be xray-daemon, but environments/local.yaml says adot" in refused

    file = site.root / "environments" / "local.yaml"
    file.write_text(FILE.replace("adot", "jaeger"), encoding="utf-8")
    try:
        refused = site.script("enable", "platform", "--yes", exits=2).stderr
    finally:
        file.write_text(FILE, encoding="utf-8")
    assert "environments/local.yaml: config.collector is 'jaeger' but must be xray-daemon, adot or" in refused
    assert not site.json("preview", "platform")["changed"]
