"""The aws stand-in under the real engine: every resource type through its whole life."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.provider_drift import DELETED, DRIFT, wreak
from tests.engine.provider_program import program
from tests.engine.provider_support import Stack, Stage
from tests.engine.provider_variant import MESH_ACCESS, Variant

# The SDK itself warns, when its ec2 module is first used, of a class in it that this program does not use.
pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore:aws.ec2.encryptioncontrol:DeprecationWarning")]

FIRST = Variant()
SECOND = Variant(
    purpose="other",
    retention=14,
    health_interval=10,
    port=3001,
    weight=2,
    actions=("logs:PutLogEvents",),
    insights="disabled",
    ttl=30,
    description="second",
    dns_hostnames=False,
    maximum=5,
    target=60,
    minimum_healthy=100,
    instance_type="t3.large",
    egress="ALLOW_ALL",
    log_path="/dev/null",
    public_ip=True,
)
TAGS = {"tags.purpose", "tagsAll.purpose"}
LISTENER = "spec.listeners[0].portMapping.port"
# What the second variant changes, by resource; all of it in place.
UPDATES = {
    "network": {"enableDnsHostnames", *TAGS},
    **dict.fromkeys(("public", "gateway", "address", "nat", "outward", "inward", "shared", "profile", "task"), TAGS),
    "association": {"routeTableId"},
    "ingress": {"fromPort", "toPort", "description", *TAGS},
    "egress": {"description"},
    "inline": {"ingress[0]"},
    "role": {"description", *TAGS},
    "policy": {"policy"},
    "instance": {"instanceType", *TAGS},
    "logs": {"retentionInDays", *TAGS},
    "namespace": {"description", *TAGS},
    "registry": {"dnsConfig.dnsRecords[0].ttl", *TAGS},
    "mesh": {"spec.egressFilter.type", *TAGS},
    "entry": {LISTENER, *TAGS},
    "node": {LISTENER, "spec.logging.accessLog.file.path", *TAGS},
    "router": {LISTENER, *TAGS},
    "route": {"spec.httpRoute.action.weightedTargets[0]", *TAGS},
    "virtual": {"spec.provider.virtualNode", "spec.provider.virtualRouter", *TAGS},
    "way": {"spec.httpRoute.match.prefix", *TAGS},
    "cluster": {"settings[0]", *TAGS},
    "balancer": TAGS,
    "group": {"healthCheck.interval", *TAGS},
    "door": {"port", *TAGS},
    "service": {"deploymentMinimumHealthyPercent", "networkConfiguration.assignPublicIp", *TAGS},
    "scaled": {"maxCapacity", *TAGS},
    "scaling": {"targetTrackingScalingPolicyConfiguration.targetValue"},
}
# What a change of names, address range, policy and log level replaces, and for which property.
REPLACED = {
    "network": {"cidrBlock"},
    "public": {"cidrBlock", "vpcId"},
    "shared": {"description"},
    "attachment": {"policyArn"},
    "namespace": {"name"},
    "mesh": {"name"},
    "cluster": {"name"},
    "task": {"containerDefinitions"},
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("provider"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def first(stage: Stage) -> Stack:
    stack = stage.stack(program(FIRST))
    stack.up()
    return stack


def updates(paths: dict[str, set[str]]) -> dict[str, tuple[str, set[str]]]:
    return {name: ("update", differing) for name, differing in paths.items()}


def test_nothing_changes_after_an_update(first: Stack) -> None:
    """An update and a refresh right after it find every resource as it is to be."""
    assert {} == first.refresh()
    assert {} == first.preview()


def test_refresh_shows_exactly_what_others_changed(first: Stack, stage: Stage) -> None:
    """What was changed or deleted behind Pulumi's back is shown, nothing else, and the next update repairs it."""
    wreak(stage, first.resources())

    assert updates(DRIFT) | dict.fromkeys(DELETED, ("delete", set())) == first.refresh()

    repaired = first.up()
    assert updates(DRIFT) | dict.fromkeys(DELETED, ("create", set())) == repaired
    assert {} == first.refresh()


def test_everything_imports_as_it_is(first: Stack, stage: Stage) -> None:
    """Each resource can be adopted by the id that the SDK documents for its type; nothing differs then."""
    present = first.resources()
    made_up = {
        name: entry["outputs"]["name"]
        for name, entry in present.items()
        if "name" in entry["inputs"].get("__defaults", ())
    }
    steps = stage.stack(program(FIRST, import_ids(present), made_up), "imported").up()

    # Whether to wait for a deployment is known to nobody but the program: adopting the service writes it down.
    assert ("update", {"waitForSteadyState"}) == steps.pop("service")
    assert dict.fromkeys(present.keys() - {"service"}, ("import", set())) == steps
    assert {} == stage.stack(program(FIRST, names=made_up), "imported").preview()


@pytest.mark.usefixtures("first")
def test_updates_are_in_place_and_name_what_changed(stage: Stage) -> None:
    """A changed program changes each resource in place, and only in the properties that differ."""
    second = stage.stack(program(SECOND))

    assert updates(UPDATES) == second.up()
    assert {} == second.refresh()
    node = stage.aws("appmesh").describe_virtual_node(meshName="mesh-a", virtualNodeName="node")["virtualNode"]
    assert {"file": {"path": "/dev/null"}} == node["spec"]["logging"]["accessLog"]


@pytest.mark.usefixtures("first")
def test_what_cannot_change_is_replaced(stage: Stage) -> None:
    """A change that AWS has no call for makes a new resource, and the plan names the property that asks for it."""
    possible = {**vars(SECOND), "policy": MESH_ACCESS, "level": "debug", "about": "tasks"}
    plan = stage.stack(program(Variant(**{**possible, "names": "b", "cidr": "10.1.0.0/24"}))).preview()
    named = {name: plan[name][1] & paths for name, paths in REPLACED.items() if plan[name][0] == "replace"}
    assert REPLACED == named

    # AWS itself would not let go of a VPC, a mesh, a namespace or a cluster in use: for those it stays a plan.
    stack = stage.stack(program(Variant(**possible)))
    done = {name: operation for name, (operation, _) in stack.up().items()}
    assert dict.fromkeys(("attachment", "shared", "ingress", "egress", "task"), "replace").items() <= done.items()
    assert dict.fromkeys(("instance", "service"), "update").items() <= done.items()
    assert {} == stack.preview()


def test_destroy_leaves_nothing(first: Stack, stage: Stage) -> None:
    """In the end AWS is as empty as in the beginning."""
    first.destroy()

    assert [] == stage.aws("ecs").list_clusters()["clusterArns"]
    assert [] == stage.aws("appmesh").list_meshes()["meshes"]
    assert [] == stage.aws("elbv2").describe_load_balancers()["LoadBalancers"]
    assert [] == stage.aws("ec2").describe_addresses()["Addresses"]
    assert [] == stage.aws("servicediscovery").list_namespaces()["Namespaces"]
    assert [] == stage.aws("ec2").describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["false"]}])["Vpcs"]


def import_ids(resources: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The ids to import by, as the SDK's documentation of each type gives their form."""
    ids = {name: entry["id"] for name, entry in resources.items()}
    scaled = f"ecs/{ids['scaled']}/ecs:service:DesiredCount"
    return {
        **ids,
        "default": f"{ids['outward']}_0.0.0.0/0",
        "association": f"{ids['public']}/{ids['outward']}",
        "cluster": "cluster-a",
        "task": resources["task"]["outputs"]["arn"],
        "service": "cluster-a/crystal",
        "namespace": f"{ids['namespace']}:{ids['network']}",
        "entry": "mesh-a/entry",
        "node": "mesh-a/node",
        "router": "mesh-a/router",
        "virtual": "mesh-a/crystal.service.local",
        "route": "mesh-a/router/route",
        "way": "mesh-a/entry/way",
        "scaled": scaled,
        "scaling": f"{scaled}/{ids['scaling']}",
    }
