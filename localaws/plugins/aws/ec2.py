"""EC2: what all of its resource types share."""

from collections.abc import Callable
from typing import Any, ClassVar

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.resource import Resource, Tagging
from localaws.plugins.aws.values import State

TAGGING = Tagging("CreateTags", "DeleteTags", "Resources", many=True, keys="Tags")
# What a leftover network interface of a service that is just going away looks like to a delete.
BUSY = "DependencyViolation"
BUSY_SECONDS = 60


def specified(kind: str, tags: Any) -> list[State] | None:
    """Tags for a create, which EC2 wants together with the kind of thing they are for."""
    return [{"ResourceType": kind, "Tags": tags}] if tags else None


class Ec2Resource(Resource):
    """What EC2's resources share: they are described by lists of ids, and go once nothing depends on them."""

    service = "ec2"
    tagging: ClassVar[Tagging | None] = TAGGING
    naming = ""
    described: ClassVar[tuple[str, str, str]]  # the Describe operation, its parameter for ids, the answer's list
    gone_states: ClassVar[frozenset[str]] = frozenset()  # of `State`: as good as not there

    def find_one(self, aws: Aws, identity: str) -> State | None:
        """AWS's description, or None."""
        operation, ids, items = self.described
        answer = self.find(aws, operation, **{ids: [identity]})
        found: list[State] = answer[items] if answer else []
        return found[0] if found and found[0].get("State") not in self.gone_states else None

    def unless_busy(self, aws: Aws, what: str, delete: Callable[[], object]) -> None:
        """Delete as soon as nothing depends on it any more."""

        def deleted() -> bool:
            try:
                delete()
            except AwsError as error:
                if error.code == BUSY and waited:
                    return False
                raise
            return True

        waited = True
        try:
            aws.until(deleted, f"what depends on {what} to be gone", BUSY_SECONDS)
        except AwsError as error:
            if "not reached" not in str(error):
                raise
            waited = False  # the last word is AWS's own
            deleted()
