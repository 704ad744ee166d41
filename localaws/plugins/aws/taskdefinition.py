"""ECS: task definitions. Everything but tags makes a new revision, so nearly every change is a replacement."""

from collections.abc import Iterable, Mapping
from typing import Any

from localaws.plugins.aws import containers
from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.comparing import Change
from localaws.plugins.aws.fields import block, flag, output, table, tagged, text, unordered, whole
from localaws.plugins.aws.resource import Resource, Tagging
from localaws.plugins.aws.rules import between, is_arn, length, pattern
from localaws.plugins.aws.values import State, unknown

TAGGING = Tagging("TagResource", "UntagResource", "resourceArn", listed=("key", "value"), tags="tags", keys="tagKeys")
GIB = 1024  # MiB

# Memory in MiB that Fargate allows for each number of CPU units ("Task CPU and memory" in the Amazon ECS guide).
FARGATE_MEMORY: Mapping[int, tuple[int, ...]] = {
    256: (512, GIB, 2 * GIB),
    512: tuple(range(GIB, 4 * GIB + 1, GIB)),
    1024: tuple(range(2 * GIB, 8 * GIB + 1, GIB)),
    2048: tuple(range(4 * GIB, 16 * GIB + 1, GIB)),
    4096: tuple(range(8 * GIB, 30 * GIB + 1, GIB)),
    8192: tuple(range(16 * GIB, 60 * GIB + 1, 4 * GIB)),
    16384: tuple(range(32 * GIB, 120 * GIB + 1, 8 * GIB)),
}

VOLUME = block(
    {
        "name": text(required=True),
        "configureAtLaunch": flag(computed=True, aws="configuredAtLaunch"),
        "dockerVolumeConfiguration": block(
            {
                "autoprovision": flag(),
                "driver": text(),
                "driverOpts": table(),
                "labels": table(),
                "scope": text(computed=True, choices=("task", "shared")),
            }
        ),
        "efsVolumeConfiguration": block(
            {
                "authorizationConfig": block({"accessPointId": text(), "iam": text(choices=("ENABLED", "DISABLED"))}),
                "fileSystemId": text(required=True),
                "rootDirectory": text(default="/"),
                "transitEncryption": text(choices=("ENABLED", "DISABLED")),
                "transitEncryptionPort": whole(),
            }
        ),
        "hostPath": text(),
    }
)


class TaskDefinition(Resource):
    """One revision of a task family. The id is the family, as Terraform has it; operations go by the ARN."""

    token, label, service = "aws:ecs/taskDefinition:TaskDefinition", "ECS Task Definition", "ecs"
    naming = "family"
    capitals = False
    tagging = TAGGING
    fields = tagged(
        {
            "containerDefinitions": text(required=True, replaces=True, same=containers.same_containers),
            "cpu": text(replaces=True),
            "enableFaultInjection": flag(computed=True, replaces=True),
            "ephemeralStorage": block(
                {"sizeInGib": whole(required=True, aws="sizeInGiB", checks=(between(21, 200),))}, replaces=True
            ),
            "executionRoleArn": text(replaces=True, checks=(is_arn,)),
            "family": text(
                required=True,
                replaces=True,
                checks=(length(1, 255), pattern(r"[\w-]+", "consist of letters, digits, - and _")),
            ),
            "ipcMode": text(replaces=True, choices=("host", "task", "none")),
            "memory": text(replaces=True),
            "networkMode": text(computed=True, replaces=True, choices=("bridge", "host", "awsvpc", "none")),
            "pidMode": text(replaces=True, choices=("host", "task")),
            "placementConstraints": unordered(
                block({"type": text(required=True, choices=("memberOf",)), "expression": text()}), replaces=True
            ),
            "proxyConfiguration": block(
                {
                    "containerName": text(required=True),
                    "properties": table(pairs=("name", "value")),
                    "type": text(default="APPMESH", choices=("APPMESH",)),
                },
                replaces=True,
            ),
            "requiresCompatibilities": unordered(
                text(choices=("EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES")), replaces=True
            ),
            "runtimePlatform": block({"cpuArchitecture": text(), "operatingSystemFamily": text()}, replaces=True),
            "skipDestroy": flag(local=True, default=False),
            "taskRoleArn": text(replaces=True, checks=(is_arn,)),
            "trackLatest": flag(local=True, default=False),
            "volumes": unordered(VOLUME, replaces=True),
            "arn": output(text()),
            "arnWithoutRevision": output(text()),
            "revision": output(whole()),
        }
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        document = inputs["containerDefinitions"]
        if not unknown(document):
            for reason in containers.mistakes(document):
                yield "containerDefinitions", reason
        fargate = "FARGATE" in inputs.get("requiresCompatibilities", ())
        if fargate and inputs.get("networkMode") not in {"awsvpc", None}:
            yield "networkMode", f"must be awsvpc on Fargate, not {inputs['networkMode']!r}"
        for name in ("cpu", "memory"):
            if fargate and not inputs.get(name):
                yield name, "is required on Fargate"
        if fargate and inputs.get("cpu") and inputs.get("memory") and not unknown([inputs["cpu"], inputs["memory"]]):
            yield from _fargate_size(inputs["cpu"], inputs["memory"])

    def suppressed(self, change: Change, old: State, new: State) -> bool:
        """Fargate writes "0.5 vCPU" and 512 the same way."""
        if change.top not in {"cpu", "memory"} or unknown(new.get(change.top)):
            return False
        one, other = (_units(change.top, str(state.get(change.top, ""))) for state in (old, new))
        return one is not None and one == other

    def create(self, aws: Aws, inputs: State) -> str:
        names = set(inputs) - {"containerDefinitions", "tags", "tagsAll", "region", "skipDestroy", "trackLatest"}
        given = self.shaped(inputs, *sorted(names & self.fields.keys()))
        if "volumes" in given:
            given["volumes"] = [_volume_to_aws(volume) for volume in given["volumes"]]
        defined = containers.parsed(inputs["containerDefinitions"])
        answer = self.ask(aws, "RegisterTaskDefinition", **given, containerDefinitions=defined, tags=self.tags(inputs))
        inputs["arn"] = answer["taskDefinition"]["taskDefinitionArn"]
        return str(inputs["family"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        asked = prior["arn"] if prior.get("arn") and not prior.get("trackLatest") else identity
        try:
            answer = self.ask(aws, "DescribeTaskDefinition", taskDefinition=asked, include=["TAGS"])
        except AwsError as error:
            # ECS has no code of its own for this; only the message tells.
            if error.code == "ClientException" and "describe task definition" in str(error):
                return None
            raise
        found = answer["taskDefinition"]
        if found.get("status") == "INACTIVE":
            return None
        arn = found["taskDefinitionArn"]
        return {
            **self.plain(found),
            "volumes": [_volume_from_aws(volume) for volume in found.get("volumes", ())] or None,
            "containerDefinitions": containers.text(found["containerDefinitions"]),
            "arn": arn,
            "arnWithoutRevision": arn.rpartition(":")[0],
            "tagsAll": TAGGING.plain(answer.get("tags")),
        }

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        if state.get("skipDestroy"):
            return
        if self.read(aws, identity, {"arn": state["arn"]}) is not None:
            self.ask(aws, "DeregisterTaskDefinition", taskDefinition=state["arn"])

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        if ":task-definition/" not in imported:
            raise AwsError(f"import it by its ARN (arn:aws:ecs:…:task-definition/FAMILY:REVISION), not by {imported!r}")
        family, _, _revision = imported.rpartition("/")[2].partition(":")
        return family, {"arn": imported}

    def target(self, identity: str, state: State) -> str:
        return str(state["arn"])


def _fargate_size(cpu: str, memory: str) -> Iterable[tuple[str, str]]:
    units, size = _units("cpu", cpu), _units("memory", memory)
    if units is None or units not in FARGATE_MEMORY:
        yield "cpu", f"must be one of {', '.join(map(str, FARGATE_MEMORY))} on Fargate, not {cpu!r}"
    elif size not in FARGATE_MEMORY[units]:
        allowed = FARGATE_MEMORY[units]
        yield (
            "memory",
            (f"must be one of {', '.join(map(str, allowed))} MiB on Fargate with {units} CPU units, not {memory!r}"),
        )


def _units(name: str, value: str) -> int | None:
    """CPU units (1024 a vCPU) or MiB of memory; None for what is neither."""
    word = value.lower().replace(" ", "")
    unit = "vcpu" if name == "cpu" else "gb"
    try:
        return round(float(word.removesuffix(unit)) * GIB) if word.endswith(unit) else int(word)
    except ValueError:
        return None


def _volume_to_aws(volume: State) -> State:
    path = volume.pop("hostPath", None)
    return {**volume, "host": {"sourcePath": path}} if path else volume


def _volume_from_aws(volume: Any) -> State:
    plain = {name: value for name, value in volume.items() if name != "host" and value not in (None, False, {})}
    path = volume.get("host", {}).get("sourcePath")
    return {**plain, "hostPath": path} if path else plain
