"""Application Auto Scaling: what may be scaled, and by which policy."""

from collections.abc import Set as AbstractSet

from localaws.plugins.aws.aws import Aws, AwsError
from localaws.plugins.aws.fields import block, flag, number, output, regional, tagged, text, unordered, whole
from localaws.plugins.aws.resource import Resource, Tagging
from localaws.plugins.aws.rules import between, length
from localaws.plugins.aws.values import State

TAGGING = Tagging("TagResource", "UntagResource", "ResourceARN", listed=None)
SERVICE = "application-autoscaling"
KEY = ("serviceNamespace", "resourceId", "scalableDimension")
IDENTITY = {name: text(required=True, replaces=True) for name in KEY}
LONGEST_NAME = 255  # characters


class Target(Resource):
    """A number that may be scaled, within bounds; its id is the resource's, such as service/cluster/service."""

    token, label, service = "aws:appautoscaling/target:Target", "Application AutoScaling Target", SERVICE
    missing = frozenset({"ObjectNotFoundException"})
    tagging = TAGGING
    naming = "resourceId"
    fields = tagged(
        {
            **IDENTITY,
            "maxCapacity": whole(required=True, checks=(between(0, 2147483647),)),
            "minCapacity": whole(required=True, checks=(between(0, 2147483647),)),
            "roleArn": text(computed=True, aws="RoleARN"),
            "suspendedState": block(
                {
                    "dynamicScalingInSuspended": flag(computed=True),
                    "dynamicScalingOutSuspended": flag(computed=True),
                    "scheduledScalingSuspended": flag(computed=True),
                },
                computed=True,
            ),
            "arn": output(text(aws="ScalableTargetARN")),
        }
    )

    def verify(self, inputs: State) -> list[tuple[str, str]]:
        low, high = inputs["minCapacity"], inputs["maxCapacity"]
        if isinstance(low, int) and isinstance(high, int) and low > high:
            return [("minCapacity", f"must not be greater than `maxCapacity` ({high}), but is {low}")]
        return []

    def create(self, aws: Aws, inputs: State) -> str:
        names = (*KEY, "maxCapacity", "minCapacity", "roleArn", "suspendedState")
        self.ask(aws, "RegisterScalableTarget", **self.shaped(inputs, *names), Tags=self.tags(inputs))
        return str(inputs["resourceId"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = next(
            iter(
                self.ask(
                    aws,
                    "DescribeScalableTargets",
                    ServiceNamespace=prior["serviceNamespace"],
                    ResourceIds=[identity],
                    ScalableDimension=prior["scalableDimension"],
                )["ScalableTargets"]
            ),
            None,
        )
        if found is None:
            return None
        arn = found.get("ScalableTargetARN")
        tags = self.ask(aws, "ListTagsForResource", ResourceARN=arn).get("Tags", {}) if arn else {}
        return {**self.plain(found), "tagsAll": TAGGING.plain(tags)}

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        names = (*KEY, "maxCapacity", "minCapacity", "roleArn", "suspendedState")
        self.ask(aws, "RegisterScalableTarget", **self.shaped(new, *names))

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        self.ask(aws, "DeregisterScalableTarget", **self.shaped(state, *KEY))

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        namespace, _, rest = imported.partition("/")
        resource, _, dimension = rest.rpartition("/")
        if not resource:
            raise AwsError(f"import it as SERVICE_NAMESPACE/RESOURCE_ID/SCALABLE_DIMENSION, not as {imported!r}")
        return resource, dict(zip(KEY, (namespace, resource, dimension), strict=True))

    def target(self, identity: str, state: State) -> str:
        return str(state["arn"])


TRACKING = block(
    {
        "customizedMetricSpecification": block(
            {
                "dimensions": unordered(block({"name": text(required=True), "value": text(required=True)})),
                "metricName": text(),
                "namespace": text(),
                "statistic": text(choices=("Average", "Minimum", "Maximum", "SampleCount", "Sum")),
                "unit": text(),
            }
        ),
        "disableScaleIn": flag(default=False),
        "predefinedMetricSpecification": block({"predefinedMetricType": text(required=True), "resourceLabel": text()}),
        "scaleInCooldown": whole(),
        "scaleOutCooldown": whole(),
        "targetValue": number(required=True),
    }
)
STEPS = block(
    {
        "adjustmentType": text(choices=("ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity")),
        "cooldown": whole(),
        "metricAggregationType": text(choices=("Average", "Minimum", "Maximum")),
        "minAdjustmentMagnitude": whole(),
        "stepAdjustments": unordered(
            block(
                {
                    "metricIntervalLowerBound": number(),
                    "metricIntervalUpperBound": number(),
                    "scalingAdjustment": whole(required=True),
                }
            )
        ),
    }
)


class Policy(Resource):
    """How a target is scaled; its id is its name."""

    token, label, service = "aws:appautoscaling/policy:Policy", "Application AutoScaling Policy", SERVICE
    missing = frozenset({"ObjectNotFoundException"})
    fields = regional(
        {
            **IDENTITY,
            "name": text(
                computed=True, replaces=True, autoname=LONGEST_NAME, aws="PolicyName", checks=(length(1, LONGEST_NAME),)
            ),
            "policyType": text(
                default="StepScaling", choices=("StepScaling", "TargetTrackingScaling", "PredictiveScaling")
            ),
            "stepScalingPolicyConfiguration": STEPS,
            "targetTrackingScalingPolicyConfiguration": TRACKING,
            "alarmArns": output(unordered(text())),
            "arn": output(text(aws="PolicyARN")),
        }
    )
    GIVEN = (*KEY, "name", "policyType", "stepScalingPolicyConfiguration", "targetTrackingScalingPolicyConfiguration")

    def create(self, aws: Aws, inputs: State) -> str:
        self.ask(aws, "PutScalingPolicy", **self.shaped(inputs, *self.GIVEN))
        return str(inputs["name"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = next(
            iter(
                self.ask(
                    aws,
                    "DescribeScalingPolicies",
                    PolicyNames=[identity],
                    ServiceNamespace=prior["serviceNamespace"],
                    ResourceId=prior["resourceId"],
                    ScalableDimension=prior["scalableDimension"],
                )["ScalingPolicies"]
            ),
            None,
        )
        if found is None:
            return None
        return {**self.plain(found), "alarmArns": [alarm["AlarmARN"] for alarm in found.get("Alarms", ())]}

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        self.ask(aws, "PutScalingPolicy", **self.shaped(new, *self.GIVEN))

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        self.ask(aws, "DeleteScalingPolicy", **self.shaped(state, *KEY, "name"))

    def locate(self, aws: Aws, imported: str) -> tuple[str, State]:
        namespace, _, rest = imported.partition("/")
        front, _, name = rest.rpartition("/")
        resource, _, dimension = front.rpartition("/")
        if not resource:
            raise AwsError(
                f"import it as SERVICE_NAMESPACE/RESOURCE_ID/SCALABLE_DIMENSION/POLICY_NAME, not as {imported!r}"
            )
        return name, {**dict(zip(KEY, (namespace, resource, dimension), strict=True)), "name": name}
