"""ECS: services."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.cluster import NAME_CHECKS
from localaws.plugins.aws.comparing import Change
from localaws.plugins.aws.fields import block, flag, many, output, table, tagged, text, unordered, whole
from localaws.plugins.aws.resource import Resource
from localaws.plugins.aws.rules import between, is_arn
from localaws.plugins.aws.taskdefinition import TAGGING
from localaws.plugins.aws.values import State

GONE = ("INACTIVE", "DRAINING")
STEADY_SECONDS = 20 * 60  # the official provider's own patience with a deployment


def same_thing(one: str, other: str) -> bool:
    """Whether a name and an ARN, or two of either, mean the same: ECS takes both and answers the ARN."""
    return one.rpartition("/")[2] == other.rpartition("/")[2]


NETWORK = block(
    {
        "subnets": unordered(text(), required=True),
        "assignPublicIp": flag(default=False),
        "securityGroups": unordered(text(), computed=True),
    }
)
LOAD_BALANCER = block(
    {
        "containerName": text(required=True),
        "containerPort": whole(required=True, checks=(between(0, 65536),)),
        "elbName": text(aws="loadBalancerName"),
        "targetGroupArn": text(checks=(is_arn,)),
    }
)
STRATEGY = block({"capacityProvider": text(required=True), "base": whole(), "weight": whole()})
DEPLOYMENT = ("deploymentMaximumPercent", "deploymentMinimumHealthyPercent", "deploymentCircuitBreaker", "alarms")
# What UpdateService takes under Pulumi's own name.
UPDATABLE = (
    "availabilityZoneRebalancing",
    "desiredCount",
    "enableEcsManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "loadBalancers",
    "orderedPlacementStrategies",
    "placementConstraints",
    "platformVersion",
    "propagateTags",
    "serviceRegistries",
    "taskDefinition",
    "capacityProviderStrategies",
)


class Service(Resource):
    """A service; its id is its ARN, it is imported as `cluster/service`."""

    token, label, service = "aws:ecs/service:Service", "ECS Service", "ecs"
    missing = frozenset({"ServiceNotFoundException", "ClusterNotFoundException", "ServiceNotActiveException"})
    capitals = False
    tagging = TAGGING
    fields = tagged(
        {
            "alarms": block(
                {
                    "alarmNames": unordered(text(), required=True),
                    "enable": flag(required=True),
                    "rollback": flag(required=True),
                }
            ),
            "availabilityZoneRebalancing": text(computed=True, choices=("ENABLED", "DISABLED")),
            "capacityProviderStrategies": unordered(STRATEGY, aws="capacityProviderStrategy"),
            "cluster": text(computed=True, replaces=True, same=same_thing, aws="clusterArn"),
            "deploymentCircuitBreaker": block({"enable": flag(required=True), "rollback": flag(required=True)}),
            "deploymentConfiguration": block(
                {"bakeTimeInMinutes": text(computed=True), "strategy": text(computed=True)}, computed=True
            ),
            "deploymentController": block(
                {"type": text(default="ECS", choices=("ECS", "CODE_DEPLOY", "EXTERNAL"))}, replaces=True
            ),
            "deploymentMaximumPercent": whole(default=200),
            "deploymentMinimumHealthyPercent": whole(default=100),
            "desiredCount": whole(checks=(between(0, 5000),)),
            "enableEcsManagedTags": flag(default=False, aws="enableECSManagedTags"),
            "enableExecuteCommand": flag(default=False),
            "forceDelete": flag(local=True),
            "forceNewDeployment": flag(local=True),
            "healthCheckGracePeriodSeconds": whole(checks=(between(0, 2147483647),)),
            "iamRole": text(computed=True, replaces=True, same=same_thing, aws="roleArn"),
            "launchType": text(
                computed=True, replaces=True, choices=("EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES")
            ),
            "loadBalancers": unordered(LOAD_BALANCER),
            "name": text(computed=True, replaces=True, autoname=255, aws="serviceName", checks=NAME_CHECKS),
            "networkConfiguration": NETWORK,
            "orderedPlacementStrategies": many(
                block({"type": text(required=True), "field": text()}), aws="placementStrategy"
            ),
            "placementConstraints": unordered(block({"type": text(required=True), "expression": text()})),
            "platformVersion": text(computed=True),
            "propagateTags": text(choices=("SERVICE", "TASK_DEFINITION", "NONE")),
            "schedulingStrategy": text(replaces=True, default="REPLICA", choices=("REPLICA", "DAEMON")),
            "serviceRegistries": block(
                {
                    "registryArn": text(required=True, checks=(is_arn,)),
                    "containerName": text(),
                    "containerPort": whole(),
                    "port": whole(),
                }
            ),
            "sigintRollback": flag(local=True),
            "taskDefinition": text(same=same_thing),
            "triggers": table(local=True, computed=True),
            "waitForSteadyState": flag(local=True, default=False),
            "arn": output(text(aws="serviceArn")),
        }
    )

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        if not inputs.get("taskDefinition") and inputs.get("deploymentController", {}).get("type") != "EXTERNAL":
            yield "taskDefinition", "is required unless the deployment controller is EXTERNAL"
        if inputs.get("launchType") and inputs.get("capacityProviderStrategies"):
            yield "launchType", "conflicts with `capacityProviderStrategies`; give one of the two"
        if inputs.get("healthCheckGracePeriodSeconds") and not inputs.get("loadBalancers"):
            yield "healthCheckGracePeriodSeconds", "is only valid for services with `loadBalancers`"

    def suppressed(self, change: Change, old: State, new: State) -> bool:
        if change.top in {"deploymentCircuitBreaker", "alarms", "deploymentController"} and not new.get(change.top):
            return True  # AWS keeps the block; the official provider leaves it alone too
        if change.top == "propagateTags":
            return old.get("propagateTags", "NONE") == "NONE" and not new.get("propagateTags")
        return new.get("schedulingStrategy") == "DAEMON" and change.top in {"desiredCount", *DEPLOYMENT[:2]}

    def create(self, aws: Aws, inputs: State) -> str:
        names = (*UPDATABLE, "deploymentController", "launchType", "name", "schedulingStrategy")
        given = _shaped(self, inputs, names)
        daemon = inputs["schedulingStrategy"] == "DAEMON"
        given["desiredCount"] = None if daemon else inputs.get("desiredCount", 0)
        answer = self.ask(
            aws,
            "CreateService",
            **given,
            cluster=inputs.get("cluster"),
            role=inputs.get("iamRole"),
            deploymentConfiguration=_deployment(inputs),
            networkConfiguration=_network(inputs),
            tags=self.tags(inputs),
        )
        return str(answer["service"]["serviceArn"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        if inputs.get("waitForSteadyState"):
            wanted = inputs.get("taskDefinition", "")
            cluster = inputs.get("cluster", "")
            aws.until(
                lambda: self._steady(aws, identity, cluster, wanted),
                f"ECS Service ({identity}) to be steady",
                STEADY_SECONDS,
            )

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self._find(aws, identity, prior.get("cluster", ""))
        if found is None or found["status"] in GONE:
            return None
        return _state(self, found)

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        given = _shaped(
            self, {**{name: _cleared(name) for name in changed}, **new}, [name for name in UPDATABLE if name in changed]
        )
        if changed & {*DEPLOYMENT, "deploymentConfiguration"}:
            given["deploymentConfiguration"] = _deployment(new)
        if "networkConfiguration" in changed:
            given["networkConfiguration"] = _network(new)
        if new.get("forceNewDeployment"):
            given["forceNewDeployment"] = True
        if given:
            self.ask(aws, "UpdateService", cluster=new.get("cluster"), service=identity, **given)

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        cluster = state.get("cluster", "")
        found = self._find(aws, identity, cluster)
        if found is None or found["status"] == "INACTIVE":
            return
        if found["status"] != "DRAINING":
            if found.get("schedulingStrategy") != "DAEMON" and not state.get("forceDelete"):
                self.ask(aws, "UpdateService", cluster=cluster or None, service=identity, desiredCount=0)
            force = True if state.get("forceDelete") else None
            self.ask(aws, "DeleteService", cluster=cluster or None, service=identity, force=force)
        aws.until(
            lambda: (self._find(aws, identity, cluster) or {"status": "INACTIVE"})["status"] == "INACTIVE",
            f"ECS Service ({identity}) to drain",
            STEADY_SECONDS,
        )

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        cluster, _, name = imported.rpartition("/")
        if imported.startswith("arn:"):
            return imported, {"cluster": aws.arn("ecs", f"cluster/{imported.split('/')[1]}")}
        if not cluster:
            raise AwsError(f"import it as CLUSTER_NAME/SERVICE_NAME, not as {imported!r}")
        return aws.arn("ecs", f"service/{cluster}/{name}"), {"cluster": aws.arn("ecs", f"cluster/{cluster}")}

    def _find(self, aws: Aws, identity: str, cluster: str) -> State | None:
        found = self.ask(aws, "DescribeServices", cluster=cluster or None, services=[identity], include=["TAGS"])[
            "services"
        ]
        return found[0] if found else None

    def _steady(self, aws: Aws, identity: str, cluster: str, wanted: str) -> bool:
        """Whether the wanted revision runs everywhere. Raises AwsError once it is clear that it never will."""
        found = self._find(aws, identity, cluster)
        if found is None:
            raise AwsError("the service is gone")
        deployments = found.get("deployments", [])
        primary: State = next((item for item in deployments if item["status"] == "PRIMARY"), {})
        reason = next(
            (item.get("rolloutStateReason", "") for item in deployments if item.get("rolloutState") == "FAILED"), ""
        )
        if wanted and primary and not same_thing(primary["taskDefinition"], wanted):
            runs = primary["taskDefinition"].rpartition("/")[2]
            why = reason or (found.get("events") or [{}])[0].get("message", "")
            raise AwsError(
                f"the deployment of {wanted.rpartition('/')[2]} was rolled back to {runs}: {why}".rstrip(": ")
            )
        if primary.get("rolloutState") == "FAILED":
            raise AwsError(f"the deployment of {wanted.rpartition('/')[2]} failed: {reason}".rstrip(": "))
        settled = primary.get("rolloutState", "COMPLETED") == "COMPLETED" and len(deployments) == 1
        return settled and found.get("runningCount") == found.get("desiredCount")


def _shaped(kind: Service, given: State, names: Iterable[str]) -> State:
    shaped = kind.shaped(given, *names)
    if "serviceRegistries" in shaped:
        shaped["serviceRegistries"] = [shaped["serviceRegistries"]] if shaped["serviceRegistries"] else []
    return shaped


def _cleared(name: str) -> Any:
    """What takes an optional property away again."""
    return {
        "healthCheckGracePeriodSeconds": 0,
        "desiredCount": 0,
        "propagateTags": "NONE",
        "serviceRegistries": {},
    }.get(name, [])


def _deployment(given: State) -> State:
    shaped = {
        "maximumPercent": given.get("deploymentMaximumPercent"),
        "minimumHealthyPercent": given.get("deploymentMinimumHealthyPercent"),
        "deploymentCircuitBreaker": given.get("deploymentCircuitBreaker"),
        "alarms": given.get("alarms"),
        "strategy": given.get("deploymentConfiguration", {}).get("strategy"),
    }
    if given.get("schedulingStrategy") == "DAEMON":
        del shaped["maximumPercent"]
    return {name: value for name, value in shaped.items() if value is not None}


def _network(given: State) -> State | None:
    network = given.get("networkConfiguration")
    if not network:
        return None
    public = "ENABLED" if network.get("assignPublicIp") else "DISABLED"
    groups = network.get("securityGroups") or []
    return {"awsvpcConfiguration": {"subnets": network["subnets"], "securityGroups": groups, "assignPublicIp": public}}


def _state(kind: Service, found: State) -> State:
    deployment = found.get("deploymentConfiguration") or {}
    network = (found.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    registries = found.get("serviceRegistries") or [None]
    plain = kind.plain(
        {**found, "serviceRegistries": registries[0], "networkConfiguration": None, "deploymentConfiguration": None}
    )
    bake = deployment.get("bakeTimeInMinutes", 0)
    return {
        **plain,
        "iamRole": found.get("roleArn") or "/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "deploymentMaximumPercent": deployment.get("maximumPercent"),
        "deploymentMinimumHealthyPercent": deployment.get("minimumHealthyPercent"),
        "deploymentCircuitBreaker": deployment.get("deploymentCircuitBreaker"),
        "alarms": deployment.get("alarms") if (deployment.get("alarms") or {}).get("alarmNames") else None,
        "deploymentConfiguration": {"bakeTimeInMinutes": str(bake), "strategy": deployment.get("strategy", "ROLLING")},
        "networkConfiguration": network
        and {
            "subnets": network["subnets"],
            "securityGroups": network.get("securityGroups", []),
            "assignPublicIp": network.get("assignPublicIp") == "ENABLED",
        },
        "tagsAll": TAGGING.plain(found.get("tags")),
    }
