"""CloudWatch Logs: log groups."""

from collections.abc import Set as AbstractSet

from localaws.plugins.aws.aws import Aws
from localaws.plugins.aws.fields import flag, output, tagged, text, whole
from localaws.plugins.aws.resource import Resource, Tagging
from localaws.plugins.aws.rules import is_arn, length, one_of, pattern
from localaws.plugins.aws.values import State

LONGEST_NAME = 512  # characters
# Days that AWS keeps logs for; 0 is for ever (PutRetentionPolicy in the CloudWatch Logs API reference).
RETENTION = (0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


class LogGroup(Resource):
    """A log group; its id is its name."""

    token, label, service = "aws:cloudwatch/logGroup:LogGroup", "CloudWatch Logs Log Group", "logs"
    missing = frozenset({"ResourceNotFoundException"})
    capitals = False
    tagging = Tagging("TagResource", "UntagResource", "resourceArn", listed=None, tags="tags", keys="tagKeys")
    fields = tagged(
        {
            "deletionProtectionEnabled": flag(computed=True),
            "kmsKeyId": text(checks=(is_arn,)),
            "logGroupClass": text(computed=True, replaces=True, choices=("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")),
            "name": text(
                computed=True,
                replaces=True,
                autoname=LONGEST_NAME,
                aws="logGroupName",
                checks=(pattern(r"[\w/.#-]+", "consist of letters, digits and any of _-/.#"), length(1, LONGEST_NAME)),
            ),
            "namePrefix": text(computed=True, replaces=True, local=True),
            "retentionInDays": whole(default=0, checks=(one_of(*RETENTION),)),
            "skipDestroy": flag(local=True, default=False),
            "arn": output(text()),
        }
    )

    def create(self, aws: Aws, inputs: State) -> str:
        given = self.shaped(inputs, "name", "kmsKeyId", "logGroupClass")
        self.ask(aws, "CreateLogGroup", **given, tags=self.tags(inputs))
        return str(inputs["name"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        if inputs.get("retentionInDays"):
            self.ask(aws, "PutRetentionPolicy", logGroupName=identity, retentionInDays=inputs["retentionInDays"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        groups = aws.pages("logs", "DescribeLogGroups", "logGroups", logGroupNamePrefix=identity)
        group = next((group for group in groups if group["logGroupName"] == identity), None)
        if group is None:
            return None
        arn = group["arn"].removesuffix(":*")
        return {
            "retentionInDays": 0,
            "logGroupClass": "STANDARD",
            **self.plain(group),
            "arn": arn,
            "tagsAll": self.ask(aws, "ListTagsForResource", resourceArn=arn).get("tags", {}),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        if "retentionInDays" in changed and not new.get("retentionInDays"):
            self.ask(aws, "DeleteRetentionPolicy", logGroupName=identity)
        if "kmsKeyId" in changed and new.get("kmsKeyId"):
            self.ask(aws, "AssociateKmsKey", logGroupName=identity, kmsKeyId=new["kmsKeyId"])
        elif "kmsKeyId" in changed:
            self.ask(aws, "DisassociateKmsKey", logGroupName=identity)

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        if not state.get("skipDestroy"):
            self.ask(aws, "DeleteLogGroup", logGroupName=identity)

    def target(self, identity: str, state: State) -> str:
        return str(state["arn"])
