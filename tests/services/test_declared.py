"""The stacks of a declared fleet: as complete as those of the demo, and what its file says of each."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

import services
from automation.forecast import StackForecast
from checks.plan import check
from services import SERVICES, StackNameError, entries, own_mesh, split_stack_name
from services.fleet import parse
from tests.checks.plans import NAMES, resource, stack
from tests.envoymesh.support import refusal
from tests.fleets import SHAPES, fleet
from tests.services.test_fleet import WHOLE
from tests.services.world import Deployment, deploy, variables

Use = Callable[[str], None]
ROOT_KIND = "ecs-tracing:services:Declared"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Make a text the fleet."""

    def as_fleet(text: str) -> None:
        monkeypatch.setattr(SERVICES, "found", entries(parse(text)))

    return as_fleet


def deploy_all(**config: str) -> dict[str, Deployment]:
    """All stacks of the fleet, in environment ``prod``."""
    found: dict[str, Deployment] = {}
    stacks: dict[str, Mapping[str, Any]] = {}
    for name in SERVICES:
        found[name] = deploy(f"prod-{name}", config, stacks)
        stacks[f"prod-{name}"] = found[name].outputs
    return found


def planned(name: str, deployment: Deployment) -> StackForecast:
    made = (resource(each.type, each.name, **each.inputs) for each in deployment.resources)
    return stack(*made, service=name)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("config", [{}, {"tracing": "true"}, {"tracing": "true", "mesh": "envoy"}], ids=str)
def test_nothing_is_wrong_with_a_generated_fleet(shape: str, config: dict[str, str], use: Use) -> None:
    """No rule of the checks objects to any of its stacks."""
    use(fleet(shape, 6, 1))
    found = deploy_all(**config)
    assert [] == check([planned(name, deployment) for name, deployment in found.items()], NAMES)


def test_a_service_is_what_its_declaration_says(use: Use) -> None:
    """Port, health, size, variables and where its backends are, each at the backend's own port."""
    use(WHOLE)
    web = deploy_all()["web"]
    application = web.containers["web-app"]
    assert application["image"] == "public.ecr.aws/example/web:1"
    assert application["portMappings"] == [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]
    assert application["healthCheck"]["command"][1] == "curl -sf http://localhost:80/ready"
    assert variables(application) == {
        "API_URL": "http://web-api.service.local:8000/v1",
        "COLOUR": "blue",
        "RATINGS_URL": "http://ratings.service.local:3000",
        "REGION": "us-east-1",
    }
    task = web.one("ecs/taskDefinition:TaskDefinition")
    assert (task["cpu"], task["memory"], task["family"]) == ("1024", "2048", "web")
    assert task["proxyConfiguration"]["properties"]["AppPorts"] == "80"
    listener = {"portMapping": {"port": 80, "protocol": "http"}}
    assert web.one("appmesh/virtualNode:VirtualNode")["spec"]["listeners"] == [listener]
    assert web.one("appmesh/virtualRouter:VirtualRouter")["spec"]["listeners"] == [listener]
    assert [made.type for made in web.resources if made.name == "web"] == [ROOT_KIND, "aws:ecs/service:Service"]


def test_in_a_mesh_of_our_own_the_envoy_leads_to_the_applications_port(use: Use) -> None:
    """And names itself after the platform's mesh, in its bootstrap as in its segments."""
    use(WHOLE)
    found = deploy_all(mesh="envoy", tracing="true")
    bootstrap = {name: found[name].containers["envoy"]["command"][-1] for name in ("web", "till")}
    clusters = json.loads(bootstrap["web"])["static_resources"]["clusters"]
    application = next(cluster for cluster in clusters if cluster["name"] == "application")
    address = application["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
    assert address["socket_address"]["port_value"] == 80
    assert "ecs-mesh/web" in bootstrap["web"]
    assert "ecs-mesh-pay/till" in bootstrap["till"]
    assert "ecs-mesh/" not in bootstrap["till"]


def test_the_network_admits_every_port_where_a_service_is_called(use: Use) -> None:
    """From the gateway, and from each other."""
    use(WHOLE)
    rules = deploy_all()["platform"].all("vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    to_services = sorted((made.name, made.inputs["fromPort"]) for made in rules if "to-services" in made.name)
    assert to_services == [
        ("platform-network-gateway-to-services", 3000),
        ("platform-network-gateway-to-services-80", 80),
        ("platform-network-gateway-to-services-8000", 8000),
        ("platform-network-services-to-services", 3000),
        ("platform-network-services-to-services-80", 80),
        ("platform-network-services-to-services-8000", 8000),
    ]


def test_each_platform_has_names_of_its_own(use: Use) -> None:
    """GIVEN two of them THEN no object that AWS knows by name is in both; their services are in the right one."""
    use(WHOLE)
    found = deploy_all()

    def named(deployment: Deployment) -> set[str]:
        inputs = [made.inputs for made in deployment.resources if made.type.startswith("aws:")]
        return {str(each[key]) for each in inputs for key in ("name", "family") if key in each}

    assert named(found["platform"]) & named(found["pay"]) == set()
    till = found["till"].outputs
    assert (till["clusterName"], till["meshName"]) == ("container-demo-pay", "ecs-mesh-pay")
    assert till["virtualServiceName"] == "till.pay.service.local"
    route = found["till"].one("appmesh/gatewayRoute:GatewayRoute")
    assert (route["meshName"], route["virtualGatewayName"]) == ("ecs-mesh-pay", "ecsworkshop-vgw-pay")


def test_a_gateway_that_leads_nowhere_answers_404(use: Use, tmp_path: Path) -> None:
    """GIVEN a platform without an entrance THEN its Envoy in a mesh of our own has no route."""
    use("services: {ratings: {image: ratings:1}}")
    bootstrap = json.loads(deploy_all(mesh="envoy")["platform"].containers["envoy"]["command"][-1])
    assert bootstrap["static_resources"]["clusters"] == []
    (listener,) = bootstrap["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert [host["routes"] for host in manager["route_config"]["virtual_hosts"]] == [[]]
    assert refusal(bootstrap, tmp_path) == ""


def star(number: int) -> str:
    """A caller of so many services, with names as long as they may be."""
    names = [f"s{number:02}-{'x' * 37}" for number in range(number)]
    backends = {f"{name.upper().replace('-', '_')}_URL": name for name in names}
    caller = {"image": "x", "platform": "checkout", "backends": backends}
    called = {name: {"image": "x", "platform": "checkout"} for name in names}
    return json.dumps({"platforms": ["checkout"], "services": {"caller": caller} | called})


def test_a_caller_of_twenty_fits_into_a_task_definition(use: Use) -> None:
    """GIVEN a mesh of our own and the longest names THEN its 64 KiB suffice."""
    use(star(own_mesh.MOST_BACKENDS))
    found = deploy_all(mesh="envoy", tracing="true", collector="adot")["caller"]
    assert len(found.one("ecs/taskDefinition:TaskDefinition")["containerDefinitions"]) < 63 * 1024


@pytest.mark.parametrize("config", [{"mesh": "envoy"}, {"bothMeshes": "true"}], ids=str)
def test_more_backends_than_that_are_refused_before_anything_is_made(config: dict[str, str], use: Use) -> None:
    """Also before stacks move there; in App Mesh they may be."""
    use(star(own_mesh.MOST_BACKENDS + 1))
    platform = deploy("prod-checkout").outputs
    called = deploy("prod-" + SERVICES["caller"].needs[1], stacks={"prod-checkout": platform}).outputs
    others = {f"prod-{name}": called for name in SERVICES["caller"].needs} | {"prod-checkout": platform}
    with pytest.raises(pulumi.RunError, match=r"but 'caller' has 21 backends: .* has room for 20"):
        deploy("prod-caller", config, others)
    assert deploy("prod-caller", {}, others).outputs["serviceName"] == "caller"


def test_only_an_entrance_scales(use: Use) -> None:
    """As in the demo."""
    use(WHOLE)
    found = deploy_all(autoscaling="true")
    scaled = [name for name, deployment in found.items() if deployment.all("appautoscaling/target:Target")]
    assert scaled == ["till", "web"]


def test_the_longest_name_that_fits_is_a_services(use: Use) -> None:
    """`prod-web-api` is `web-api` in `prod`, never `api` in `prod-web`."""
    use("services: {api: {image: x}, web-api: {image: x}}")
    assert split_stack_name("prod-web-api") == ("prod", "web-api")
    assert split_stack_name("prod-eu-api") == ("prod-eu", "api")
    with pytest.raises(StackNameError, match="a service of platform, api, web-api"):
        split_stack_name("prod-ratings")


def test_a_mistake_in_the_fleet_is_one_sentence_by_hand_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """GIVEN a file that is malformed THEN `pulumi up` shows an error without a traceback."""
    (tmp_path / "fleet.yaml").write_text("services: {a: {}}", encoding="utf-8")
    monkeypatch.setattr(services, "ROOT", tmp_path)
    monkeypatch.setattr(services.program, "SERVICES", fresh := services.Registry())
    monkeypatch.setattr(services, "SERVICES", fresh)
    with pytest.raises(pulumi.RunError, match=r"services\.a\.image is missing"):
        deploy("prod-a")
