"""Services: what the API says of them, and their life from creation to deletion."""

import ipaddress
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.ecs_site import APP, Site, messages


@pytest.fixture
def site(client: Callable[[str], Any]) -> Site:
    return Site(client)


def app(**more: Any) -> dict[str, Any]:
    return {"name": "app", "image": APP, "portMappings": [{"containerPort": 3000}]} | more


def test_a_service_reads_back_as_created(site: Site) -> None:
    """Every field is echoed, with AWS's defaults for those left out."""
    definition, registry = site.define(), site.registry()
    network = site.network()["awsvpcConfiguration"]

    site.create(definition, serviceRegistries=[{"registryArn": registry["Arn"]}], tags=[{"key": "team", "value": "a"}])

    read = site.service()
    expected = {
        "serviceName": "crystal",
        "serviceArn": f"arn:aws:ecs:us-east-1:123456789012:service/{site.cluster}/crystal",
        "clusterArn": f"arn:aws:ecs:us-east-1:123456789012:cluster/{site.cluster}",
        "status": "ACTIVE",
        "desiredCount": 1,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "taskDefinition": definition,
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": False, "rollback": False},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
        },
        "deploymentController": {"type": "ECS"},
        "networkConfiguration": {"awsvpcConfiguration": network | {"assignPublicIp": "DISABLED"}},
        "serviceRegistries": [{"registryArn": registry["Arn"]}],
        "loadBalancers": [],
        "placementConstraints": [],
        "placementStrategy": [],
        "schedulingStrategy": "REPLICA",
        "availabilityZoneRebalancing": "ENABLED",
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "propagateTags": "NONE",
        "createdBy": "arn:aws:iam::123456789012:root",
    }
    assert {name: read[name] for name in expected} == expected
    assert "healthCheckGracePeriodSeconds" not in read
    assert "tags" not in read
    assert site.service("crystal", "TAGS")["tags"] == [{"key": "team", "value": "a"}]


def test_what_is_given_is_kept(site: Site) -> None:
    """Options other than the defaults are echoed too, and an update changes only what it names."""
    breaker: dict[str, Any] = {
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "minimumHealthyPercent": 50,
    }
    chosen: dict[str, Any] = {
        "availabilityZoneRebalancing": "DISABLED",
        "enableECSManagedTags": True,
        "enableExecuteCommand": True,
        "platformVersion": "1.4.0",
        "propagateTags": "SERVICE",
    }
    site.create(site.define(), deploymentConfiguration=breaker, **chosen)

    site.update(propagateTags="NONE", deploymentConfiguration={"maximumPercent": 150})

    read = site.service()
    assert {name: read[name] for name in chosen} == chosen | {"propagateTags": "NONE"}
    assert read["deploymentConfiguration"] == breaker | {
        "maximumPercent": 150,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }


def test_a_running_service_is_announced(site: Site) -> None:
    """Its task is in Cloud Map and in the target group with its interface's address, and in neither once deleted."""
    registry, balancers = site.registry(), site.balancers
    group = balancers.create_target_group(Name=site.name, Protocol="TCP", Port=80, VpcId=site.vpc, TargetType="ip")
    target_group = group["TargetGroups"][0]["TargetGroupArn"]
    balancer = balancers.create_load_balancer(Name=site.name, Type="network", Subnets=list(site.subnets.values()))
    balancers.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="TCP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )
    site.create(
        site.define(app()),
        serviceRegistries=[{"registryArn": registry["Arn"]}],
        loadBalancers=[{"targetGroupArn": target_group, "containerName": "app", "containerPort": 3000}],
        healthCheckGracePeriodSeconds=60,
    )
    service = site.stable()
    task = site.tasks()[0]
    address = task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
    zone = task["availabilityZone"]

    assert service["healthCheckGracePeriodSeconds"] == 60
    assert site.cloud_map.list_instances(ServiceId=registry["Id"])["Instances"] == [
        {
            "Id": task["taskArn"].rpartition("/")[2],
            "Attributes": {
                "AWS_INSTANCE_IPV4": address,
                "AWS_INIT_HEALTH_STATUS": "HEALTHY",
                "AVAILABILITY_ZONE": zone,
                "ECS_CLUSTER_NAME": site.cluster,
                "ECS_SERVICE_NAME": "crystal",
                "ECS_TASK_DEFINITION_FAMILY": site.name,
                "REGION": "us-east-1",
            },
        }
    ]
    assert targets(site, target_group) == [(address, 3000)]
    assert f"registered 1 targets in (target-group {target_group})" in messages(service)
    assert ipaddress.ip_address(address) in ipaddress.ip_network("10.0.0.0/24")

    site.ecs.delete_service(cluster=site.cluster, service="crystal", force=True)
    gone = site.until(site.service, lambda found: found["status"] == "INACTIVE")
    assert site.cloud_map.list_instances(ServiceId=registry["Id"])["Instances"] == []
    assert targets(site, target_group) == []
    assert f"deregistered 1 targets in (target-group {target_group})" in messages(gone)


def targets(site: Site, group: str) -> list[tuple[str, int]]:
    described = site.balancers.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [(item["Target"]["Id"], item["Target"]["Port"]) for item in described]


def test_deleting_takes_its_time_and_its_order(site: Site) -> None:
    """A service scaled above 0 needs force, drains, is INACTIVE then, and its name is free again."""
    definition = site.define()
    site.create(definition)
    site.stable()

    with pytest.raises(ClientError, match="The service cannot be stopped while it is scaled above 0"):
        site.ecs.delete_service(cluster=site.cluster, service="crystal")
    deleted = site.ecs.delete_service(cluster=site.cluster, service="crystal", force=True)["service"]
    assert (deleted["status"], deleted["desiredCount"]) == ("DRAINING", 0)
    with pytest.raises(ClientError, match="Unable to Start a service that is still Draining"):
        site.create(definition)

    gone = site.until(site.service, lambda found: found["status"] == "INACTIVE")
    assert (gone["runningCount"], gone["deployments"]) == (0, [])
    assert site.ecs.list_services(cluster=site.cluster)["serviceArns"] == []
    with pytest.raises(ClientError) as refused:
        site.update(desiredCount=1)
    assert refused.value.response["Error"]["Code"] == "ServiceNotActiveException"

    site.create(definition)
    assert site.stable()["runningCount"] == 1


def test_what_is_not_there_is_said_with_awss_words(site: Site) -> None:
    """Unknown services and clusters, and a second creation, get AWS's codes."""

    def code(call: Callable[..., Any], **given: Any) -> str:
        with pytest.raises(ClientError) as refused:
            call(**given)
        return str(refused.value.response["Error"]["Code"])

    assert code(site.ecs.update_service, cluster=site.cluster, service="none") == "ServiceNotFoundException"
    assert code(site.ecs.delete_service, cluster=site.cluster, service="none") == "ServiceNotFoundException"
    assert code(site.ecs.describe_services, cluster="none", services=["none"]) == "ClusterNotFoundException"
    failures = site.ecs.describe_services(cluster=site.cluster, services=["none"])["failures"]
    arn = f"arn:aws:ecs:us-east-1:123456789012:service/{site.cluster}/none"
    assert failures == [{"arn": arn, "reason": "MISSING"}]
    site.create(site.define())
    with pytest.raises(ClientError, match="Creation of service was not idempotent"):
        site.create(site.define())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0"]}}}, "The subnet ID 'subnet-0'"),
        ({"networkConfiguration": {}}, "Network Configuration must be provided"),
        ({"serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:us-east-1:1:service/srv-0"}]}, "srv-0"),
        ({"deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 100}}, "cannot be 100"),
        ({"healthCheckGracePeriodSeconds": 60}, "only valid for services configured to use load balancers"),
        ({"deploymentController": {"type": "EXTERNAL"}}, "controller ECS only"),
    ],
)
def test_a_service_that_could_not_run_is_refused(site: Site, changes: dict[str, Any], words: str) -> None:
    """What AWS would reject is an InvalidParameterException that says what is wrong, and no service comes of it."""
    with pytest.raises(ClientError, match=words) as refused:
        site.create(site.define(), **changes)

    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
    assert site.ecs.list_services(cluster=site.cluster)["serviceArns"] == []


def test_a_cluster_counts_what_is_in_it(site: Site) -> None:
    """Counters follow services and tasks, and the cluster can be deleted only when empty."""
    site.create(site.define(), desiredCount=2)
    site.stable()

    cluster = site.ecs.describe_clusters(clusters=[site.cluster])["clusters"][0]
    assert (cluster["activeServicesCount"], cluster["runningTasksCount"], cluster["pendingTasksCount"]) == (1, 2, 0)
    with pytest.raises(ClientError) as refused:
        site.ecs.delete_cluster(cluster=site.cluster)
    assert refused.value.response["Error"]["Code"] == "ClusterContainsServicesException"

    site.ecs.delete_service(cluster=site.cluster, service="crystal", force=True)
    site.until(site.service, lambda found: found["status"] == "INACTIVE")
    assert site.ecs.delete_cluster(cluster=site.cluster)["cluster"]["status"] == "INACTIVE"
    assert site.ecs.describe_clusters(clusters=[site.cluster])["clusters"][0]["runningTasksCount"] == 0


def test_cluster_details_come_when_asked_for(site: Site) -> None:
    """Settings and tags are described with include only, and creating a cluster twice changes nothing."""
    enabled = [{"name": "containerInsights", "value": "enabled"}]
    name = f"{site.name}-again"
    site.ecs.create_cluster(clusterName=name, settings=enabled, tags=[{"key": "a", "value": "b"}])
    site.ecs.create_cluster(clusterName=name)

    bare = site.ecs.describe_clusters(clusters=[name])["clusters"][0]
    full = site.ecs.describe_clusters(clusters=[name], include=["SETTINGS", "TAGS"])["clusters"][0]
    assert (bare["settings"], bare["tags"]) == ([], [])
    assert (full["settings"], full["tags"]) == (enabled, [{"key": "a", "value": "b"}])


def test_readers_do_not_lose_each_others_tags(site: Site) -> None:
    """Many clients read at once, with tags and without: each gets what it asked for, every time."""
    site.create(site.define(), desiredCount=0, tags=[{"key": "a", "value": "b"}])

    def read(number: int) -> bool:
        include = ("TAGS",) if number % 2 else ()
        return ("tags" in site.service("crystal", *include)) == bool(include)

    with ThreadPoolExecutor(8) as clients:
        assert all(clients.map(read, range(200)))


def test_paginators_see_every_service(site: Site) -> None:
    """ListServices answers in tens; its paginator sees all."""
    definition = site.define()
    arns = [site.create(definition, f"service-{number}", desiredCount=0)["serviceArn"] for number in range(12)]

    assert len(site.ecs.list_services(cluster=site.cluster)["serviceArns"]) == 10
    pages = site.ecs.get_paginator("list_services").paginate(cluster=site.cluster)
    assert [arn for page in pages for arn in page["serviceArns"]] == arns


def test_autoscaling_keeps_the_minimum(site: Site) -> None:
    """Registering a scalable target of at least 3 brings three tasks, and an update to 1 does not stay."""
    site.create(site.define())
    site.stable()
    site.scaling.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{site.cluster}/crystal",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=3,
        MaxCapacity=10,
    )
    site.until(site.service, lambda found: found["runningCount"] == found["desiredCount"] == 3)

    site.update(desiredCount=1)
    site.until(site.service, lambda found: found["runningCount"] == found["desiredCount"] == 3)


def test_tasks_inherit_tags(site: Site) -> None:
    """With propagateTags and managed tags, tasks carry the service's tags and ECS's own."""
    site.create(site.define(), propagateTags="SERVICE", enableECSManagedTags=True, tags=[{"key": "a", "value": "b"}])
    site.stable()

    arn = site.tasks()[0]["taskArn"]
    assert site.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"key": "aws:ecs:clusterName", "value": site.cluster},
        {"key": "aws:ecs:serviceName", "value": "crystal"},
        {"key": "a", "value": "b"},
    ]
