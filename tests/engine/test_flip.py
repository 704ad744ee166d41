"""The main job on the real engine: on, off, on again, and what AWS runs after each."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.engine.checkout import Checkout
from tests.engine.inventory import orphans

SERVICES = ("platform", "crystal", "nodejs", "frontend")
ECS_SERVICES = {
    "platform": "mesh-gw-proxy",
    "crystal": "ecsdemo-crystal",
    "nodejs": "ecsdemo-nodejs",
    "frontend": "ecsdemo-frontend",
}
XRAY_POLICY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

pytestmark = pytest.mark.engine


def running(checkout: Checkout) -> dict[str, dict[str, Any]]:
    """The task definition of each service's primary deployment, without what differs between revisions."""
    ecs = checkout.aws("ecs")
    found = {}
    for service, name in ECS_SERVICES.items():
        (described,) = ecs.describe_services(cluster="container-demo", services=[name])["services"]
        (primary,) = described["deployments"]
        assert primary["rolloutState"] == "COMPLETED"
        definition = ecs.describe_task_definition(taskDefinition=primary["taskDefinition"])["taskDefinition"]
        for changing in ("taskDefinitionArn", "revision", "registeredAt", "registeredBy"):
            definition.pop(changing, None)
        found[service] = definition
    return found


def tagged(checkout: Checkout) -> set[str]:
    """The runs whose ids the task definitions that run bear as a tag."""
    ecs = checkout.aws("ecs")
    found = ecs.describe_services(cluster="container-demo", services=list(ECS_SERVICES.values()))["services"]
    tags = [
        ecs.describe_task_definition(taskDefinition=each["taskDefinition"], include=["TAGS"])["tags"] for each in found
    ]
    return {tag["value"] for each in tags for tag in each if tag["key"] == "ecs-tracing:run"}


def containers(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {container["name"]: container for container in definition["containerDefinitions"]}


def plans(document: Any) -> dict[str, set[tuple[str, str]]]:
    return {
        stack["service"]: {(change["op"], change["type"]) for change in stack["plan"]} for stack in document["stacks"]
    }


@pytest.fixture(scope="module")
def flips(deployed: Checkout) -> dict[str, Any]:
    """Off, on, off, on: the document of each flip and what ran after it."""
    before = running(deployed)
    first = deployed.json("enable", "--run-traces", "xray")
    on = running(deployed)
    tags = [tagged(deployed)]
    again = deployed.json("enable")
    tags.append(tagged(deployed))
    back = deployed.json("disable")
    tags.append(tagged(deployed))
    off = running(deployed)
    quiet = deployed.json("preview")
    last = deployed.json("enable", "--skip-preview")
    return {
        "before": before, "first": first, "on": on, "again": again,
        "back": back, "off": off, "quiet": quiet, "last": last, "on again": running(deployed), "tags": tags,
    }  # fmt: skip


def test_turning_it_on_changes_exactly_three_resources_in_each_stack(flips: dict[str, Any]) -> None:
    """Task definition replaced, ECS service updated, policy attachment created: nothing else."""
    expected = {("replace", TASK), ("update", SERVICE), ("create", ATTACHMENT)}
    assert plans(flips["first"]) == dict.fromkeys(SERVICES, frozenset(expected))
    assert [stack["changes"] for stack in flips["first"]["stacks"]] == [{"replace": 1, "update": 1, "create": 1}] * 4


def test_turning_it_off_takes_exactly_that_away(flips: dict[str, Any]) -> None:
    """The same three resources, the attachment deleted."""
    expected = {("replace", TASK), ("update", SERVICE), ("delete", ATTACHMENT)}
    assert plans(flips["back"]) == dict.fromkeys(SERVICES, frozenset(expected))


def test_every_service_runs_the_sidecar_and_its_envoy_has_the_flag(flips: dict[str, Any]) -> None:
    """What the workshop page got wrong for two of the four."""
    for definition in flips["on"].values():
        envoy, xray = containers(definition)["envoy"], containers(definition)["xray"]
        assert {"name": "ENABLE_ENVOY_XRAY_TRACING", "value": "1"} in envoy["environment"]
        assert {"containerName": "xray", "condition": "START"} in envoy["dependsOn"]
        assert (xray["user"], xray["memoryReservation"]) == ("1337", 256)
        assert {"name": "AWS_REGION", "value": "us-east-1"} in xray["environment"]


def test_nothing_but_envoy_and_the_sidecar_differs(flips: dict[str, Any]) -> None:
    """The application container, the task's size, roles and network stay as they were."""
    for service in SERVICES:
        before, on = flips["before"][service], flips["on"][service]
        app = {name: c for name, c in containers(before).items() if name not in ("envoy", "xray")}
        assert {name: c for name, c in containers(on).items() if name not in ("envoy", "xray")} == app
        rest = {key for key in before if key != "containerDefinitions"}
        assert {key: on[key] for key in rest} == {key: before[key] for key in rest}


def test_the_task_role_may_write_to_xray_only_while_traced(flips: dict[str, Any], deployed: Checkout) -> None:
    """The policy comes and goes with the flag (now: on)."""
    iam = deployed.aws("iam")
    for definition in flips["on again"].values():
        role = definition["taskRoleArn"].rpartition("/")[2]
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        assert XRAY_POLICY in {policy["PolicyArn"] for policy in attached}


def test_off_means_what_it_was_before(flips: dict[str, Any]) -> None:
    """Revision aside, the task definitions with the flag off equal those from before it was ever on."""
    assert flips["off"] == flips["before"]
    assert flips["on again"] == flips["on"]


def test_after_a_flip_nothing_is_left_to_change(flips: dict[str, Any]) -> None:
    """A preview of the same configuration is empty; of the other flip, the next run's plan is."""
    assert not flips["quiet"]["changed"]
    assert plans(flips["again"]) == dict.fromkeys(SERVICES, frozenset())


def test_a_second_enable_changes_nothing_and_says_so(flips: dict[str, Any]) -> None:
    """Repeating a command is safe and cheap."""
    assert (flips["again"]["changed"], flips["again"]["exitCode"]) == (False, 0)
    assert {stack["state"] for stack in flips["again"]["stacks"]} == {"unchanged"}
    assert flips["again"]["summary"].startswith("Nothing to change")


def test_each_flip_was_verified_in_aws(flips: dict[str, Any]) -> None:
    """The document carries what AWS answered, not what Pulumi hoped."""
    for run in ("first", "again", "back", "last"):
        for stack in flips[run]["stacks"]:
            assert stack["verification"]["ok"], stack
            assert stack["verification"]["rollout"] == "COMPLETED"


def test_task_definitions_bear_the_run_that_registered_them(flips: dict[str, Any]) -> None:
    """The tag alone is no change: a run without changes leaves it as it is."""
    first, back = flips["first"]["run"], flips["back"]["run"]
    assert flips["tags"] == [{first}, {first}, {back}]


def test_the_run_is_a_trace_in_xray(flips: dict[str, Any], deployed: Checkout) -> None:
    """Run, four stacks, their steps, and the resources that were changed; on the map of the traffic it is not."""
    assert flips["first"]["exitCode"] == 0
    run = flips["first"]["run"]
    (listed,) = json.loads(
        deployed.script("traces", "list", "--json", "--last", "1h", "--filter", f'annotation.run = "{run}"').stdout
    )["traces"]
    (shown,) = json.loads(deployed.script("traces", "show", listed["id"], "--json").stdout)["traces"]
    (whole,) = shown["segments"]
    steps = {stack["name"]: {step["name"]: step for step in stack["segments"]} for stack in whole["segments"]}
    worked = {resource["name"] for resource in steps["local-crystal"]["deploy"]["segments"]}

    assert whole["name"] == "ecs-tracing-run"
    assert {name: list(found) for name, found in steps.items()} == {
        f"local-{service}": ["preview", "deploy", "verify"] for service in SERVICES
    }
    assert worked == {
        "create iam.RolePolicyAttachment crystal-AWSXRayDaemonWriteAccess",
        "create-replacement ecs.TaskDefinition crystal-task",
        "update ecs.Service crystal",
        "delete-replaced ecs.TaskDefinition crystal-task",
    }
    assert json.loads(deployed.script("traces", "map", "--json", "--last", "1h").stdout)["nodes"] == []


def compared(checkout: Checkout, run: str) -> tuple[datetime, datetime]:
    """The end of the range before a run, and the start of the one after it."""
    document = json.loads(checkout.script("traces", "compare", "--run", run, "--json").stdout)
    return datetime.fromisoformat(document["before"]["end"]), datetime.fromisoformat(document["after"]["start"])


@pytest.mark.parametrize(("flip", "_known_by"), [("first", "its trace"), ("last", "its tag")])
def test_a_run_is_found_without_its_journal(
    flips: dict[str, Any], deployed: Checkout, flip: str, _known_by: str
) -> None:
    """As on another machine: what its journal tells here, or what AWS can tell of it within that time."""
    run = flips[flip]["run"]
    begin, end = compared(deployed, run)
    kept = (deployed.root / ".runs").rename(deployed.root / "elsewhere")
    found = compared(deployed, run)
    kept.rename(deployed.root / ".runs")

    assert begin <= found[0] <= found[1] <= end


def test_status_tells_flag_revision_sidecar_policy_and_drift(flips: dict[str, Any], deployed: Checkout) -> None:
    """All four are on, as configured and as deployed, and nothing drifted."""
    assert flips["last"]["exitCode"] == 0
    services = deployed.json("status")["services"]
    for service in SERVICES:
        status = services[service]
        told = {key: status[key] for key in ("flagInConfig", "flagDeployed", "sidecar", "policy", "drift", "problems")}
        expected = {
            "flagInConfig": True,
            "flagDeployed": True,
            "sidecar": True,
            "policy": True,
            "drift": [],
            "problems": [],
        }
        assert told == expected


def test_nothing_in_aws_is_unknown_to_pulumi(flips: dict[str, Any], deployed: Checkout) -> None:
    """After four flips no revision, role or log group was left behind."""
    assert flips["last"]["exitCode"] == 0
    assert orphans(deployed) == set()


def test_one_service_can_be_flipped_alone(flips: dict[str, Any], deployed: Checkout) -> None:
    """`disable.py crystal` leaves the others traced."""
    assert flips["last"]["exitCode"] == 0
    document = deployed.json("disable", "crystal")
    assert [stack["service"] for stack in document["stacks"]] == ["crystal"]
    services = deployed.json("status", "--no-drift")["services"]
    assert {name: status["flagDeployed"] for name, status in services.items()} == {
        "platform": True, "crystal": False, "nodejs": True, "frontend": True,
    }  # fmt: skip


def test_what_is_committed_is_deployed(flips: dict[str, Any], deployed: Checkout) -> None:
    """`deploy.py` takes each stack's own configuration, on here and off there; then there is nothing left to do."""
    assert flips["last"]["exitCode"] == 0
    for service, tracing in {"platform": "true", "crystal": "true", "nodejs": "false", "frontend": "true"}.items():
        deployed.pulumi("config", "set", "ecs-tracing:tracing", tracing, "--stack", f"local-{service}")
    done = deployed.json("deploy")
    again = deployed.json("deploy")

    assert "platform, crystal and frontend are traced; nodejs is not traced" in done["summary"]
    assert [stack["plan"] for stack in again["stacks"]] == [[], [], [], []]
    services = deployed.json("status", "--no-drift")["services"]
    assert {name: status["flagDeployed"] for name, status in services.items()} == {
        "platform": True, "crystal": True, "nodejs": False, "frontend": True,
    }  # fmt: skip
