"""The parts of the AWS SDK that we use, loaded before any program runs (see `services.sdk` for the reasons)."""

from services import sdk

_USED = {
    "appautoscaling": ("Policy", "Target"),
    "appmesh": ("GatewayRoute", "Mesh", "Route", "VirtualGateway", "VirtualNode", "VirtualRouter", "VirtualService"),
    "cloudwatch": ("LogGroup",),
    # The outputs of awsx's Vpc are the others.
    "ec2": (
        *("Eip", "InternetGateway", "NatGateway", "Route", "RouteTable", "RouteTableAssociation", "SecurityGroup"),
        *("Subnet", "Vpc", "VpcEndpoint"),
    ),
    "ecs": ("Cluster", "Service", "ServiceLoadBalancerArgs", "TaskDefinition", "TaskDefinitionProxyConfigurationArgs"),
    "iam": ("Role", "RolePolicy", "RolePolicyAttachment"),
    "lb": ("Listener", "LoadBalancer", "TargetGroup"),
    "servicediscovery": ("PrivateDnsNamespace", "Service"),
    "ssm": (),
    "vpc": ("SecurityGroupEgressRule", "SecurityGroupIngressRule"),
}
sdk.enter(_USED)

from pulumi_aws import appautoscaling, appmesh, cloudwatch, ec2, ecs, iam, lb, servicediscovery, ssm, vpc  # noqa: E402
from pulumi_awsx import ec2 as awsx_ec2  # noqa: E402

__all__ = [
    "appautoscaling",
    "appmesh",
    "awsx_ec2",
    "cloudwatch",
    "ec2",
    "ecs",
    "iam",
    "lb",
    "servicediscovery",
    "ssm",
    "vpc",
]

for _package, _classes in _USED.items():
    for _class in _classes:
        getattr(globals()[_package], _class)
awsx_ec2.Vpc  # noqa: B018 - the access loads it
