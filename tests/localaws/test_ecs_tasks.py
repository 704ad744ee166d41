"""Tasks: their life, their containers' order and failures, and what is seen of them."""

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.ecs_site import APP, Site, envoy, xray


@pytest.fixture(scope="module")
def site(client: Callable[[str], Any]) -> Site:
    return Site(client)


def app(**more: Any) -> dict[str, Any]:
    return {"name": "app", "image": APP} | more


def running(site: Site, arn: str) -> dict[str, Any]:
    return site.until(lambda: site.described(arn)[0], lambda task: task["lastStatus"] == "RUNNING")


def test_a_task_runs_until_it_is_stopped(site: Site) -> None:
    """RunTask starts at PROVISIONING; the task runs, keeps running while described, and stops for the reason given."""
    given = site.ecs.run_task(
        cluster=site.cluster,
        taskDefinition=site.define(),
        launchType="FARGATE",
        networkConfiguration=site.network(),
        startedBy="a test",
    )["tasks"][0]
    assert (given["lastStatus"], given["desiredStatus"]) == ("PROVISIONING", "RUNNING")

    task = running(site, given["taskArn"])
    for _ in range(10):
        assert site.described(given["taskArn"])[0]["lastStatus"] == "RUNNING"
    assert (task["startedBy"], task["group"]) == ("a test", f"family:{site.name}")
    assert (task["cpu"], task["memory"], task["launchType"]) == ("256", "512", "FARGATE")
    assert (task["platformVersion"], task["connectivity"]) == ("1.4.0", "CONNECTED")

    site.ecs.stop_task(cluster=site.cluster, task=given["taskArn"], reason="enough")
    stopped = site.ended(given["taskArn"])
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    assert [container["exitCode"] for container in stopped["containers"]] == [0]
    assert task["createdAt"] <= task["startedAt"] <= stopped["stoppingAt"] <= stopped["stoppedAt"]


def test_each_task_has_an_address_of_its_own_in_its_subnet(site: Site) -> None:
    """Ten tasks get ten addresses, each inside the subnet and zone that the task names; stopping gives them back."""
    definition = site.define(family=f"{site.name}-many")
    started = site.ecs.run_task(
        cluster=site.cluster,
        taskDefinition=definition,
        count=10,
        launchType="FARGATE",
        networkConfiguration=site.network(),
    )["tasks"]
    tasks = [running(site, task["taskArn"]) for task in started]

    blocks = {subnet: block for block, subnet in site.subnets.items()}
    zones = dict(zip(site.subnets.values(), ("us-east-1a", "us-east-1b"), strict=True))
    seen = set()
    for task in tasks:
        details = {item["name"]: item["value"] for item in task["attachments"][0]["details"]}
        address, subnet = details["privateIPv4Address"], details["subnetId"]
        assert ipaddress.ip_address(address) in ipaddress.ip_network(blocks[subnet])
        assert task["availabilityZone"] == zones[subnet]
        assert task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] == address
        interface = site.ec2.describe_network_interfaces(NetworkInterfaceIds=[details["networkInterfaceId"]])
        assert interface["NetworkInterfaces"][0]["PrivateIpAddress"] == address
        seen.add(address)
    assert len(seen) == 10

    for task in tasks:
        site.ecs.stop_task(cluster=site.cluster, task=task["taskArn"])
    for task in tasks:
        site.ended(task["taskArn"])
    left = site.ec2.describe_network_interfaces(Filters=[{"Name": "private-ip-address", "Values": sorted(seen)}])
    assert [item for item in left["NetworkInterfaces"] if item["SubnetId"] in blocks] == []


def test_containers_start_in_the_order_of_depends_on(site: Site) -> None:
    """The daemon starts, then Envoy gets healthy, then the application starts; the task is healthy then."""
    definition = site.define(
        app(dependsOn=[{"containerName": "envoy", "condition": "HEALTHY"}]),
        envoy(site.node(), dependsOn=[{"containerName": "xray", "condition": "START"}]),
        xray(),
    )
    arn = site.run(definition)
    order: list[str] = []

    def note() -> dict[str, Any]:
        task = site.described(arn)[0]
        order.extend(
            container["name"]
            for container in reversed(task["containers"])
            if container["lastStatus"] == "RUNNING" and container["name"] not in order
        )
        return task

    task = site.until(note, lambda task: task["lastStatus"] == "RUNNING")

    assert order == ["xray", "envoy", "app"]
    assert task["healthStatus"] == "HEALTHY"
    assert {item["name"]: item["healthStatus"] for item in task["containers"]} == {
        "app": "UNKNOWN",
        "envoy": "HEALTHY",
        "xray": "UNKNOWN",
    }


def test_an_initial_container_ends_before_the_others_start(site: Site) -> None:
    """With SUCCESS the application starts once the other container has exited with 0."""
    first = {"name": "first", "image": "busybox", "essential": False}
    arn = site.run(site.define(first, app(dependsOn=[{"containerName": "first", "condition": "SUCCESS"}])))

    ended, waited = running(site, arn)["containers"]

    assert (ended["lastStatus"], ended["exitCode"]) == ("STOPPED", 0)
    assert waited["lastStatus"] == "RUNNING"


def test_the_daemon_without_a_region_takes_the_task_down(site: Site) -> None:
    """An essential X-Ray daemon that knows no region exits with 1, and the task with it (reference.md, section 7)."""
    task = site.ended(site.run(site.define(app(), xray(region=""))))

    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert {item["name"]: item["exitCode"] for item in task["containers"]} == {"app": 0, "xray": 1}


def test_a_daemon_that_is_not_essential_fails_alone(site: Site) -> None:
    """A non-essential X-Ray daemon without a region stops; the task lives on."""
    arn = site.run(site.define(app(), xray(region="", essential=False)))

    def states() -> dict[str, str]:
        return {item["name"]: item["lastStatus"] for item in site.described(arn)[0]["containers"]}

    site.until(states, lambda seen: seen == {"app": "RUNNING", "xray": "STOPPED"})
    assert site.described(arn)[0]["lastStatus"] == "RUNNING"


def test_the_daemon_takes_its_region_from_a_flag(site: Site) -> None:
    """`-n us-east-1` does instead of AWS_REGION."""
    arn = site.run(site.define(app(), xray(region="", command=["-o", "-n", "us-east-1"])))

    assert [item["lastStatus"] for item in running(site, arn)["containers"]] == ["RUNNING", "RUNNING"]


ADOT = "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0"
AGENT = "public.ecr.aws/cloudwatch-agent/cloudwatch-agent:1.300071.0b1720"
REGION = {"name": "AWS_REGION", "value": "us-east-1"}
OWN_REGION = {"name": "AOT_CONFIG_CONTENT", "value": "exporters: {awsxray: {region: us-east-1}}"}


@pytest.mark.parametrize(
    ("collector", "code"),
    [
        ({"image": ADOT, "environment": []}, 1),
        ({"image": ADOT, "environment": [REGION]}, None),
        ({"image": ADOT, "environment": [OWN_REGION]}, None),
        ({"image": AGENT, "environment": [], "user": "1337"}, 1),
        ({"image": AGENT, "environment": [], "user": "0:1338"}, None),
        ({"image": AGENT, "environment": []}, None),
    ],
)
def test_what_other_collectors_lack(site: Site, collector: dict[str, Any], code: int | None) -> None:
    """ADOT needs a region, as the daemon does; the CloudWatch agent finds its own, but has to be root."""
    check = {"command": ["CMD", "/healthcheck"]}  # passes only once a container would have ended
    arn = site.run(site.define(app(), xray(essential=False, healthCheck=check, **collector)))

    def xrays() -> dict[str, Any]:
        return next(dict(each) for each in site.described(arn)[0]["containers"] if each["name"] == "xray")

    found = site.until(xrays, lambda seen: seen["lastStatus"] == "STOPPED" or seen["healthStatus"] == "HEALTHY")
    assert found.get("exitCode") == code


def test_overrides_reach_the_container(site: Site) -> None:
    """RunTask may give the daemon the region that its definition lacks."""
    region = {"name": "xray", "environment": [{"name": "AWS_REGION", "value": "us-east-1"}]}
    arn = site.run(site.define(app(), xray(region="")), overrides={"containerOverrides": [region]})

    assert [item["lastStatus"] for item in running(site, arn)["containers"]] == ["RUNNING", "RUNNING"]


def test_envoy_needs_to_know_who_it_is(site: Site) -> None:
    """Envoy exits without APPMESH_RESOURCE_ARN, and never gets healthy for a node that the mesh does not have."""
    nobody = site.ended(site.run(site.define(envoy("", environment=[]))))
    assert [item["exitCode"] for item in nobody["containers"]] == [1]

    stranger = "arn:aws:appmesh:us-east-1:123456789012:mesh/nowhere/virtualNode/nobody"
    waiting = app(dependsOn=[{"containerName": "envoy", "condition": "HEALTHY"}])
    never = site.ended(site.run(site.define(waiting, envoy(stranger))))
    assert never["stopCode"] == "TaskFailedToStart"
    assert "dependency [envoy] for target [app]" in never["stoppedReason"]


@pytest.mark.parametrize(
    "image",
    [
        "public.ecr.aws/xray/aws-xray-demon:3.3.14",
        "public.ecr.aws/appmesh/aws-appmesh-envoy:newest",
        "amazon/aws-xray-deamon",
        "registry.example.com/team/app:1",
        "Not An Image",
    ],
)
def test_an_image_that_no_registry_has_fails_the_task(site: Site, image: str) -> None:
    """The task stops with CannotPullContainerError, which names the image."""
    task = site.ended(site.run(site.define(app(image=image))))

    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert image in task["stoppedReason"]


@pytest.mark.parametrize("image", ["amazon/aws-xray-daemon", "nginx:1.27", "public.ecr.aws/team/app:2", f"{APP}"])
def test_images_of_public_registries_are_there(site: Site, image: str) -> None:
    """The workshop's own references and those of a service of one's own can be pulled."""
    region = [{"name": "AWS_REGION", "value": "us-east-1"}]

    assert running(site, site.run(site.define(app(image=image, environment=region))))["lastStatus"] == "RUNNING"


def test_what_is_not_there_is_missing(site: Site) -> None:
    """An unknown task is a failure, not an error; to stop it is an error."""
    unknown = "0123456789abcdef0123456789abcdef"
    failures = site.ecs.describe_tasks(cluster=site.cluster, tasks=[unknown])["failures"]
    arn = f"arn:aws:ecs:us-east-1:123456789012:task/{site.cluster}/{unknown}"
    assert failures == [{"arn": arn, "reason": "MISSING"}]

    with pytest.raises(ClientError, match="The referenced task was not found"):
        site.ecs.stop_task(cluster=site.cluster, task=unknown)
    with pytest.raises(ClientError, match="Cluster not found"):
        site.ecs.list_tasks(cluster="nowhere")


def test_without_container_instances_ec2_runs_nothing(site: Site) -> None:
    """RunTask with the launch type EC2 is refused as AWS refuses it in an empty cluster."""
    with pytest.raises(ClientError, match="No Container Instances were found in your cluster"):
        site.run(site.define(), launchType="EC2")


def test_operations_that_are_not_there_are_refused_plainly(site: Site) -> None:
    """ExecuteCommand is answered with an error that says so."""
    with pytest.raises(ClientError, match="ExecuteCommand"):
        site.ecs.execute_command(cluster=site.cluster, task="t", command="sh", interactive=True)
