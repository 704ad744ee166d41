"""ECS: clusters."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.fields import block, flag, output, tagged, text, unordered
from localaws.plugins.aws.resource import Resource
from localaws.plugins.aws.rules import length, pattern
from localaws.plugins.aws.taskdefinition import TAGGING
from localaws.plugins.aws.values import State

NAME_CHECKS = (length(1, 255), pattern(r"[\w-]+", "consist of letters, digits, - and _"))
# Errors that pass by themselves while what is deleted winds down.
BUSY = frozenset({"ClusterContainsServicesException", "ClusterContainsTasksException", "UpdateInProgressException"})


class Cluster(Resource):
    """A cluster; its id is its ARN, it is imported by name."""

    token, label, service = "aws:ecs/cluster:Cluster", "ECS Cluster", "ecs"
    missing = frozenset({"ClusterNotFoundException"})
    capitals = False
    tagging = TAGGING
    fields = tagged(
        {
            "configuration": block(
                {
                    "executeCommandConfiguration": block(
                        {
                            "kmsKeyId": text(),
                            "logConfiguration": block(
                                {
                                    "cloudWatchEncryptionEnabled": flag(),
                                    "cloudWatchLogGroupName": text(),
                                    "s3BucketEncryptionEnabled": flag(aws="s3EncryptionEnabled"),
                                    "s3BucketName": text(),
                                    "s3KeyPrefix": text(),
                                }
                            ),
                            "logging": text(default="DEFAULT", choices=("NONE", "DEFAULT", "OVERRIDE")),
                        }
                    ),
                    "managedStorageConfiguration": block(
                        {"fargateEphemeralStorageKmsKeyId": text(), "kmsKeyId": text()}
                    ),
                }
            ),
            "name": text(computed=True, replaces=True, autoname=255, aws="clusterName", checks=NAME_CHECKS),
            "serviceConnectDefaults": block({"namespace": text(required=True)}),
            "settings": unordered(
                block({"name": text(required=True, choices=("containerInsights",)), "value": text(required=True)}),
                computed=True,
            ),
            "arn": output(text(aws="clusterArn")),
        }
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        for index, setting in enumerate(inputs.get("settings", ())):
            if setting["value"] not in {"enhanced", "enabled", "disabled"}:
                yield (
                    f"settings[{index}].value",
                    f"must be one of enhanced, enabled, disabled, not {setting['value']!r}",
                )

    def create(self, aws: Aws, inputs: State) -> str:
        given = self.shaped(inputs, "name", "configuration", "serviceConnectDefaults", "settings")
        return str(self.ask(aws, "CreateCluster", **given, tags=self.tags(inputs))["cluster"]["clusterArn"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        aws.until(
            lambda: (self._find(aws, identity) or {}).get("status") == "ACTIVE", f"cluster {identity} to be active"
        )

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self._find(aws, identity)
        if found is None or found.get("status") == "INACTIVE":
            return None
        return {**self.plain(found), "tagsAll": TAGGING.plain(found.get("tags"))}

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        given = self.shaped(new, *sorted(changed & {"configuration", "serviceConnectDefaults", "settings"}))
        self.ask(aws, "UpdateCluster", cluster=identity, **given)

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        def deleted() -> bool:
            try:
                answer = self.ask(aws, "DeleteCluster", cluster=identity)
            except AwsError as error:
                if error.code in BUSY:
                    return False
                raise
            return bool(answer["cluster"]["status"] != "DEPROVISIONING")

        aws.until(deleted, f"cluster {identity} to be empty", seconds=60)

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        return imported if imported.startswith("arn:") else aws.arn("ecs", f"cluster/{imported}"), {}

    def _find(self, aws: Aws, identity: str) -> State | None:
        included = ["TAGS", "SETTINGS", "CONFIGURATIONS"]
        found = self.ask(aws, "DescribeClusters", clusters=[identity], include=included)["clusters"]
        return found[0] if found else None
