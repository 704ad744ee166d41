"""Contracts that a forgotten item would break: registry, types, configuration keys, stack names."""

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from services import SERVICES, StackNameError, split_stack_name
from services.settings import KEYS, Settings
from tests.services.world import Deployment, deployed

ROOT = Path(__file__).resolve().parents[2]

# Module files of services/ that are parts, not services.
PARTS = {
    "__init__", "aws", "collectors", "containers", "declared", "fargate", "fleet", "fleet_model", "fleet_yaml",
    "gateway", "images", "load_test_host", "mesh_service", "neighbours", "network", "own_mesh", "program", "routing",
    "run", "sdk", "settings", "sizes", "task", "tracing",
}  # fmt: skip


def everything(service: str) -> Deployment:
    """A stack with every option on."""
    return deployed(service, tracing="true", loadTestHost="true", autoscaling="true")


def test_every_service_is_registered() -> None:
    """A file of services/ is a part, or a service in the registry under the file's name."""
    files = {path.stem for path in (ROOT / "services").glob("*.py")}
    assert files - PARTS == set(SERVICES)


def test_prerequisites_come_first() -> None:
    """The registry's order is an order of deployment."""
    assert [(name, entry.needs) for name, entry in SERVICES.items()] == [
        ("platform", ()),
        ("crystal", ("platform",)),
        ("nodejs", ("platform",)),
        ("frontend", ("platform", "crystal", "nodejs")),
    ]
    seen: set[str] = set()
    for name, entry in SERVICES.items():
        assert set(entry.needs) <= seen
        assert entry.name == name
        seen.add(name)


def test_types_and_names_of_components_never_change() -> None:
    """A renamed component would replace everything in it."""
    components = {
        (made.type, made.name)
        for service in SERVICES
        for made in everything(service).resources
        if made.type.startswith("ecs-tracing:")
    }
    assert components == {
        ("ecs-tracing:services:Platform", "platform"),
        ("ecs-tracing:services:Network", "platform-network"),
        ("ecs-tracing:services:Gateway", "platform-gateway"),
        ("ecs-tracing:services:LoadTestHost", "platform-load-test-host"),
        ("ecs-tracing:services:Crystal", "crystal"),
        ("ecs-tracing:services:Nodejs", "nodejs"),
        ("ecs-tracing:services:Frontend", "frontend"),
    }


@pytest.mark.parametrize("service", list(SERVICES))
def test_every_resource_belongs_to_its_component_and_bears_its_name(service: str) -> None:
    """The main child has the component's own name, the others that name and a suffix."""
    deployment = everything(service)
    for made in deployment.resources:
        assert made.name == service or made.name.startswith(f"{service}-")
        is_root = made.type.startswith("ecs-tracing:") and made.name == service
        assert made.parent == ("pulumi:pulumi:Stack" if is_root else made.parent)
        assert is_root or made.parent.startswith("ecs-tracing:services:")
    main = {"platform": "ecs/cluster:Cluster"}.get(service, "ecs/service:Service")
    assert service in [made.name for made in deployment.all(main)]


@pytest.mark.parametrize("service", ["crystal", "nodejs", "frontend"])
def test_outputs_that_the_automation_reads(service: str) -> None:
    """Every service stack has them, with a value."""
    outputs = deployed(service).outputs
    assert set(outputs) == {
        "clusterName", "serviceName", "taskDefinitionArn", "taskRoleName", "tracing", "mesh", "bothMeshes",
        "virtualNodeName", "virtualNodeArn", "virtualServiceName", "logGroupName",
        "samplingRate", "meshName", "backends", "entrance",
    }  # fmt: skip
    assert all(value not in (None, "") for value in outputs.values())
    backends = ["ecsdemo-crystal.service.local", "ecsdemo-nodejs.service.local"] if service == "frontend" else []
    assert (outputs["backends"], outputs["entrance"]) == (backends, service == "frontend")


def test_every_key_is_declared_with_type_default_and_description() -> None:
    """`pulumi config` shows what there is; the declared defaults are the ones in effect."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    assert set(declared) == set(KEYS)
    for key, declaration in declared.items():
        assert declaration["type"] in ("boolean", "string")
        assert declaration["description"]
        assert str(declaration["default"]).lower() == KEYS[key]
    assert len(KEYS) == len(fields(Settings)) - 1  # all but the region, which is the plugin's


def test_the_project_is_the_one_that_stack_references_name() -> None:
    """Name, runtime and the folder of the stacks' files are part of the contract."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["name"] == "ecs-tracing"
    assert project["runtime"] == {"name": "python", "options": {"virtualenv": ".venv"}}
    assert project["stackConfigDir"] == "stacks"


@pytest.mark.parametrize(
    ("stack", "environment_and_service"),
    [("local-crystal", ("local", "crystal")), ("prod-eu-frontend", ("prod-eu", "frontend"))],
)
def test_a_stacks_name_says_environment_and_service(stack: str, environment_and_service: tuple[str, str]) -> None:
    """The environment may hold dashes."""
    assert split_stack_name(stack) == environment_and_service


@pytest.mark.parametrize("stack", ["crystal", "-crystal", "local-cristal", "local", "", "local-"])
def test_a_stacks_name_that_says_neither_is_refused_with_an_example(stack: str) -> None:
    """The services are listed, and how to make a stack."""
    with pytest.raises(StackNameError) as refused:
        split_stack_name(stack)
    assert f"stack '{stack}'" in str(refused.value)
    assert "platform, crystal, nodejs, frontend" in str(refused.value)
    assert "pulumi stack init local-crystal" in str(refused.value)


def test_the_entry_point_is_short() -> None:
    """What it does is in `services`."""
    assert len((ROOT / "__main__.py").read_text(encoding="utf-8").splitlines()) <= 40
