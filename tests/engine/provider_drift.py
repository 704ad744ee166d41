"""Changes that somebody makes by hand, to nearly every resource of the program, and what a refresh must find."""

import json
from typing import Any

from tests.engine.provider_support import Stage
from tests.engine.provider_variant import XRAY

OWNER = {"tags.owner", "tagsAll.owner"}
LISTENER = "spec.listeners[0].portMapping.port"
DELETED = ("attachment", "egress", "way")
DRIFT = {
    "network": {"enableDnsHostnames"},
    "public": {"mapPublicIpOnLaunch"},
    **dict.fromkeys(("gateway", "address", "nat", "outward", "shared", "task"), OWNER),
    "inward": {"routes[0]"},
    "default": {"gatewayId"},
    "association": {"routeTableId"},
    "ingress": {"fromPort", "toPort"},
    "inline": {"ingress[1]"},
    "role": {"description"},
    "policy": {"policy"},
    "profile": {"role"},
    "instance": {"sourceDestCheck"},
    "logs": {"retentionInDays"},
    "namespace": {"description"},
    "registry": {"dnsConfig.dnsRecords[0].ttl"},
    "mesh": {"spec.egressFilter.type"},
    "entry": {LISTENER},
    "node": {"spec.logging.accessLog.file.path"},
    "router": {LISTENER},
    "route": {"spec.httpRoute.action.weightedTargets[0]"},
    "virtual": {"spec.provider.virtualNode", "spec.provider.virtualRouter"},
    "cluster": {"settings[0]"},
    "balancer": {"enableCrossZoneLoadBalancing"},
    "group": {"healthCheck.interval"},
    "door": {"port"},
    "service": {"desiredCount"},
    "scaled": {"maxCapacity"},
    "scaling": {"targetTrackingScalingPolicyConfiguration.targetValue"},
}


def wreak(stage: Stage, resources: dict[str, dict[str, Any]]) -> None:
    """Make the changes, each by the AWS call that a person would make."""
    ids = {name: entry["id"] for name, entry in resources.items()}
    network(stage.aws("ec2"), ids)
    identities(stage.aws("iam"), ids)
    mesh(stage.aws("appmesh"))
    stage.aws("logs").put_retention_policy(logGroupName=ids["logs"], retentionInDays=30)
    discovery = stage.aws("servicediscovery")
    discovery.update_private_dns_namespace(Id=ids["namespace"], Namespace={"Description": "changed"})
    discovery.update_service(Id=ids["registry"], Service={"DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 10}]}})
    balancing(stage.aws("elbv2"), ids)
    ecs = stage.aws("ecs")
    ecs.update_cluster(cluster=ids["cluster"], settings=[{"name": "containerInsights", "value": "disabled"}])
    ecs.update_service(cluster=ids["cluster"], service=ids["service"], desiredCount=2)
    ecs.tag_resource(resourceArn=resources["task"]["outputs"]["arn"], tags=[{"key": "owner", "value": "somebody"}])
    scaling(stage.aws("application-autoscaling"), ids)


def network(ec2: Any, ids: dict[str, str]) -> None:
    ec2.modify_vpc_attribute(VpcId=ids["network"], EnableDnsHostnames={"Value": False})
    ec2.modify_subnet_attribute(SubnetId=ids["public"], MapPublicIpOnLaunch={"Value": False})
    tagged = [ids[name] for name in ("gateway", "address", "nat", "outward", "shared")]
    ec2.create_tags(Resources=tagged, Tags=[{"Key": "owner", "Value": "somebody"}])
    ec2.replace_route(RouteTableId=ids["inward"], DestinationCidrBlock="0.0.0.0/0", GatewayId=ids["gateway"])
    ec2.replace_route(RouteTableId=ids["outward"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=ids["nat"])
    ec2.replace_route_table_association(AssociationId=ids["association"], RouteTableId=ids["inward"])
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "10.0.0.0/8", "Description": "first"}
    changes = [{"SecurityGroupRuleId": ids["ingress"], "SecurityGroupRule": rule}]
    ec2.modify_security_group_rules(GroupId=ids["shared"], SecurityGroupRules=changes)
    ec2.revoke_security_group_egress(GroupId=ids["shared"], SecurityGroupRuleIds=[ids["egress"]])
    ec2.authorize_security_group_ingress(
        GroupId=ids["inline"], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    ec2.modify_instance_attribute(InstanceId=ids["instance"], SourceDestCheck={"Value": False})


def identities(iam: Any, ids: dict[str, str]) -> None:
    statement = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.update_role(RoleName=ids["role"], Description="changed")
    iam.put_role_policy(RoleName=ids["role"], PolicyName=ids["policy"].rpartition(":")[2], PolicyDocument=document)
    iam.detach_role_policy(RoleName=ids["role"], PolicyArn=XRAY)
    iam.remove_role_from_instance_profile(InstanceProfileName=ids["profile"], RoleName=ids["role"])


def mesh(appmesh: Any) -> None:
    place = {"meshName": "mesh-a"}
    listeners = [{"portMapping": {"port": 9999, "protocol": "http"}}]
    appmesh.update_mesh(**place, spec={"egressFilter": {"type": "ALLOW_ALL"}})
    appmesh.update_virtual_gateway(**place, virtualGatewayName="entry", spec={"listeners": listeners})
    appmesh.update_virtual_router(**place, virtualRouterName="router", spec={"listeners": listeners})
    node = appmesh.describe_virtual_node(**place, virtualNodeName="node")["virtualNode"]["spec"]
    node["logging"]["accessLog"]["file"]["path"] = "/dev/null"
    appmesh.update_virtual_node(**place, virtualNodeName="node", spec=node)
    targets = [{"virtualNode": "node", "weight": 5}]
    route = {"httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": targets}}}
    appmesh.update_route(**place, virtualRouterName="router", routeName="route", spec=route)
    provider = {"virtualNode": {"virtualNodeName": "node"}}
    appmesh.update_virtual_service(**place, virtualServiceName="crystal.service.local", spec={"provider": provider})
    appmesh.delete_gateway_route(**place, virtualGatewayName="entry", gatewayRouteName="way")


def balancing(elbv2: Any, ids: dict[str, str]) -> None:
    crossing = [{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=ids["balancer"], Attributes=crossing)
    elbv2.modify_target_group(TargetGroupArn=ids["group"], HealthCheckIntervalSeconds=10)
    elbv2.modify_listener(ListenerArn=ids["door"], Port=8080)


def scaling(autoscaling: Any, ids: dict[str, str]) -> None:
    place = {"ServiceNamespace": "ecs", "ResourceId": ids["scaled"], "ScalableDimension": "ecs:service:DesiredCount"}
    autoscaling.register_scalable_target(**place, MaxCapacity=20)
    autoscaling.put_scaling_policy(
        **place,
        PolicyName=ids["scaling"],
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 70,
            "ScaleInCooldown": 30,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
    )
