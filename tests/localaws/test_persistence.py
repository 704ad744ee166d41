"""What AWS knows outlives the server."""

import errno
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from localaws import state
from localaws.errors import LocalAwsError
from localaws.instance import Instance
from localaws.persistence import Store
from tests.localaws.support import client_of, until

TRUST = """{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
]}"""
XRAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"


def build(instance: Instance) -> None:
    """One of each kind that the stacks are made of, ECS's aside."""
    ec2, elb, iam = client_of(instance, "ec2"), client_of(instance, "elbv2"), client_of(instance, "iam")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/27")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    group = ec2.create_security_group(GroupName="shared", Description="shared", VpcId=vpc)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 3000, "ToPort": 3000, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    image = client_of(instance, "ssm").get_parameter(
        Name="/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2"
    )["Parameter"]["Value"]
    ec2.run_instances(ImageId=image, InstanceType="t3.medium", MinCount=1, MaxCount=1, SubnetId=subnet)

    iam.create_role(RoleName="task", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "b"}])
    iam.attach_role_policy(RoleName="task", PolicyArn=XRAY)

    balancer = elb.create_load_balancer(Name="nlb", Type="network", Subnets=[subnet])["LoadBalancers"][0]
    target = elb.create_target_group(Name="tg", Protocol="TCP", Port=80, VpcId=vpc, TargetType="ip")["TargetGroups"][0]
    action = {"Type": "forward", "TargetGroupArn": target["TargetGroupArn"]}
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="TCP", Port=80, DefaultActions=[action])

    logs = client_of(instance, "logs")
    logs.create_log_group(logGroupName="crystal", tags={"a": "b"})
    logs.create_log_group(logGroupName="gone")
    logs.delete_log_group(logGroupName="gone")
    client_of(instance, "ssm").put_parameter(Name="/flag", Value="on", Type="String")
    client_of(instance, "servicediscovery").create_private_dns_namespace(Name="service.local", Vpc=vpc)
    mesh = client_of(instance, "appmesh")
    mesh.create_mesh(meshName="ecs-mesh")
    mesh.create_virtual_node(meshName="ecs-mesh", virtualNodeName="crystal", spec={})

    ecs, scaling = client_of(instance, "ecs"), client_of(instance, "application-autoscaling")
    ecs.create_cluster(clusterName="container-demo")
    container = {"name": "app", "image": "public.ecr.aws/aws-containers/ecsdemo-crystal:latest", "memory": 128}
    ecs.register_task_definition(family="crystal", containerDefinitions=[container])
    ecs.create_service(cluster="container-demo", serviceName="crystal", taskDefinition="crystal", desiredCount=0)
    scaling.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId="service/container-demo/crystal",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=0,
        MaxCapacity=0,
        Tags={"a": "b"},
    )


def read(instance: Instance) -> dict[str, Any]:
    """All that a refresh would read."""
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "describe_vpcs": ("ec2", {}),
        "describe_subnets": ("ec2", {}),
        "describe_internet_gateways": ("ec2", {}),
        "describe_addresses": ("ec2", {}),
        "describe_nat_gateways": ("ec2", {}),
        "describe_route_tables": ("ec2", {}),
        "describe_security_groups": ("ec2", {}),
        "describe_security_group_rules": ("ec2", {}),
        "describe_network_interfaces": ("ec2", {}),
        "describe_instances": ("ec2", {}),
        "get_role": ("iam", {"RoleName": "task"}),
        "list_attached_role_policies": ("iam", {"RoleName": "task"}),
        "describe_load_balancers": ("elbv2", {}),
        "describe_target_groups": ("elbv2", {}),
        "describe_log_groups": ("logs", {}),
        "get_parameter": ("ssm", {"Name": "/flag"}),
        "list_namespaces": ("servicediscovery", {}),
        "list_hosted_zones": ("route53", {}),
        "describe_mesh": ("appmesh", {"meshName": "ecs-mesh"}),
        "describe_virtual_node": ("appmesh", {"meshName": "ecs-mesh", "virtualNodeName": "crystal"}),
        "describe_clusters": ("ecs", {"clusters": ["container-demo"]}),
        "describe_task_definition": ("ecs", {"taskDefinition": "crystal"}),
        "describe_services": ("ecs", {"cluster": "container-demo", "services": ["crystal"]}),
        "describe_scalable_targets": ("application-autoscaling", {"ServiceNamespace": "ecs"}),
    }
    answers = {call: getattr(client_of(instance, service), call)(**given) for call, (service, given) in calls.items()}
    for answer in answers.values():
        del answer["ResponseMetadata"]
    return answers


def test_a_restart_changes_nothing(fresh: Instance) -> None:
    """Everything reads the same after a restart, and the same again on reading once more."""
    fresh.start()
    build(fresh)
    services = {"cluster": "container-demo", "services": ["crystal"]}

    def steady() -> bool:
        service = client_of(fresh, "ecs").describe_services(**services)["services"][0]
        return bool(service["deployments"][0]["rolloutState"] == "COMPLETED")

    until(steady)
    before = read(fresh)
    fresh.stop()
    fresh.start()

    assert before == read(fresh)
    assert before == read(fresh)


def test_a_killed_server_loses_a_moment_at_most(fresh: Instance) -> None:
    """What was made is saved soon after, without a stop."""
    pid = fresh.start().pid
    assert pid is not None
    client_of(fresh, "logs").create_log_group(logGroupName="first")
    until((fresh.state / "aws.state").exists)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not fresh.status().running)

    fresh.start()
    groups = client_of(fresh, "logs").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["first"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-1], "is damaged"),
        (lambda _: b"", "is damaged"),
        (
            lambda content: content.replace(b"localaws 1, moto 5", b"localaws 1, moto 4"),
            "was written by localaws 1, moto 4",
        ),
    ],
    ids=["cut short", "empty", "older"],
)
def test_a_state_file_that_does_not_fit_is_named(tmp_path: Path, damage: Any, reason: str) -> None:
    """The error names the file, what is wrong with it, and the command that starts over."""
    path = tmp_path / "aws.state"
    Store(path).save()
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(LocalAwsError, match=f"{path} {reason}.*python -m localaws reset --state {tmp_path}"):
        Store(path).load()


def test_a_damaged_state_file_stops_the_start_until_reset(fresh: Instance) -> None:
    """Start says the same, and works after a reset."""
    fresh.state.mkdir()
    (fresh.state / "aws.state").write_text("junk")
    with pytest.raises(LocalAwsError, match=r"is damaged.*python -m localaws reset"):
        fresh.start()

    fresh.reset()
    assert fresh.start().running


def test_a_full_disk_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where saving fails, the file is as it was, nothing is left beside it, and the change still waits to be saved."""
    path = tmp_path / "aws.state"
    store = Store(path)
    store.save()
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        store.save()

    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())
    assert state.changed.is_set()


def test_a_stop_that_can_not_save_is_refused(fresh: Instance) -> None:
    """With no room for the state, stop says so and the server goes on."""
    fresh.start()
    logs = client_of(fresh, "logs")
    logs.create_log_group(logGroupName="kept")
    until((fresh.state / "aws.state").exists)
    (fresh.state / "aws.state").unlink()
    (fresh.state / "aws.state").mkdir()  # a folder can't be replaced by a file, whoever asks

    with pytest.raises(LocalAwsError, match="still runs, since its state can't be saved"):
        fresh.stop()
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["kept"]

    (fresh.state / "aws.state").rmdir()
    fresh.stop()
    assert (fresh.state / "aws.state").is_file()
