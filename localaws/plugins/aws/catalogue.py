"""Which module serves which resource type. Modules are loaded when a program first uses one of their types."""

import importlib
from functools import cache

from localaws.plugins.aws.resource import Resource

MODULES = {
    "aws:appautoscaling/policy:Policy": "autoscaling",
    "aws:appautoscaling/target:Target": "autoscaling",
    "aws:appmesh/gatewayRoute:GatewayRoute": "appmesh",
    "aws:appmesh/mesh:Mesh": "appmesh",
    "aws:appmesh/route:Route": "appmesh",
    "aws:appmesh/virtualGateway:VirtualGateway": "appmesh",
    "aws:appmesh/virtualNode:VirtualNode": "appmesh",
    "aws:appmesh/virtualRouter:VirtualRouter": "appmesh",
    "aws:appmesh/virtualService:VirtualService": "appmesh",
    "aws:cloudwatch/logGroup:LogGroup": "logs",
    "aws:ec2/eip:Eip": "nat",
    "aws:ec2/instance:Instance": "instance",
    "aws:ec2/internetGateway:InternetGateway": "vpc",
    "aws:ec2/natGateway:NatGateway": "nat",
    "aws:ec2/route:Route": "routing",
    "aws:ec2/routeTable:RouteTable": "routing",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "routing",
    "aws:ec2/securityGroup:SecurityGroup": "security",
    "aws:ec2/subnet:Subnet": "vpc",
    "aws:ec2/vpc:Vpc": "vpc",
    "aws:ecs/cluster:Cluster": "cluster",
    "aws:ecs/service:Service": "ecs",
    "aws:ecs/taskDefinition:TaskDefinition": "taskdefinition",
    "aws:iam/instanceProfile:InstanceProfile": "iam",
    "aws:iam/role:Role": "iam",
    "aws:iam/rolePolicy:RolePolicy": "iam",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "iam",
    "aws:lb/listener:Listener": "elbv2",
    "aws:lb/loadBalancer:LoadBalancer": "elbv2",
    "aws:lb/targetGroup:TargetGroup": "targetgroup",
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace": "servicediscovery",
    "aws:servicediscovery/service:Service": "servicediscovery",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "security",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "security",
}


class UnknownTypeError(Exception):
    """A program uses a type that the stand-in does not serve. The message says so."""


@cache
def resource(token: str) -> Resource:
    """The resource type of a token. Raises UnknownTypeError."""
    name = MODULES.get(token)
    if name is None:
        raise UnknownTypeError(
            f"{token} is not among the {len(MODULES)} resource types of the local stand-in of the aws plugin; "
            "use the official plugin for it: LOCALAWS_PLUGINS=official"
        )
    module = importlib.import_module(f"localaws.plugins.aws.{name}")
    kinds: list[type[Resource]] = [known for known in vars(module).values() if isinstance(known, type)]
    return next(kind() for kind in kinds if vars(kind).get("token") == token)
