"""A Pulumi engine and an AWS made of mocks: programs run for real, what they ask for is recorded."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs

from services import SERVICES
from services.program import program

REGION = "us-east-1"
STACK_TYPE = "pulumi:pulumi:Stack"
REFERENCE = "pulumi:pulumi:StackReference"
Stacks = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Made:
    """One resource that a program asked for."""

    type: str
    name: str
    parent: str  # type of the parent
    inputs: Mapping[str, Any]
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What one run of a program asked for, and the stack's outputs."""

    resources: tuple[Made, ...]
    outputs: Mapping[str, Any]

    def all(self, token: str) -> list[Made]:
        """The resources of a type; ``ecs/service:Service`` for ``aws:ecs/service:Service``."""
        return [made for made in self.resources if made.type in (token, f"aws:{token}")]

    def one(self, token: str) -> Mapping[str, Any]:
        """The inputs of the only resource of a type."""
        (made,) = self.all(token)
        return made.inputs

    def named(self, name: str) -> Mapping[str, Any]:
        """The inputs of the resource with a name; components aside."""
        (made,) = (made for made in self.resources if made.name == name and not made.type.startswith("ecs-tracing:"))
        return made.inputs

    @property
    def containers(self) -> dict[str, dict[str, Any]]:
        """The container definitions of the only task definition, by name."""
        definitions = json.loads(self.one("ecs/taskDefinition:TaskDefinition")["containerDefinitions"])
        return {container["name"]: container for container in definitions}

    @property
    def inventory(self) -> set[tuple[str, str, str]]:
        """Type, name and inputs of all."""
        return {(made.type, made.name, json.dumps(made.inputs, sort_keys=True)) for made in self.resources}


def variables(container: Mapping[str, Any]) -> dict[str, str]:
    """A container's environment."""
    return {variable["name"]: variable["value"] for variable in container["environment"]}


@dataclass
class _Aws(pulumi.runtime.Mocks):
    """Answers as AWS would, as far as our programs read the answers."""

    stacks: Stacks
    resources: list[Made] = field(default_factory=list)

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == REFERENCE:
            return args.resource_id or "", {
                "name": args.resource_id,
                "outputs": dict(self.stacks[_short(args.resource_id)]),
            }
        if args.typ == "awsx:ec2:Vpc":
            subnets = {f"{kind}SubnetIds": [f"{kind}-{zone}" for zone in "abc"] for kind in ("public", "private")}
            return "", {**subnets, "vpcId": "vpc-1"}
        name = args.inputs.get("name", f"{args.name}-1234567")
        service = args.typ.partition(":")[2].partition("/")[0]
        arn = f"arn:aws:{service}:{REGION}:123456789012:{name}"
        return f"{args.name}-id", {"name": name, "arn": arn, "dnsName": f"{name}.elb.example", **args.inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        if args.token == "pulumi:pulumi:readStackOutputs":
            if _short(args.args["name"]) not in self.stacks:
                raise LookupError(f'unknown stack "{args.args["name"]}"')
            return {"outputs": {}}, []
        assert args.token == "aws:ssm/getParameter:getParameter", args.token
        return {"value": f"ami of {args.args['name']}"}, []


def _short(qualified: str | None) -> str:
    organization, project, stack = (qualified or "").split("/")
    assert (organization, project) == ("acme", "ecs-tracing")
    return stack


class _Engine(MockMonitor):
    """Records what the mocks do not get to see: parents, options and the stack's outputs."""

    def __init__(self, aws: _Aws) -> None:
        super().__init__(aws)
        self.aws = aws
        self.outputs: dict[str, Any] = {}
        self.finished: set[str] = set()  # components that registered their outputs

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type != STACK_TYPE:
            self.aws.resources.append(
                Made(
                    type=request.type,
                    name=request.name,
                    parent=request.parent.split("::")[2].split("$")[-1] if request.parent else "",
                    inputs=pulumi.runtime.rpc.deserialize_properties(request.object),
                    ignored=tuple(request.ignoreChanges),
                )
            )
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        self.finished.add(request.urn.rpartition("::")[2])
        if STACK_TYPE in request.urn:
            self.outputs = pulumi.runtime.rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop for the program. The mocks want one in each thread that they answer in, too; all are closed afterwards."""
    loops: list[asyncio.AbstractEventLoop] = []

    def give_one() -> None:
        loops.append(asyncio.new_event_loop())
        # Of a program that fails, the first error is the one raised; the rest would be told at some later test.
        loops[-1].set_exception_handler(lambda _loop, _context: None)
        asyncio.set_event_loop(loops[-1])

    give_one()
    loops[0].set_default_executor(ThreadPoolExecutor(initializer=give_one))
    try:
        yield loops[0]
    finally:
        # What a failed program leaves unfinished must not wake up in the next one.
        for task in (unfinished := asyncio.all_tasks(loops[0])):
            task.cancel()
        loops[0].run_until_complete(asyncio.gather(*unfinished, return_exceptions=True))
        loops[0].run_until_complete(loops[0].shutdown_default_executor())
        asyncio.set_event_loop(None)
        for loop in loops:
            loop.close()


def deploy(
    stack: str,
    config: Mapping[str, str] | None = None,
    stacks: Stacks | None = None,
    *,
    preview: bool = False,
    run: Callable[[], None] = program,
) -> Deployment:
    """Run a program in `stack`, with plain configuration (keys without the project's name).

    `stacks` are the other stacks' outputs by name. Raises what the program raises.
    """
    aws = _Aws(stacks=stacks or {})
    engine = _Engine(aws)
    with _event_loop() as loop:
        pulumi.runtime.settings.SETTINGS.rpc_manager.clear()  # a program that failed leaves some behind
        pulumi.runtime.settings.SETTINGS.outputs.clear()
        pulumi.runtime.set_mocks(
            aws, project="ecs-tracing", stack=stack, preview=preview, monitor=engine, organization="acme"
        )
        full = {f"ecs-tracing:{key}": value for key, value in (config or {}).items()}
        pulumi.runtime.set_all_config({"aws:region": REGION, **full})
        pulumi.runtime.settings.set_root_resource(None)  # type: ignore[arg-type]
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
    components = {made.name for made in aws.resources if made.type.startswith("ecs-tracing:")}
    assert components <= engine.finished, "every component registers its outputs"
    return Deployment(resources=tuple(aws.resources), outputs=engine.outputs)


@cache
def deployed(service: str, **config: str) -> Deployment:
    """A stack of environment ``prod``, reading from its prerequisites as they are with default settings."""
    return deploy(f"prod-{service}", config, outputs(*SERVICES[service].needs))


def outputs(*services: str) -> dict[str, Mapping[str, Any]]:
    """The outputs of stacks of environment ``prod``, by stack."""
    return {f"prod-{service}": deployed(service).outputs for service in services}
