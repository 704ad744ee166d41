"""What differs between two runs of the program that tests the aws stand-in, and what it takes over."""

import dataclasses
from collections.abc import Mapping

import pulumi

XRAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
MESH_ACCESS = "arn:aws:iam::aws:policy/AWSAppMeshEnvoyAccess"


@dataclasses.dataclass
class Variant:
    """What differs between two runs of the program."""

    purpose: str = "test"  # a tag on everything that has tags
    retention: int = 7  # days
    health_interval: int = 30  # seconds
    names: str = "a"  # part of the names of things that are named by hand
    about: str = "shared"  # the security group's description
    cidr: str = "10.0.0.0/24"
    port: int = 3000
    weight: int = 1
    policy: str = XRAY
    actions: tuple[str, ...] = ("logs:CreateLogStream", "logs:PutLogEvents")
    insights: str = "enabled"
    level: str = "info"  # the Envoy's log level, in the task definition
    ttl: int = 60  # seconds
    description: str = "first"
    dns_hostnames: bool = True
    maximum: int = 10  # tasks
    target: float = 50  # percent of the CPU
    minimum_healthy: int = 50  # percent
    instance_type: str = "t3.medium"
    egress: str = "DROP_ALL"
    log_path: str = "/dev/stdout"
    public_ip: bool = False

    @property
    def tags(self) -> dict[str, str]:
        """The tags of everything that has tags."""
        return {"purpose": self.purpose}


@dataclasses.dataclass(frozen=True)
class Adoption:
    """What exists already and is taken over in place of being made.

    `imported` are its ids by logical name, `names` those that were made up for what the program does not name itself.
    """

    imported: Mapping[str, str] = dataclasses.field(default_factory=dict)
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def name(self, logical: str) -> str | None:
        """The name of what the program leaves to the provider to name."""
        return self.names.get(logical)

    def options(self, logical: str, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """The options of a resource."""
        return pulumi.ResourceOptions(import_=self.imported.get(logical), depends_on=list(after))
