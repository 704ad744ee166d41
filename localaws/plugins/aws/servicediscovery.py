"""Cloud Map: private DNS namespaces and the services in them."""

from collections.abc import Set as AbstractSet

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.fields import block, flag, many, output, tagged, text, whole
from localaws.plugins.aws.resource import Resource, Tagging
from localaws.plugins.aws.rules import between, length
from localaws.plugins.aws.values import State

TAGGING = Tagging("TagResource", "UntagResource", "ResourceARN")
LONGEST_NAMESPACE, LONGEST_SERVICE = 253, 127  # characters of a name


class PrivateDnsNamespace(Resource):
    """A namespace with a private zone in a VPC. AWS makes it in the background; so every change is waited for."""

    token, label = (
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
        "Service Discovery Private DNS Namespace",
    )
    service = "servicediscovery"
    missing = frozenset({"NamespaceNotFound"})
    tagging = TAGGING
    fields = tagged(
        {
            "description": text(),
            "name": text(
                computed=True, replaces=True, autoname=LONGEST_NAMESPACE, checks=(length(1, LONGEST_NAMESPACE),)
            ),
            "vpc": text(required=True, replaces=True, local=True),
            "arn": output(text()),
            "hostedZone": output(text()),
        }
    )

    def create(self, aws: Aws, inputs: State) -> str:
        given = {"Name": inputs["name"], "Vpc": inputs["vpc"], "Description": inputs.get("description")}
        started = self.ask(aws, "CreatePrivateDnsNamespace", **given, Tags=self.tags(inputs))
        return str(self._wait(aws, started["OperationId"])["NAMESPACE"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        namespace = self.ask(aws, "GetNamespace", Id=identity)["Namespace"]
        zone = namespace.get("Properties", {}).get("DnsProperties", {}).get("HostedZoneId")
        tags = self.ask(aws, "ListTagsForResource", ResourceARN=namespace["Arn"])
        return {**self.plain(namespace), "hostedZone": zone, "tagsAll": TAGGING.plain(tags.get("Tags"))}

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        change = {"Description": new.get("description", "")}
        self._wait(aws, self.ask(aws, "UpdatePrivateDnsNamespace", Id=identity, Namespace=change)["OperationId"])

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        self._wait(aws, self.ask(aws, "DeleteNamespace", Id=identity)["OperationId"])

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        identity, _, vpc = imported.partition(":")
        if not vpc:
            raise AwsError(f"import it as NAMESPACE_ID:VPC_ID, not as {imported!r}")
        return identity, {"vpc": vpc}

    def target(self, identity: str, state: State) -> str:
        return str(state["arn"])

    def _wait(self, aws: Aws, operation: str) -> State:
        """The targets of the operation, once it has succeeded."""
        seen: State = {}

        def finished() -> bool:
            seen.update(self.ask(aws, "GetOperation", OperationId=operation)["Operation"])
            return seen["Status"] in {"SUCCESS", "FAIL"}

        aws.until(finished, f"Cloud Map operation {operation}")
        if seen["Status"] == "FAIL":
            raise AwsError(
                f"Cloud Map operation {operation} failed: {seen.get('ErrorMessage') or seen.get('ErrorCode')}"
            )
        targets: State = seen.get("Targets", {})
        return targets


class Service(Resource):
    """A service whose instances are found by name; its id is AWS's `srv-…`."""

    token, label = "aws:servicediscovery/service:Service", "Service Discovery Service"
    service = "servicediscovery"
    missing = frozenset({"ServiceNotFound"})
    tagging = TAGGING
    fields = tagged(
        {
            "description": text(),
            "dnsConfig": block(
                {
                    "dnsRecords": many(
                        block(
                            {
                                "ttl": whole(required=True, aws="TTL", checks=(between(0, 2147483647),)),
                                "type": text(required=True, replaces=True, choices=("SRV", "A", "AAAA", "CNAME")),
                            }
                        ),
                        required=True,
                    ),
                    "namespaceId": text(required=True, replaces=True),
                    "routingPolicy": text(replaces=True, default="MULTIVALUE", choices=("MULTIVALUE", "WEIGHTED")),
                }
            ),
            "forceDestroy": flag(local=True, default=False),
            "healthCheckConfig": block(
                {
                    "failureThreshold": whole(checks=(between(1, 10),)),
                    "resourcePath": text(),
                    "type": text(replaces=True, choices=("HTTP", "HTTPS", "TCP")),
                }
            ),
            # AWS ignores the threshold and always uses 1; the official provider compares what is given all the same.
            "healthCheckCustomConfig": block({"failureThreshold": whole(replaces=True)}, replaces=True),
            "name": text(computed=True, replaces=True, autoname=LONGEST_SERVICE, checks=(length(1, LONGEST_SERVICE),)),
            "namespaceId": text(computed=True, replaces=True),
            "type": text(computed=True, replaces=True, choices=("HTTP",)),
            "arn": output(text()),
        }
    )

    def create(self, aws: Aws, inputs: State) -> str:
        names = (
            "name",
            "description",
            "namespaceId",
            "dnsConfig",
            "healthCheckConfig",
            "healthCheckCustomConfig",
            "type",
        )
        given = self.shaped(inputs, *names)
        return str(self.ask(aws, "CreateService", **given, Tags=self.tags(inputs))["Service"]["Id"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.ask(aws, "GetService", Id=identity)["Service"]
        dns = found.get("DnsConfig") or {}
        # One place is enough for AWS, and where it answers depends on its mood.
        namespace = found.get("NamespaceId") or dns.get("NamespaceId")
        if dns:
            dns["NamespaceId"] = dns.get("NamespaceId") or namespace
        tags = self.ask(aws, "ListTagsForResource", ResourceARN=found["Arn"])
        return {**self.plain(found), "namespaceId": namespace, "tagsAll": TAGGING.plain(tags.get("Tags"))}

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        given = self.shaped(new, "description", "healthCheckConfig")
        if new.get("dnsConfig"):
            given["DnsConfig"] = {"DnsRecords": self.shaped(new, "dnsConfig")["DnsConfig"]["DnsRecords"]}
        if "description" in changed:
            given.setdefault("Description", "")
        started = self.ask(aws, "UpdateService", Id=identity, Service=given)
        operation = started["OperationId"]

        def finished() -> bool:
            status = self.ask(aws, "GetOperation", OperationId=operation)["Operation"]["Status"]
            return status in {"SUCCESS", "FAIL"}

        aws.until(finished, f"Cloud Map operation {operation}")

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        if state.get("forceDestroy"):
            for instance in aws.pages(self.service, "ListInstances", "Instances", ServiceId=identity):
                self.ask(aws, "DeregisterInstance", ServiceId=identity, InstanceId=instance["Id"])
        aws.until(lambda: self._deleted(aws, identity), f"the instances of {identity} to be deregistered", seconds=60)

    def target(self, identity: str, state: State) -> str:
        return str(state["arn"])

    def _deleted(self, aws: Aws, identity: str) -> bool:
        """Deregistering goes on in the background: while instances are left AWS refuses to delete."""
        try:
            self.ask(aws, "DeleteService", Id=identity)
        except AwsError as error:
            if error.code != "ResourceInUse":
                raise
            return False
        return True
