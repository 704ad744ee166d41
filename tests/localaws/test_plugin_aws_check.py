"""What the aws stand-in refuses, and what it fills in, before AWS is asked anything."""

import json
from typing import Any

import pytest

from localaws.plugins.aws import checking
from localaws.plugins.aws.catalogue import UnknownTypeError, resource
from localaws.plugins.aws.values import UNKNOWN

SETTINGS = {"region": "eu-west-1"}
ROLE = "arn:aws:iam::123456789012:role/task"
CONTAINERS = [{"name": "app", "image": "public.ecr.aws/aws-containers/ecsdemo-crystal"}]
TASK: dict[str, Any] = {
    "family": "crystal",
    "cpu": "256",
    "memory": "1024",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "containerDefinitions": json.dumps(CONTAINERS),
}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
TASK_TYPE = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE_TYPE = "aws:ecs/service:Service"
ROLE_TYPE = "aws:iam/role:Role"
VPC_TYPE = "aws:ec2/vpc:Vpc"
LOGS_TYPE = "aws:cloudwatch/logGroup:LogGroup"
NODE_TYPE = "aws:appmesh/virtualNode:VirtualNode"
RULE_TYPE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def check(token: str, given: dict[str, Any], old: dict[str, Any] | None = None, **settings: Any) -> Any:
    names = checking.Names("thing", b"seed", old or {}, "")
    return checking.check(resource(token), given, names, {**SETTINGS, **settings})


def containers(**changes: Any) -> dict[str, Any]:
    return {**TASK, "containerDefinitions": json.dumps([{**CONTAINERS[0], **changes}])}


@pytest.mark.parametrize(
    ("token", "given", "path", "reason"),
    [
        (
            TASK_TYPE,
            {**TASK, "cpu": "300"},
            "cpu",
            "must be one of 256, 512, 1024, 2048, 4096, 8192, 16384 on Fargate, not '300'",
        ),
        (
            TASK_TYPE,
            {**TASK, "memory": "4096"},
            "memory",
            "must be one of 512, 1024, 2048 MiB on Fargate with 256 CPU units",
        ),
        (TASK_TYPE, {**TASK, "networkMode": "bridge"}, "networkMode", "must be awsvpc on Fargate"),
        (TASK_TYPE, {**TASK, "containerDefinitions": "[{"}, "containerDefinitions", "must be JSON"),
        (TASK_TYPE, {**TASK, "taskRoleArn": "task"}, "taskRoleArn", "must be an ARN, not 'task'"),
        (TASK_TYPE, containers(imagee="x"), "containerDefinitions", "container app: `imagee` is not a member"),
        (
            TASK_TYPE,
            containers(dependsOn=[{"containerName": "envoi", "condition": "START"}]),
            "containerDefinitions",
            "`dependsOn` names 'envoi', which is not a container of this task",
        ),
        (VPC_TYPE, {"cidrBlock": "10.0.0.1/24"}, "cidrBlock", "must be an IPv4 block such as 10.0.0.0/24"),
        (VPC_TYPE, {"cidrBlock": "10.0.0.0/8"}, "cidrBlock", "must have a prefix length between /16 and /28"),
        (VPC_TYPE, {"cidrBlock": "10.0.0.0/24", "cidrBlok": "x"}, "cidrBlok", "did you mean `cidrBlock`?"),
        (LOGS_TYPE, {"retentionInDays": 8}, "retentionInDays", "must be one of 0, 1, 3, 5, 7"),
        (LOGS_TYPE, {"retentionInDays": "week"}, "retentionInDays", "must be a whole number, not 'week'"),
        (LOGS_TYPE, {"arn": "arn:aws:logs:x"}, "arn", "is set by AWS and can't be given"),
        (ROLE_TYPE, {"assumeRolePolicy": TRUST, "name": "r" * 65}, "name", "must have 1 to 64 characters"),
        (ROLE_TYPE, {"assumeRolePolicy": "{"}, "assumeRolePolicy", "must be JSON"),
        (ROLE_TYPE, {}, "assumeRolePolicy", "is required for aws:iam/role:Role, but was not given"),
        (
            SERVICE_TYPE,
            {"taskDefinition": "crystal", "launchType": "FARGAT"},
            "launchType",
            "must be one of EC2, FARGATE",
        ),
        (NODE_TYPE, {"meshName": "m", "spec": {"listener": []}}, "spec.listener", "did you mean `listeners`?"),
        (
            NODE_TYPE,
            {"meshName": "m", "spec": {"listeners": [{"portMapping": {"port": 3000, "protocol": "htp"}}]}},
            "spec.listeners[0].portMapping.protocol",
            "must be one of http, tcp, http2, grpc, not 'htp'",
        ),
        (
            RULE_TYPE,
            {"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": 3000, "toPort": 3000},
            "cidrIpv4",
            "exactly one is needed of cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId; none is given",
        ),
    ],
)
def test_mistakes_are_named_by_place_and_reason(token: str, given: dict[str, Any], path: str, reason: str) -> None:
    """What AWS or the SDK's documentation rules out is refused, with the property and what would be right."""
    _, failures = check(token, given)

    assert path in [failure.path for failure in failures]
    assert reason in " ".join(failure.reason for failure in failures)


def test_all_mistakes_are_told_at_once() -> None:
    """Nobody has to run a program once for each of its mistakes."""
    _, failures = check(LOGS_TYPE, {"retentionInDays": 8, "nam": "x", "kmsKeyId": "key"})

    assert {"retentionInDays", "nam", "kmsKeyId"} == {failure.path for failure in failures}


def test_defaults_are_filled_in_and_told_apart_from_what_was_given() -> None:
    """Inputs hold every default, as those of the official provider do, and say which of them nobody gave."""
    inputs, _ = check(ROLE_TYPE, {"assumeRolePolicy": TRUST, "path": "/"})

    assert {"maxSessionDuration": 3600, "forceDetachPolicies": False, "path": "/"}.items() <= inputs.items()
    assert ["forceDetachPolicies", "maxSessionDuration", "name"] == inputs["__defaults"]


def test_a_made_up_name_is_the_logical_one_and_seven_digits() -> None:
    """The name follows from the engine's seed, fits the type, and stays over updates; a given one is left alone."""
    inputs, _ = check(LOGS_TYPE, {})

    assert inputs["name"].startswith("thing-")
    assert 7 == len(inputs["name"].removeprefix("thing-"))
    assert int(inputs["name"].removeprefix("thing-"), 16) >= 0
    assert inputs == check(LOGS_TYPE, {})[0]
    assert "thing-1234567" == check(LOGS_TYPE, {}, {"name": "thing-1234567", "__defaults": ["name"]})[0]["name"]
    assert "thing-1234567" != check(LOGS_TYPE, {}, {"name": "thing-1234567", "__defaults": []})[0]["name"]
    assert "mine" == check(LOGS_TYPE, {"name": "mine"})[0]["name"]
    assert 32 == len(checking.Names("x" * 40, b"seed", {}, "").name("name", "", 32))


def test_default_tags_and_region_come_from_the_provider() -> None:
    """`tagsAll` joins the provider's tags with the resource's own, which win; the region may be a resource's own."""
    tags = {"defaultTags": {"tags": {"team": "mesh", "env": "local"}}}
    inputs, _ = check(LOGS_TYPE, {"tags": {"env": "prod"}}, **tags)

    assert {"team": "mesh", "env": "prod"} == inputs["tagsAll"]
    assert "eu-west-1" == inputs["region"]
    assert "us-west-2" == check(LOGS_TYPE, {"region": "us-west-2"})[0]["region"]
    assert UNKNOWN == check(LOGS_TYPE, {"tags": {"id": UNKNOWN}}, **tags)[0]["tagsAll"]


def test_what_is_not_known_yet_is_not_judged() -> None:
    """During a preview the outputs of other resources are unknown; no rule may stumble over them."""
    given = {**TASK, "cpu": UNKNOWN, "taskRoleArn": UNKNOWN, "containerDefinitions": UNKNOWN}
    inputs, failures = check(TASK_TYPE, given)

    assert [] == failures
    assert UNKNOWN == inputs["containerDefinitions"]


def test_spellings_that_mean_the_same_are_accepted() -> None:
    """Numbers and booleans may be text, and text a number, as for the official provider."""
    inputs, failures = check(LOGS_TYPE, {"retentionInDays": "7", "skipDestroy": "true", "name": 5})

    assert [] == failures
    assert (7, True, "5") == (inputs["retentionInDays"], inputs["skipDestroy"], inputs["name"])


def test_a_type_that_is_not_served_is_named() -> None:
    """A program that uses another type learns that it is the stand-in that lacks it, and what to use."""
    with pytest.raises(UnknownTypeError, match=r"aws:s3/bucket:Bucket is not among .* LOCALAWS_PLUGINS=official"):
        resource("aws:s3/bucket:Bucket")
