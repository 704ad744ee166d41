"""The account and region that a call is made in: each has an X-Ray of its own."""

from dataclasses import dataclass

from moto.utilities.utils import get_partition


@dataclass(frozen=True)
class Place:
    """An account and a region."""

    account: str
    region: str

    @property
    def scope(self) -> str:
        """What keeps its data apart from that of others in the store."""
        return f"{self.account}/{self.region}"

    def arn(self, resource: str) -> str:
        """Return the ARN of a resource of X-Ray here, such as group/Default."""
        return f"arn:{get_partition(self.region)}:xray:{self.region}:{self.account}:{resource}"
