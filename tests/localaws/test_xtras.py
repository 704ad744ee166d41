"""What moto lacks in the services around the network: load balancers, Cloud Map, autoscaling, IAM, logs."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.support import code_of
from tests.localaws.xtras_site import Network

Client = Callable[..., Any]

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
        ],
    }
)


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("AWSXRayDaemonWriteAccess", "xray:PutTraceSegments"),
        ("AWSAppMeshEnvoyAccess", "appmesh:StreamAggregatedResources"),
        ("AmazonSSMManagedInstanceCore", "ssm:UpdateInstanceInformation"),
        ("CloudWatchAgentServerPolicy", "cloudwatch:PutMetricData"),
        ("service-role/AmazonECSTaskExecutionRolePolicy", "logs:PutLogEvents"),
    ],
)
def test_policies_that_aws_manages_can_be_attached(client: Client, name: str, action: str) -> None:
    """A policy of AWS's own is there when asked for, with its document, and attaches to a role."""
    iam, role, arn = client("iam"), unique("role"), f"arn:aws:iam::aws:policy/{name}"
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)

    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [{"PolicyName": name.rpartition("/")[2], "PolicyArn": arn}] == attached
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert action in json.dumps(document)


def test_a_policy_that_aws_does_not_have_is_not_found(client: Client) -> None:
    """A made-up name is refused as AWS does."""
    iam, role = client("iam"), unique("role")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)

    assert (
        code_of(iam.attach_role_policy, RoleName=role, PolicyArn="arn:aws:iam::aws:policy/Nonsense") == "NoSuchEntity"
    )


def test_a_network_load_balancer_is_named_as_one(client: Client, network: Network) -> None:
    """ARN, DNS name and zone are a network load balancer's, its listener has no TLS policy, and its name is taken."""
    elb, name = client("elbv2"), unique("nlb")
    given = {"Name": name, "Type": "network", "Subnets": [network.subnet], "Tags": [{"Key": "a", "Value": "b"}]}
    balancer = elb.create_load_balancer(**given)["LoadBalancers"][0]
    arn = balancer["LoadBalancerArn"]
    identity = arn.rpartition("/")[2]

    assert f"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/{name}/{identity}" == arn
    assert f"{name}-{identity}.elb.us-east-1.amazonaws.com" == balancer["DNSName"]
    assert balancer["CanonicalHostedZoneId"] == "Z26RNL4JYFTOTI"
    assert elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"] == [{"Key": "a", "Value": "b"}]
    assert code_of(elb.create_load_balancer, **given) == "DuplicateLoadBalancerName"

    group = {"Name": unique("tg"), "Protocol": "TCP", "Port": 80, "VpcId": network.vpc, "TargetType": "ip"}
    target = elb.create_target_group(**group)["TargetGroups"][0]["TargetGroupArn"]
    action = {"Type": "forward", "TargetGroupArn": target}
    listener = elb.create_listener(LoadBalancerArn=arn, Protocol="TCP", Port=80, DefaultActions=[action])["Listeners"][
        0
    ]
    assert listener["ListenerArn"].startswith(f"{arn.replace(':loadbalancer/', ':listener/')}/")
    assert "SslPolicy" not in listener

    attributes = elb.describe_target_group_attributes(TargetGroupArn=target)["Attributes"]
    found = {attribute["Key"]: attribute["Value"] for attribute in attributes}
    assert (
        found["deregistration_delay.timeout_seconds"],
        found["preserve_client_ip.enabled"],
        found["stickiness.type"],
    ) == ("300", "false", "source_ip")
    assert "slow_start.duration_seconds" not in found

    elb.delete_load_balancer(LoadBalancerArn=arn)
    assert code_of(elb.describe_load_balancers, LoadBalancerArns=[arn]) == "LoadBalancerNotFound"


def test_a_log_group_tells_its_class(client: Client) -> None:
    """A group is of the standard class."""
    logs, name = client("logs"), unique("group")
    logs.create_log_group(logGroupName=name)

    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["logGroupClass"] == "STANDARD"


class CloudMap:
    """A private namespace with a service."""

    def __init__(self, client: Client, vpc: str) -> None:
        self.api = api = client("servicediscovery")
        self.name = f"{unique('ns')}.local"
        operation = api.create_private_dns_namespace(Name=self.name, Vpc=vpc, Tags=[{"Key": "a", "Value": "b"}])
        created = api.get_operation(OperationId=operation["OperationId"])["Operation"]
        assert created["Status"] == "SUCCESS"
        self.id = created["Targets"]["NAMESPACE"]
        records = {"NamespaceId": self.id, "DnsRecords": [{"Type": "A", "TTL": 60}]}
        self.service = api.create_service(Name="crystal", DnsConfig=records)["Service"]["Id"]


def test_a_namespace_comes_and_goes_with_its_zone(client: Client, network: Network) -> None:
    """The zone has the namespace's name and VPC, and is deleted with it, which is once nothing is in it."""
    cloud_map, route53 = CloudMap(client, network.vpc), client("route53")
    api = cloud_map.api
    namespace = api.get_namespace(Id=cloud_map.id)["Namespace"]
    zone = namespace["Properties"]["DnsProperties"]["HostedZoneId"]
    found = route53.get_hosted_zone(Id=zone)
    assert f"{cloud_map.name}." == found["HostedZone"]["Name"]
    assert [{"VPCRegion": "us-east-1", "VPCId": network.vpc}] == found["VPCs"]
    assert api.list_tags_for_resource(ResourceARN=namespace["Arn"])["Tags"] == [{"Key": "a", "Value": "b"}]

    api.update_private_dns_namespace(Id=cloud_map.id, Namespace={"Description": "changed"})
    assert namespace["Properties"] == api.get_namespace(Id=cloud_map.id)["Namespace"]["Properties"]

    api.register_instance(ServiceId=cloud_map.service, InstanceId="i", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.36"})
    assert code_of(api.delete_namespace, Id=cloud_map.id) == "ResourceInUse"
    assert code_of(api.delete_service, Id=cloud_map.service) == "ResourceInUse"
    api.deregister_instance(ServiceId=cloud_map.service, InstanceId="i")
    api.delete_service(Id=cloud_map.service)
    api.delete_namespace(Id=cloud_map.id)
    assert code_of(route53.get_hosted_zone, Id=zone) == "NoSuchHostedZone"
    assert code_of(api.list_tags_for_resource, ResourceARN=namespace["Arn"]) == "ResourceNotFoundException"


def test_a_vpc_may_have_several_namespaces(client: Client, network: Network) -> None:
    """Another name in the same VPC is fine, the same name is not; nor are two services of a name."""
    cloud_map = CloudMap(client, network.vpc)
    api = cloud_map.api
    CloudMap(client, network.vpc)

    again = {"Name": cloud_map.name, "Vpc": network.vpc}
    assert code_of(api.create_private_dns_namespace, **again) == "NamespaceAlreadyExists"
    assert code_of(api.create_service, Name="crystal", NamespaceId=cloud_map.id) == "ServiceAlreadyExists"
    assert code_of(api.create_service, Name="crystal", NamespaceId="ns-none") == "NamespaceNotFound"


def test_instances_are_discovered_at_the_same_address(client: Client, network: Network) -> None:
    """An instance registered again is there once, with what was said last."""
    cloud_map = CloudMap(client, network.vpc)
    for address in ("10.0.0.36", "10.0.0.37"):
        attributes = {"AWS_INSTANCE_IPV4": address}
        cloud_map.api.register_instance(ServiceId=cloud_map.service, InstanceId="i", Attributes=attributes)

    found = cloud_map.api.discover_instances(NamespaceName=cloud_map.name, ServiceName="crystal")["Instances"]
    assert [instance["Attributes"]["AWS_INSTANCE_IPV4"] for instance in found] == ["10.0.0.37"]


class Scaling:
    """Scalable targets of services that are there for their sake."""

    def __init__(self, client: Client, services: int) -> None:
        self.api, ecs = client("application-autoscaling"), client("ecs")
        cluster = unique("cluster")
        ecs.create_cluster(clusterName=cluster)
        container = {"name": "app", "image": "public.ecr.aws/aws-containers/ecsdemo-crystal:latest", "memory": 128}
        ecs.register_task_definition(family=cluster, containerDefinitions=[container])
        self.targets = [
            {
                "ServiceNamespace": "ecs",
                "ResourceId": f"service/{cluster}/s{number}",
                "ScalableDimension": "ecs:service:DesiredCount",
            }
            for number in range(services)
        ]
        for number in range(services):
            ecs.create_service(cluster=cluster, serviceName=f"s{number}", taskDefinition=cluster, desiredCount=0)

    def register(self, number: int = 0, **more: Any) -> str:
        bounds = {"MinCapacity": 0, "MaxCapacity": 0}
        return str(self.api.register_scalable_target(**self.targets[number], **bounds, **more)["ScalableTargetARN"])


def test_a_scalable_target_has_tags(client: Client) -> None:
    """Tags can be given with a target, read, added and removed."""
    scaling = Scaling(client, 1)
    api, arn = scaling.api, scaling.register(Tags={"a": "b"})
    api.tag_resource(ResourceARN=arn, Tags={"c": "d"})
    assert api.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "b", "c": "d"}
    api.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert api.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"c": "d"}

    api.deregister_scalable_target(**scaling.targets[0])
    assert code_of(api.list_tags_for_resource, ResourceARN=arn) == "ResourceNotFoundException"


def test_scalable_targets_come_in_pages_that_go_on(client: Client) -> None:
    """Pages of one have each target once, with what AWS adds: the service-linked role, and nothing suspended."""
    scaling = Scaling(client, 3)
    for number in range(3):
        scaling.register(number)
    identities = [target["ResourceId"] for target in scaling.targets]
    paginator = scaling.api.get_paginator("describe_scalable_targets")
    pages = paginator.paginate(ServiceNamespace="ecs", ResourceIds=identities, PaginationConfig={"PageSize": 1})
    found = [target for page in pages for target in page["ScalableTargets"]]

    assert identities == [target["ResourceId"] for target in found]
    path = "role/aws-service-role/ecs.application-autoscaling.amazonaws.com"
    role = f"arn:aws:iam::123456789012:{path}/AWSServiceRoleForApplicationAutoScaling_ECSService"
    assert [role] * 3 == [target["RoleARN"] for target in found]
    suspended = {
        "DynamicScalingInSuspended": False,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    assert suspended == found[0]["SuspendedState"]


def test_a_scaling_policy_stays_itself_when_it_is_changed(client: Client) -> None:
    """It needs a target, keeps its ARN over a change, and goes with the target."""
    scaling = Scaling(client, 1)
    api = scaling.api

    def put(percent: float) -> str:
        configuration = {
            "TargetValue": percent,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        }
        return str(
            api.put_scaling_policy(
                PolicyName="cpu",
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration=configuration,
                **scaling.targets[0],
            )["PolicyARN"]
        )

    with pytest.raises(api.exceptions.ObjectNotFoundException):
        put(50)
    scaling.register()
    arn = put(50)
    assert arn == put(20)

    def policies() -> list[Any]:
        resource = scaling.targets[0]["ResourceId"]
        return list(api.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)["ScalingPolicies"])

    assert [(arn, 20.0)] == [
        (policy["PolicyARN"], policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"])
        for policy in policies()
    ]
    api.deregister_scalable_target(**scaling.targets[0])
    assert policies() == []


def test_events_are_found_in_the_streams_of_a_prefix_only(client: Callable[..., Any]) -> None:
    """FilterLogEvents with logStreamNamePrefix leaves the other streams of the group out; without, it takes all."""
    logs = client("logs")
    logs.create_log_group(logGroupName="of-a-task")
    for stream in ("envoy/1", "app/1"):
        logs.create_log_stream(logGroupName="of-a-task", logStreamName=stream)
        event = {"timestamp": int(1000 * time.time()), "message": f"said by {stream}"}
        logs.put_log_events(logGroupName="of-a-task", logStreamName=stream, logEvents=[event])

    def said(**more: str) -> set[str]:
        return {event["message"] for event in logs.filter_log_events(logGroupName="of-a-task", **more)["events"]}

    assert said(logStreamNamePrefix="envoy/") == {"said by envoy/1"}
    assert said(logStreamNamePrefix="daemon/") == set()
    assert said() == {"said by envoy/1", "said by app/1"}
