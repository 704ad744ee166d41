"""`mesh: envoy`: plain Envoys with all they have to know in the task definition, and nothing of App Mesh."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from checks.plan import check
from services import SERVICES
from services.settings import SHORT_DNS_TTL
from tests.checks.plans import NAMES, everything
from tests.envoymesh.support import refusal
from tests.services.world import Deployment, deployed, variables

TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ROLE_POLICY = "iam/rolePolicy:RolePolicy"


def own(service: str, **config: str) -> Deployment:
    return deployed(service, mesh="envoy", **config)


def bootstrap(deployment: Deployment) -> dict[str, Any]:
    """What the task's Envoy is told."""
    command = deployment.containers["envoy"]["command"]
    document: dict[str, Any] = json.loads(command[command.index("--config-yaml") + 1])
    return document


def endpoints(deployment: Deployment) -> dict[str, list[tuple[str, int]]]:
    """Address and port of each endpoint, by cluster."""
    found = {}
    for cluster in bootstrap(deployment)["static_resources"]["clusters"]:
        found[cluster["name"]] = [
            (at["address"], at["port_value"])
            for level in cluster["load_assignment"]["endpoints"]
            for at in (each["endpoint"]["address"]["socket_address"] for each in level["lb_endpoints"])
        ]
    return found


def listeners(deployment: Deployment) -> dict[str, int]:
    """The address and port of each listener."""
    told = [each["address"]["socket_address"] for each in bootstrap(deployment)["static_resources"]["listeners"]]
    return {f"{each['address']}:{each['port_value']}": each["port_value"] for each in told}


@pytest.mark.parametrize("both", ["false", "true"])
@pytest.mark.parametrize("tracing", ["false", "true"])
@pytest.mark.parametrize("service", list(SERVICES))
def test_the_real_envoy_accepts_what_it_is_told(service: str, tracing: str, both: str, tmp_path: Path) -> None:
    """Traced and not, settled and while stacks move."""
    assert refusal(bootstrap(own(service, tracing=tracing, bothMeshes=both)), tmp_path) == ""


def test_the_real_envoy_would_object(tmp_path: Path) -> None:
    """To a route to a backend of which nothing else is said."""
    told = bootstrap(own("frontend"))
    gone = told["static_resources"]["clusters"].pop()
    assert f"unknown cluster '{gone['name']}'" in refusal(told, tmp_path)


@pytest.mark.parametrize("service", list(SERVICES))
def test_nothing_of_app_mesh_is_left(service: str) -> None:
    """No object, no right to join, no redirection, no image of it."""
    task = own(service)
    assert [made.type for made in task.resources if "appmesh" in made.type] == []
    assert "appmesh" not in json.dumps([made.inputs for made in task.resources], default=str).lower()
    assert task.one(TASK_DEFINITION).get("proxyConfiguration") is None


def test_the_frontend_calls_its_backends_through_its_own_envoy() -> None:
    """One port a backend on the task's loopback; the Envoy finds them in DNS, at the port of theirs."""
    frontend = own("frontend")
    given = variables(frontend.containers["frontend-app"])
    assert (given["CRYSTAL_URL"], given["NODEJS_URL"]) == ("http://127.0.0.1:3101/crystal", "http://127.0.0.1:3102")
    assert set(listeners(frontend)) == {"0.0.0.0:8080", "127.0.0.1:3101", "127.0.0.1:3102"}
    assert endpoints(frontend) == {
        "application": [("127.0.0.1", 3000)],
        "ecsdemo-crystal.service.local": [("ecsdemo-crystal.service.local", 8080)],
        "ecsdemo-nodejs.service.local": [("ecsdemo-nodejs.service.local", 8080)],
    }


def test_the_gateway_leads_to_the_frontend() -> None:
    """Where the load balancer sends to; and the services' tasks are called at their Envoys' port alone."""
    platform = own("platform")
    assert set(listeners(platform)) == {"0.0.0.0:3000"}
    assert list(endpoints(platform)) == ["ecsdemo-frontend.service.local"]
    rules = platform.all("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert {made.name.removeprefix("platform-network-"): made.inputs["fromPort"] for made in rules} == {
        "browsers-to-balancer": 80,
        "balancer-to-gateway": 3000,
        "gateway-to-services-8080": 8080,
        "services-to-services-8080": 8080,
    }


def test_an_envoy_leaves_after_its_callers_have_and_before_its_application() -> None:
    """It waits for longer than DNS may keep its address; the application, which started first, ends last."""
    crystal = own("crystal")
    envoy = crystal.containers["envoy"]
    record = crystal.one("servicediscovery/service:Service")["dnsConfig"]["dnsRecords"][0]
    stays, leaves = (int(each) for each in re.findall(r"sleep (\d+)", envoy["command"][2]))
    assert record["ttl"] < stays
    assert stays + leaves < envoy["stopTimeout"]
    assert envoy["dependsOn"] == [{"containerName": "crystal-app", "condition": "HEALTHY"}]
    assert "dependsOn" not in crystal.containers["crystal-app"]


@pytest.mark.parametrize("service", list(SERVICES))
def test_the_flag_changes_as_little_as_in_app_mesh(service: str) -> None:
    """The task definition, and one attachment more. Segments have the same names."""
    off, on = own(service), own(service, tracing="true", samplingRate="0.5")
    assert sorted(token for token, _, _ in on.inventory - off.inventory) == [TASK_DEFINITION, ATTACHMENT]
    assert "tracing" not in json.dumps(bootstrap(off))
    managers = [
        each["filter_chains"][0]["filters"][0]["typed_config"]
        for each in bootstrap(on)["static_resources"]["listeners"]
    ]
    names = {manager["tracing"]["provider"]["typed_config"]["segment_name"] for manager in managers}
    assert names == {f"ecs-mesh/{'ecsworkshop-vgw' if service == 'platform' else service}"}
    assert '\\"rate\\": 0.5' in json.dumps(bootstrap(on))


@pytest.mark.parametrize("mesh", ["appmesh", "envoy"])
@pytest.mark.parametrize("service", list(SERVICES))
def test_while_stacks_move_tasks_stay_as_they_are(service: str, mesh: str) -> None:
    """What tasks in either mesh need is there, too: App Mesh's objects, the right to join, the ports."""
    moving, settled = deployed(service, mesh=mesh, bothMeshes="true"), deployed(service, mesh=mesh)
    in_app_mesh = deployed(service)
    assert moving.one(TASK_DEFINITION)["containerDefinitions"] == settled.one(TASK_DEFINITION)["containerDefinitions"]
    for kind in ("appmesh", ROLE_POLICY):
        assert {made.name for made in moving.resources if kind in made.type} == {
            made.name for made in in_app_mesh.resources if kind in made.type
        }
    if service == "platform":
        rules = moving.all("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        assert {made.inputs["fromPort"] for made in rules} == {80, 3000, 8080}
    else:
        records = moving.one("servicediscovery/service:Service")["dnsConfig"]["dnsRecords"]
        assert [record["ttl"] for record in records] == [SHORT_DNS_TTL]


@pytest.mark.parametrize("config", [{}, {"tracing": "true"}, {"bothMeshes": "true"}], ids=str)
def test_the_checks_are_silent(config: dict[str, str]) -> None:
    """The plan of the whole environment is as fine as in App Mesh."""
    assert check(everything(mesh="envoy", **config), NAMES) == []
