"""What IAM has to allow the caller: for each type of resource that the stacks have, and for what the scripts ask.

`python -m automation.permissions` prints it as a policy, which is docs/caller-policy.json; preflight asks IAM whether
the caller has it. Source: the Service Authorization Reference, and the permissions of CloudFormation's handlers.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services import SERVICES
from services.fleet_model import Platform
from services.tracing import POLICY_ARN

NAME = "ecs-tracing-deploys"
FILE = "docs/caller-policy.json"
ACCOUNT = "*"  # in a policy for whichever account

# The names that Pulumi makes of those in services/task.py.
_ROLES = tuple(f"arn:aws:iam::{ACCOUNT}:role/*-{kind}-role-*" for kind in ("task", "execution"))
_LOGS = (f"arn:aws:logs:*:{ACCOUNT}:log-group:*-logs-*",)
_CLUSTER = Platform().cluster
_IN_CLUSTER = tuple(
    f"arn:aws:ecs:*:{ACCOUNT}:{kind}" for kind in (f"cluster/{_CLUSTER}", f"*/{_CLUSTER}/*", "task-definition/*")
)


@dataclass(frozen=True, kw_only=True)
class Right:
    """Actions of one AWS service that types of resources take; no `types`: that the scripts take themselves."""

    sid: str
    actions: Sequence[str]  # with the service
    types: Sequence[str] = ()  # Pulumi's, without "aws:"
    resources: Sequence[str] = ("*",)  # ARNs; ACCOUNT stands for the account's number
    condition: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # as in a policy
    by_default: bool = True  # False: only with what a deployment does not have unless it is configured
    needed: bool = True  # False: without it something is not looked at, but all is deployed

    def statement(self) -> dict[str, Any]:
        """As a policy has it."""
        statement: dict[str, Any] = {"Sid": self.sid, "Effect": "Allow", "Action": sorted(self.actions)}
        resources = list(self.resources)
        statement["Resource"] = resources if len(resources) > 1 else resources[0]
        return {**statement, "Condition": self.condition} if self.condition else statement


def _actions(service: str, words: str) -> tuple[str, ...]:
    return tuple(f"{service}:{action}" for action in words.split())


_ROLE_ACTIONS = _actions(
    "iam",
    "CreateRole DeleteRole DeleteRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies "
    "ListInstanceProfilesForRole ListRolePolicies ListRoleTags PutRolePolicy TagRole UntagRole "
    "UpdateAssumeRolePolicy UpdateRole",
)
_HOST = ("ec2/instance:Instance", "iam/instanceProfile:InstanceProfile")
_HOST_ROLE = (f"arn:aws:iam::{ACCOUNT}:role/*-load-test-host-role-*",)
_VPC = (
    "ec2/vpc:Vpc", "ec2/subnet:Subnet", "ec2/internetGateway:InternetGateway", "ec2/eip:Eip",
    "ec2/natGateway:NatGateway", "ec2/routeTable:RouteTable", "ec2/route:Route",
    "ec2/routeTableAssociation:RouteTableAssociation", "ec2/securityGroup:SecurityGroup",
    "vpc/securityGroupEgressRule:SecurityGroupEgressRule", "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
)  # fmt: skip

RIGHTS: Sequence[Right] = (
    Right(
        sid="Network",
        types=_VPC,
        actions=_actions(
            "ec2",
            "AllocateAddress AssociateRouteTable AttachInternetGateway AuthorizeSecurityGroupEgress "
            "AuthorizeSecurityGroupIngress CreateInternetGateway CreateNatGateway CreateRoute CreateRouteTable "
            "CreateSecurityGroup CreateSubnet CreateTags CreateVpc DeleteInternetGateway DeleteNatGateway DeleteRoute "
            "DeleteRouteTable DeleteSecurityGroup DeleteSubnet DeleteTags DeleteVpc DescribeAddresses "
            "DescribeAddressesAttribute DescribeAvailabilityZones DescribeInternetGateways DescribeNatGateways "
            "DescribeNetworkAcls DescribeNetworkInterfaces DescribeRegions DescribeRouteTables "
            "DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets DescribeVpcAttribute DescribeVpcs "
            "DetachInternetGateway DisassociateAddress DisassociateRouteTable ModifySecurityGroupRules "
            "ModifySubnetAttribute ModifyVpcAttribute ReleaseAddress ReplaceRoute ReplaceRouteTableAssociation "
            "RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
        ),
    ),
    Right(
        sid="LoadBalancer",
        types=("lb/listener:Listener", "lb/loadBalancer:LoadBalancer", "lb/targetGroup:TargetGroup"),
        actions=_actions(
            "elasticloadbalancing",
            "AddTags CreateListener CreateLoadBalancer CreateTargetGroup DeleteListener DeleteLoadBalancer "
            "DeleteTargetGroup DescribeCapacityReservation DescribeListenerAttributes DescribeListeners "
            "DescribeLoadBalancerAttributes DescribeLoadBalancers DescribeTags DescribeTargetGroupAttributes "
            "DescribeTargetGroups DescribeTargetHealth ModifyListener ModifyListenerAttributes "
            "ModifyLoadBalancerAttributes ModifyTargetGroup ModifyTargetGroupAttributes RemoveTags SetIpAddressType "
            "SetSecurityGroups SetSubnets",
        ),
    ),
    Right(
        sid="Cluster",
        types=("ecs/cluster:Cluster", "ecs/service:Service"),
        actions=_actions(
            "ecs",
            "CreateCluster CreateService DeleteCluster DeleteService DescribeClusters DescribeServices DescribeTasks "
            "DescribeServiceDeployments ListServiceDeployments ListTagsForResource TagResource UntagResource "
            "UpdateCluster UpdateClusterSettings UpdateService",
        ),
        resources=_IN_CLUSTER,
    ),
    Right(
        sid="Tasks",  # ECS narrows none of these to a resource
        types=("ecs/taskDefinition:TaskDefinition",),
        actions=_actions(
            "ecs",
            "DeregisterTaskDefinition DescribeTaskDefinition ListTaskDefinitions ListTasks RegisterTaskDefinition",
        ),
    ),
    Right(
        sid="CloudMap",
        types=("servicediscovery/privateDnsNamespace:PrivateDnsNamespace", "servicediscovery/service:Service"),
        actions=(
            *_actions(
                "servicediscovery",
                "CreatePrivateDnsNamespace CreateService DeleteNamespace DeleteService DeregisterInstance GetNamespace "
                "GetOperation GetService ListInstances ListTagsForResource TagResource UntagResource "
                "UpdatePrivateDnsNamespace UpdateService",
            ),
            *_actions(
                "route53",
                "ChangeResourceRecordSets CreateHostedZone DeleteHostedZone GetHostedZone ListHostedZonesByName",
            ),
        ),
    ),
    Right(
        sid="Roles",
        types=("iam/role:Role", "iam/rolePolicy:RolePolicy", "iam/rolePolicyAttachment:RolePolicyAttachment"),
        actions=_ROLE_ACTIONS,
        resources=_ROLES,
    ),
    Right(
        sid="XRayPolicy",
        types=("iam/rolePolicyAttachment:RolePolicyAttachment",),
        actions=_actions("iam", "AttachRolePolicy DetachRolePolicy"),
        resources=_ROLES,
        condition={"ArnEquals": {"iam:PolicyARN": POLICY_ARN}},
    ),
    Right(
        sid="PassRoles",
        types=("ecs/taskDefinition:TaskDefinition",),
        actions=_actions("iam", "PassRole"),
        resources=_ROLES,
        condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    ),
    Right(
        sid="Logs",
        types=("cloudwatch/logGroup:LogGroup",),
        actions=_actions(
            "logs",
            "CreateLogGroup DeleteLogGroup DeleteRetentionPolicy FilterLogEvents ListTagsForResource "
            "PutRetentionPolicy TagResource UntagResource",
        ),
        resources=_LOGS,
    ),
    Right(sid="LogGroups", types=("cloudwatch/logGroup:LogGroup",), actions=_actions("logs", "DescribeLogGroups")),
    Right(
        sid="Scaling",
        types=("appautoscaling/policy:Policy", "appautoscaling/target:Target"),
        actions=(
            *_actions(
                "application-autoscaling",
                "DeleteScalingPolicy DeregisterScalableTarget DescribeScalableTargets DescribeScalingPolicies "
                "ListTagsForResource PutScalingPolicy RegisterScalableTarget TagResource UntagResource",
            ),
            *_actions("cloudwatch", "DeleteAlarms DescribeAlarms PutMetricAlarm"),
        ),
    ),
    Right(
        sid="Asked",
        needed=False,
        actions=(
            *_actions("xray", "BatchGetTraces GetServiceGraph GetTraceGraph GetTraceSummaries PutTraceSegments"),
            *_actions("servicequotas", "GetAWSDefaultServiceQuota GetServiceQuota"),
            *_actions("cloudwatch", "GetMetricStatistics"),
            *_actions("iam", "SimulatePrincipalPolicy"),
        ),
    ),
    Right(
        sid="AppMesh",
        by_default=False,
        types=(
            "appmesh/gatewayRoute:GatewayRoute", "appmesh/mesh:Mesh", "appmesh/route:Route",
            "appmesh/virtualGateway:VirtualGateway", "appmesh/virtualNode:VirtualNode",
            "appmesh/virtualRouter:VirtualRouter", "appmesh/virtualService:VirtualService",
        ),
        actions=_actions(
            "appmesh",
            " ".join(
                f"{verb}{kind}"
                for verb in ("Create", "Delete", "Describe", "Update")
                for kind in (
                    "GatewayRoute", "Mesh", "Route", "VirtualGateway", "VirtualNode", "VirtualRouter", "VirtualService"
                )
            )
            + " ListMeshes ListTagsForResource TagResource UntagResource",
        ),
    ),
    Right(
        sid="LoadTestHost",
        by_default=False,
        types=_HOST,
        actions=(
            *_actions(
                "ec2",
                "DescribeImages DescribeInstanceAttribute DescribeInstanceCreditSpecifications "
                "DescribeInstanceTypes DescribeInstances DescribeTags DescribeVolumes ModifyInstanceAttribute "
                "RunInstances TerminateInstances",
            ),
            *_actions(
                "iam",
                "AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile "
                "RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile",
            ),
            *_actions("ssm", "GetParameter"),
        ),
    ),
    Right(
        sid="LoadTestHostRole",
        by_default=False,
        types=_HOST,
        actions=_ROLE_ACTIONS,
        resources=_HOST_ROLE,
    ),
    Right(
        sid="LoadTestHostPolicy",
        by_default=False,
        types=_HOST,
        actions=_actions("iam", "AttachRolePolicy DetachRolePolicy"),
        resources=_HOST_ROLE,
        condition={"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}},
    ),
    Right(
        sid="PassLoadTestHostRole",
        by_default=False,
        types=_HOST,
        actions=_actions("iam", "PassRole"),
        resources=_HOST_ROLE,
        condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
    ),
)  # fmt: skip


def rights() -> Iterator[Right]:
    """RIGHTS, with the clusters of all platforms that there are in the place of the one's."""
    clusters = [platform.cluster for platform in SERVICES.platforms]
    for right in RIGHTS:
        arns = [
            arn.replace(f"/{_CLUSTER}", f"/{cluster}")
            for arn in right.resources
            for cluster in (clusters if f"/{_CLUSTER}" in arn else clusters[:1])
        ]
        yield replace(right, resources=arns)


def policy() -> dict[str, Any]:
    """The least that the caller needs, with the load-test host and App Mesh aside."""
    statements = [right.statement() for right in rights() if right.by_default]
    return {"Version": "2012-10-17", "Statement": statements}


def questions(right: Right, account: str, region: str) -> Iterator[dict[str, Any]]:
    """What to ask SimulatePrincipalPolicy about a right: one question for each kind of its resources."""
    conditions = {"aws:RequestedRegion": region}
    for tests in right.condition.values():
        conditions |= tests
    asked = {
        "ActionNames": sorted(right.actions),
        "ContextEntries": [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in conditions.items()
        ],
    }
    for arn in right.resources:
        yield asked if arn == "*" else {**asked, "ResourceArns": [_example(arn, account, region)]}


def _example(arn: str, account: str, region: str) -> str:
    """One of the ARNs that a pattern stands for."""
    *head, where, _, what = arn.split(":", 5)
    return ":".join([*head, where and region, account, what.replace("*", "x")])


if __name__ == "__main__":
    sys.stdout.write(json.dumps(policy(), indent=2) + "\n")
