"""Task definitions: what is refused, what is filled in, how revisions count."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.ecs_site import APP, Site, envoy


@pytest.fixture(scope="module")
def site(client: Callable[[str], Any]) -> Site:
    return Site(client)


def app(**more: Any) -> dict[str, Any]:
    return {"name": "app", "image": APP} | more


def test_ecs_echoes_what_was_left_out(site: Site) -> None:
    """A definition reads back as given, in the order given, with AWS's defaults for what was not."""
    variables = [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]
    arn = site.define(
        app(
            environment=variables,
            portMappings=[{"containerPort": 3000}],
            healthCheck={"command": ["CMD-SHELL", "true"]},
        )
    )

    read = site.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]

    assert read["containerDefinitions"] == [
        {
            "name": "app",
            "image": APP,
            "cpu": 0,
            "portMappings": [{"containerPort": 3000, "hostPort": 3000, "protocol": "tcp"}],
            "essential": True,
            "environment": variables,
            "mountPoints": [],
            "volumesFrom": [],
            "systemControls": [],
            "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 30, "timeout": 5, "retries": 3},
        }
    ]
    assert (read["status"], read["networkMode"], read["cpu"], read["memory"]) == ("ACTIVE", "awsvpc", "256", "512")
    assert (read["compatibilities"], read["requiresCompatibilities"]) == (["EC2", "FARGATE"], ["FARGATE"])
    assert (read["volumes"], read["placementConstraints"]) == ([], [])


def test_sizes_may_be_given_with_their_units(site: Site) -> None:
    """`.5 vCPU` and `1 GB` are 512 CPU units and 1024 MiB."""
    arn = site.define(cpu=".5 vCPU", memory="1 GB")

    read = site.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]

    assert (read["cpu"], read["memory"]) == ("512", "1024")


def test_revisions_never_go_back(site: Site) -> None:
    """A deregistered or deleted revision's number is not used again, and a deregistered one can still be described."""
    family = f"{site.name}-counted"
    first, second = site.define(family=family), site.define(family=family)
    site.ecs.deregister_task_definition(taskDefinition=second)
    assert site.ecs.describe_task_definition(taskDefinition=second)["taskDefinition"]["status"] == "INACTIVE"
    assert site.ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]["taskDefinitionArn"] == first
    site.ecs.delete_task_definitions(taskDefinitions=[second])

    third = site.define(family=family)

    assert third.endswith(f"{family}:3")
    assert site.ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"] == [first, third]


def test_paginators_see_every_revision(site: Site) -> None:
    """Pages of two add up to the whole list, in order and in reverse."""
    family = f"{site.name}-paged"
    arns = [site.define(family=family) for _ in range(5)]
    paginator = site.ecs.get_paginator("list_task_definitions")

    def listed(sort: str) -> list[str]:
        pages = paginator.paginate(familyPrefix=family, sort=sort, PaginationConfig={"PageSize": 2})
        return [arn for page in pages for arn in page["taskDefinitionArns"]]

    assert listed("ASC") == arns
    assert listed("DESC") == arns[::-1]


def test_tags_come_only_when_asked_for(site: Site) -> None:
    """Tags given at registration, added and removed are read with include=TAGS."""
    arn = site.define(tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    site.ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "3"}])
    site.ecs.untag_resource(resourceArn=arn, tagKeys=["b"])

    assert "tags" not in site.ecs.describe_task_definition(taskDefinition=arn)
    assert site.ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])["tags"] == [
        {"key": "a", "value": "3"}
    ]
    assert site.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "3"}]


MESH_NODE = "arn:aws:appmesh:us-east-1:123456789012:mesh/m/virtualNode/n"
PROXY = {"type": "APPMESH", "containerName": "envoy", "properties": []}


@pytest.mark.parametrize(
    ("containers", "more", "words"),
    [
        ([app()], {"cpu": "256", "memory": "4096"}, "No Fargate configuration exists for given values"),
        ([app()], {"cpu": "300", "memory": "512"}, "No Fargate configuration exists for given values"),
        ([app()], {"networkMode": "bridge"}, "Fargate only supports network mode"),
        ([app(), app()], {}, "'app' is used more than once"),
        ([app(essential=False)], {}, "at least one essential container"),
        ([app(image="")], {}, "Container.image should not be null or empty."),
        ([app(dependsOn=[{"containerName": "x", "condition": "START"}])], {}, "'x', which does not exist"),
        (
            [app(dependsOn=[{"containerName": "b", "condition": "HEALTHY"}]), app(name="b")],
            {},
            "'b' has no health check",
        ),
        (
            [app(dependsOn=[{"containerName": "b", "condition": "SUCCESS"}]), app(name="b")],
            {},
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
        ),
        (
            [
                app(dependsOn=[{"containerName": "b", "condition": "START"}]),
                app(name="b", dependsOn=[{"containerName": "app", "condition": "START"}]),
            ],
            {},
            "form a cycle",
        ),
        (
            [app(memoryReservation=256), envoy(MESH_NODE, memoryReservation=257)],
            {},
            "The sum of all container 'memoryReservation' values cannot be greater",
        ),
        ([app(memory=1024)], {}, "The 'memory' setting for container 'app' is greater than for the task."),
        ([app()], {"proxyConfiguration": PROXY}, "container 'envoy', which does not exist"),
        ([app(user="no one")], {}, "Invalid user 'no one'"),
        ([app(healthCheck={"command": ["curl", "localhost"]})], {}, "its command must start with CMD or CMD-SHELL"),
        ([app(portMappings=[{"containerPort": 70000}])], {}, "Invalid containerPort 70000"),
        ([app(portMappings=[{"containerPort": 80, "hostPort": 8080}])], {}, "host ports and container ports"),
    ],
)
def test_what_aws_would_refuse_is_refused(
    site: Site, containers: list[dict[str, Any]], more: dict[str, Any], words: str
) -> None:
    """A definition that AWS does not take is a ClientException that names what is wrong, and leaves no revision."""
    before = site.define()

    with pytest.raises(ClientError, match=words) as refused:
        site.define(*containers, **more)

    assert refused.value.response["Error"]["Code"] == "ClientException"
    latest = site.ecs.describe_task_definition(taskDefinition=site.name)["taskDefinition"]
    assert latest["taskDefinitionArn"] == before


@pytest.mark.parametrize("command", [["CMD", "/healthcheck"], ["/healthcheck"]])
def test_a_health_check_may_be_a_program_of_the_image(site: Site, command: list[str]) -> None:
    """With or without CMD before its path, as AWS's samples for the ADOT collector have it."""
    revision = site.define(app(healthCheck={"command": command}))

    (container,) = site.ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]["containerDefinitions"]
    assert container["healthCheck"]["command"] == command


def test_reservations_may_fill_the_task(site: Site) -> None:
    """The workshop's own 256 + 256 of 512 MiB are allowed."""
    arn = site.define(app(memoryReservation=256), envoy(MESH_NODE, memoryReservation=256))

    assert site.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["memory"] == "512"


def test_a_deregistered_definition_starts_nothing(site: Site) -> None:
    """Neither a new service nor an update may use an INACTIVE revision."""
    arn = site.define(family=f"{site.name}-gone")
    site.ecs.deregister_task_definition(taskDefinition=arn)

    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        site.create(arn)
    with pytest.raises(ClientError, match="TaskDefinition not found"):
        site.create(f"{site.name}-never")


def test_what_cannot_be_deleted_is_told_with_its_reason(site: Site) -> None:
    """An active revision, one that is not there, and a family without a revision, each in ECS's words."""
    active, family = site.define(family=f"{site.name}-kept"), f"{site.name}-kept"
    answer = site.ecs.delete_task_definitions(taskDefinitions=[active, f"{family}:9", family])

    assert answer["taskDefinitions"] == []
    assert {failure["arn"]: failure["reason"].partition(". ")[0] for failure in answer["failures"]} == {
        active: "The specified task definition is still in ACTIVE status",
        f"{family}:9": "The specified task definition does not exist",
        family: "The specified task definition identifier is invalid",
    }


def test_a_file_system_is_mounted_at_its_root_unless_told_otherwise(site: Site) -> None:
    """API reference, EFSVolumeConfiguration: without rootDirectory it is the root."""
    files = {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}
    arn = site.define(family=f"{site.name}-files", volumes=[files])

    (volume,) = site.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["volumes"]
    assert volume == {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "/"}}


def test_capacity_providers_can_be_tagged(site: Site) -> None:
    """Tags of creation and later ones, by ARN, as for all other resources."""
    provider = site.ecs.create_capacity_provider(
        name=site.name,
        tags=[{"key": "a", "value": "1"}],
        autoScalingGroupProvider={"autoScalingGroupArn": "arn:aws:autoscaling:us-east-1:123456789012:group"},
    )["capacityProvider"]
    arn = provider["capacityProviderArn"]
    site.ecs.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    site.ecs.untag_resource(resourceArn=arn, tagKeys=["a"])

    assert site.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    (described,) = site.ecs.describe_capacity_providers(capacityProviders=[site.name], include=["TAGS"])[
        "capacityProviders"
    ]
    assert described["tags"] == [{"key": "b", "value": "2"}]


def test_fargate_shares_no_processes_with_its_host(site: Site) -> None:
    """API reference, pidMode: on Fargate only `task` is supported."""
    told = refusal(site.define, pidMode="host")

    assert "do not support pidMode 'host'. The supported value for pidMode is 'task'." in told
    assert site.define(family=f"{site.name}-shared", pidMode="task")


def test_a_launch_type_that_there_is_not_is_refused(site: Site) -> None:
    """The error lists those that there are."""
    told = refusal(site.create, site.define(), launchType="SOMEWHERE")

    assert "launch type should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]" in told


def refusal(call: Callable[..., Any], *arguments: Any, **given: Any) -> str:
    """The message that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **given)
    return str(caught.value)
