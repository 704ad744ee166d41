"""The program as a whole: bad configuration, missing prerequisites, planning from nothing, threads, a fifth service."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown

from services import SERVICES, ServiceEntry
from services.containers import Application, Envoy
from services.fargate import Scaling
from services.mesh_service import MeshService, Workload
from services.neighbours import Neighbour, PrerequisiteError
from services.program import program
from services.settings import MESHES, Settings
from services.task import TaskPlan
from tests.services.world import Deployment, deploy, deployed, outputs, variables

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("stack", "config", "told"),
    [
        ("prod-crystal", {"tracing": "maybe"}, "tracing is 'maybe' but must be true or false"),
        ("prod-crystal", {"mesh": "istio"}, "mesh is 'istio' but must be appmesh or envoy"),
        (
            "prod-platform",
            {"cpu": "256", "memory": "512"},
            "memory is '512', but .* reserve .* MiB .*pulumi config set memory auto",
        ),
        ("prod-cristal", {}, "stack 'prod-cristal' is not named <environment>-<service>"),
    ],
)
def test_a_mistake_in_the_configuration_is_one_sentence(stack: str, config: dict[str, str], told: str) -> None:
    """No traceback: Pulumi shows a `RunError` as it is. Nothing is built."""
    with pytest.raises(pulumi.RunError, match=told):
        deploy(stack, config)


def test_a_stack_that_does_not_exist_is_named_with_the_command_that_makes_it() -> None:
    """In a plan as in a deployment."""
    for preview in (True, False):
        with pytest.raises(PrerequisiteError) as refused:
            deploy("prod-crystal", preview=preview)
        assert str(refused.value) == (
            "stack 'prod-platform' does not exist. Next: python automation/enable.py platform --env prod   "
            "(by hand: pulumi up --stack prod-platform)"
        )


def test_a_prerequisite_that_was_never_deployed_stops_a_deployment_before_it_starts() -> None:
    """GIVEN an empty stack THEN nothing is created, and the command is named; locally without --env."""
    built: list[Deployment] = []
    with pytest.raises(PrerequisiteError) as refused:
        built.append(deploy("local-crystal", stacks={"local-platform": {}}))
    assert "stack 'local-platform' is not deployed. Next: python automation/enable.py platform   " in str(refused.value)
    assert built == []


@pytest.mark.parametrize("missing", ["crystal", "nodejs"])
def test_the_frontend_waits_for_both_backends(missing: str) -> None:
    """Their names are constants, but their stacks must be there first."""
    stacks = {**outputs("platform", "crystal", "nodejs"), f"prod-{missing}": {}}
    with pytest.raises(PrerequisiteError, match=f"stack 'prod-{missing}' is not deployed"):
        deploy("prod-frontend", stacks=stacks)


def test_a_half_deployed_prerequisite_is_told_with_what_is_missing() -> None:
    """GIVEN a platform without a mesh THEN the output is named."""
    half = {key: value for key, value in deployed("platform").outputs.items() if key != "meshName"}
    with pytest.raises(PrerequisiteError, match="stack 'prod-platform' has no output 'meshName': it is not completely"):
        deploy("prod-crystal", stacks={"prod-platform": half})


@pytest.mark.parametrize("service", ["crystal", "nodejs", "frontend"])
def test_a_whole_environment_can_be_planned_from_nothing(service: str) -> None:
    """GIVEN stacks that exist but are empty THEN each plan holds every resource, with unknowns and no inventions."""
    empty: dict[str, dict[str, Any]] = {f"prod-{need}": {} for need in SERVICES[service].needs}
    planned = deploy(f"prod-{service}", {"tracing": "true"}, empty, preview=True)
    actual = deployed(service, tracing="true")
    assert {(made.type, made.name) for made in planned.resources} == {
        (made.type, made.name) for made in actual.resources
    }
    placed = planned.one("ecs/service:Service")
    assert placed["name"] == f"ecsdemo-{service}"
    assert isinstance(placed["cluster"], Unknown)
    assert isinstance(placed["networkConfiguration"]["subnets"], Unknown)
    assert isinstance(planned.one("appmesh/virtualNode:VirtualNode")["meshName"], Unknown)


def test_a_plan_against_a_deployed_platform_knows_its_values() -> None:
    """What is known is not hidden."""
    planned = deploy("prod-crystal", stacks=outputs("platform"), preview=True)
    assert planned.one("appmesh/virtualNode:VirtualNode")["meshName"] == "ecs-mesh"


def foreseen(**changes: Any) -> Callable[[], None]:
    """The program, told what the platform will have; `...` stands for what is not known yet."""
    return lambda: program({"platform": {**deployed("platform").outputs, **changes}})


def test_a_plan_takes_what_the_platform_will_have() -> None:
    """Not what it has: the deployed mesh is `ecs-mesh`. What is not known yet stays unknown, and alone."""
    planned = deploy(
        "prod-crystal",
        stacks=outputs("platform"),
        preview=True,
        run=foreseen(meshName="new-mesh", privateSubnetIds=["subnet-1", ...]),
    )
    assert planned.one("appmesh/virtualNode:VirtualNode")["meshName"] == "new-mesh"
    network = planned.one("ecs/service:Service")["networkConfiguration"]
    assert isinstance(network["subnets"], Unknown)
    assert (
        network["securityGroups"]
        == deployed("crystal").one("ecs/service:Service")["networkConfiguration"]["securityGroups"]
    )


def test_an_output_that_the_platform_will_lose_is_told_in_the_plan() -> None:
    """The deployment would fail for the lack of it."""
    with pytest.raises(PrerequisiteError, match="stack 'prod-platform' will have no output 'meshName'"):
        deploy("prod-crystal", stacks=outputs("platform"), preview=True, run=foreseen(meshName=None))


@pytest.mark.parametrize("mesh", MESHES)
def test_what_programs_use_of_the_sdk_is_loaded_before_any_thread_starts(mesh: str) -> None:
    """What is loaded later is waited for by all of them."""
    script = (
        "from services import SERVICES, aws, sdk\n"
        "from tests.services.world import deployed\n"
        "late, found = [], sdk.Package._found\n"
        "sdk.Package._found = lambda package, name: late.append(name) or found(package, name)\n"
        f"for name in SERVICES: deployed(name, mesh='{mesh}', tracing='true', autoscaling='true')\n"
        "aws.ec2.KeyPair\n"
        "print(late)"
    )
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "['KeyPair']"


def test_what_has_no_module_of_its_own_is_found_in_the_whole_package() -> None:
    """Such as the values of an enumeration."""
    script = "from services.aws import ec2\nprint(ec2.Tenancy.DEDICATED.value)"
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "dedicated"


def test_a_function_is_not_mistaken_for_the_module_that_it_is_in() -> None:
    """Both have one name; loading the module puts that in the function's place."""
    script = "from services.aws import ssm\nssm.get_parameter_output\nprint(ssm.get_parameter.__name__)"
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "get_parameter"


class Ruby(MeshService):
    """A service of the reader's own."""


def build_ruby(environment_name: str, settings: Settings) -> Ruby:
    workload = Workload(node="ruby", service_name="ecsdemo-ruby", family="ruby", image="public.ecr.aws/example/ruby:1")
    return Ruby("ruby", workload=workload, platform=Neighbour(environment_name, "platform"), settings=settings)


def test_a_fifth_service_is_one_short_file_and_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """GIVEN the class and function above and this entry THEN it is complete, traced, and like the others."""
    monkeypatch.setitem(sys.modules, "services.ruby", SimpleNamespace(build=build_ruby))
    monkeypatch.setitem(SERVICES, "ruby", ServiceEntry("ruby", ("platform",)))
    ruby = deploy("prod-ruby", {"tracing": "true"}, outputs("platform"))
    crystal = deployed("crystal", tracing="true")
    assert sorted((made.type, made.name) for made in ruby.resources) == sorted(
        (made.type.replace("Crystal", "Ruby"), made.name.replace("crystal", "ruby")) for made in crystal.resources
    )
    assert set(ruby.containers) == {"ruby-app", "envoy", "xray"}
    assert variables(ruby.containers["envoy"])["ENABLE_ENVOY_XRAY_TRACING"] == "1"
    assert ruby.outputs["virtualServiceName"] == "ecsdemo-ruby.service.local"
    assert set(ruby.outputs) == set(crystal.outputs)


@pytest.mark.parametrize("name", ["envoy", "xray"])
def test_an_application_may_not_take_the_name_of_a_container_of_ours(name: str) -> None:
    """It is refused before anything is created, both named."""
    application = Application(name=name, image="app", log_prefix="/app")
    with pytest.raises(ValueError, match=f"`application` may not be named '{name}': `envoy`"):
        TaskPlan(family="app", envoy=Envoy(log_level="info", log_prefix="/envoy"), application=application)


def test_a_task_may_not_be_filled_to_the_brim() -> None:
    """GIVEN 500 MiB for the application THEN sidecar and Envoy would leave less than a quarter."""
    application = Application(name="app", image="app", log_prefix="/app", reservation=500)
    with pytest.raises(
        ValueError, match="reserve 884 MiB with the tracing sidecar; of the task's 1024 MiB at most 768"
    ):
        TaskPlan(family="app", envoy=Envoy(log_level="info", log_prefix="/envoy"), application=application)


def test_scaling_needs_a_range() -> None:
    """Least above most is refused, both named."""
    with pytest.raises(ValueError, match=r"`least` \(3\) is above `most` \(2\)"):
        Scaling(least=3, most=2, cpu_target=50)


def test_a_service_has_a_size_of_its_own() -> None:
    """GIVEN a workload of 1 vCPU and 2 GiB THEN its task has that; 1,100 MiB for the application fit into no less."""
    workload = Workload(node="ruby", service_name="ruby", family="ruby", image="ruby:1", cpu=1024, memory=2048)
    assert (workload.task_plan().cpu, workload.task_plan().memory) == (1024, 2048)
    envoy = Envoy(log_level="info", log_prefix="/envoy")
    large = Application(name="app", image="app", log_prefix="/app", reservation=1100)
    assert TaskPlan(family="app", envoy=envoy, application=large, memory=2048).memory == 2048
    with pytest.raises(ValueError, match="of the task's 1024 MiB at most 768 may be reserved"):
        TaskPlan(family="app", envoy=envoy, application=large)
