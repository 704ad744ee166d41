"""What the aws stand-in calls a change."""

import json
from typing import Any

import pytest

from localaws.plugins.aws import comparing, containers, shaping
from localaws.plugins.aws.catalogue import resource
from localaws.plugins.aws.iam import same_policy
from localaws.plugins.aws.values import UNKNOWN

SERVICE = resource("aws:ecs/service:Service")
LOGS = resource("aws:cloudwatch/logGroup:LogGroup")
NODE = resource("aws:appmesh/virtualNode:VirtualNode")
ROLE = resource("aws:iam/role:Role")
ARN = "arn:aws:ecs:us-east-1:123456789012:cluster/container-demo"
STATE: dict[str, Any] = {
    "name": "crystal",
    "cluster": ARN,
    "taskDefinition": "arn:aws:ecs:us-east-1:123456789012:task-definition/crystal:1",
    "desiredCount": 1,
    "launchType": "FARGATE",
    "networkConfiguration": {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"], "assignPublicIp": False},
    "platformVersion": "LATEST",
    "tags": {"a": "1"},
}


def changed(new: dict[str, Any], *ignored: str) -> set[tuple[str, str, bool]]:
    found = comparing.changes(SERVICE.fields, STATE, {**STATE, **new}, ignored)
    return {(change.path, change.act.value, change.replaces) for change in found}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({}, set()),
        ({"desiredCount": 2}, {("desiredCount", "UPDATE", False)}),
        ({"desiredCount": 0}, {("desiredCount", "UPDATE", False)}),
        ({"desiredCount": None}, {("desiredCount", "DELETE", False)}),
        ({"platformVersion": None}, set()),  # AWS chose it
        ({"launchType": "EC2"}, {("launchType", "UPDATE", True)}),
        ({"cluster": "container-demo"}, set()),  # the name of what the ARN names
        ({"cluster": "other"}, {("cluster", "UPDATE", True)}),
        ({"cluster": UNKNOWN}, {("cluster", "UPDATE", True)}),
        ({"taskDefinition": UNKNOWN}, {("taskDefinition", "UPDATE", False)}),
        ({"enableExecuteCommand": False}, set()),  # as good as absent
        ({"enableExecuteCommand": True}, {("enableExecuteCommand", "ADD", False)}),
        ({"tags": {"a": "1", "b": "2"}}, {("tags.b", "ADD", False)}),
        ({"tags": {}}, {("tags", "DELETE", False)}),
        (
            {"networkConfiguration": {"subnets": ["subnet-2", "subnet-1"], "securityGroups": ["sg-1"]}},
            set(),  # no order, and the default said or not
        ),
        (
            {"networkConfiguration": {"subnets": ["subnet-1", "subnet-3"], "securityGroups": ["sg-1"]}},
            {("networkConfiguration.subnets[1]", "UPDATE", False)},
        ),
    ],
)
def test_changes_are_what_aws_would_notice(new: dict[str, Any], expected: set[tuple[str, str, bool]]) -> None:
    """Each difference is one change with its path and kind; what means the same to AWS is none."""
    assert expected == changed(new)


def test_ignored_paths_hide_what_lies_below_them() -> None:
    """`ignoreChanges` takes whole properties, parts of them and wildcards."""
    new = {"desiredCount": 2, "tags": {"a": "2", "b": "2"}}

    assert {("tags.a", "UPDATE", False), ("tags.b", "ADD", False)} == changed(new, "desiredCount")
    assert {("tags.b", "ADD", False)} == changed(new, "desiredCount", 'tags["a"]')
    assert set() == changed(new, "desiredCount", "tags.*")


def test_container_definitions_are_compared_by_meaning() -> None:
    """Order of containers, of the environment, defaults and what AWS fills in make no new revision."""
    given = [
        {"name": "app", "image": "a", "portMappings": [{"containerPort": 3000}], "healthCheck": {"command": ["x"]}},
        {"name": "envoy", "image": "e", "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
    ]
    answered = [
        {
            "name": "envoy",
            "image": "e",
            "cpu": 0,
            "essential": True,
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "mountPoints": [],
            "volumesFrom": [],
        },
        {
            "name": "app",
            "image": "a",
            "cpu": 0,
            "essential": True,
            "environment": [],
            "portMappings": [{"containerPort": 3000, "hostPort": 3000, "protocol": "tcp"}],
            "healthCheck": {"command": ["x"], "interval": 30, "timeout": 5, "retries": 3},
        },
    ]

    assert containers.same_containers(json.dumps(given), json.dumps(answered))
    answered[0]["environment"] = [{"name": "A", "value": "1"}]
    assert not containers.same_containers(json.dumps(given), json.dumps(answered))


def test_policies_are_compared_by_meaning() -> None:
    """One action is the same in a list and without, and lists have no order; another effect is another policy."""
    one = {"Statement": [{"Effect": "Allow", "Action": ["logs:B", "logs:A"], "Resource": ["*"]}]}
    same = {"Statement": {"Resource": "*", "Action": ["logs:A", "logs:B"], "Effect": "Allow"}}
    other = {"Statement": [{"Effect": "Deny", "Action": ["logs:B", "logs:A"], "Resource": ["*"]}]}

    assert same_policy(json.dumps(one), json.dumps(same))
    assert not same_policy(json.dumps(one), json.dumps(other))


def test_a_reading_keeps_the_words_of_the_state_where_nothing_changed() -> None:
    """AWS's other order and spelling do not get into the state, so a refresh changes nothing."""
    policy, respelled = '{"Statement": []}', '{"Statement":[]}'
    prior = {"assumeRolePolicy": policy, "managedPolicyArns": ["b", "a"], "forceDetachPolicies": True}
    read = {"assumeRolePolicy": respelled, "managedPolicyArns": ["a", "b", "c"]}

    state = shaping.settled(ROLE.fields, read, prior)

    assert policy == state["assumeRolePolicy"]
    assert ["b", "a", "c"] == state["managedPolicyArns"]
    assert state["forceDetachPolicies"]
    assert "" == state["namePrefix"]


def test_mesh_specifications_take_aws_spelling_and_back() -> None:
    """The few places where Pulumi's App Mesh names differ from AWS's are translated in both directions."""
    spec = {
        "listeners": [
            {
                "portMapping": {"port": 3000, "protocol": "http"},
                "connectionPool": {"https": [{"maxConnections": 5}]},
            }
        ],
        "serviceDiscovery": {"awsCloudMap": {"namespaceName": "n", "serviceName": "s", "attributes": {"zone": "a"}}},
        "logging": {"accessLog": {"file": {"path": "/dev/stdout", "format": {"jsons": [{"key": "k", "value": "v"}]}}}},
    }

    there = shaping.to_aws(NODE.fields["spec"].fields, spec, capitals=False)

    assert {"http": {"maxConnections": 5}} == there["listeners"][0]["connectionPool"]
    assert [{"key": "zone", "value": "a"}] == there["serviceDiscovery"]["awsCloudMap"]["attributes"]
    assert [{"key": "k", "value": "v"}] == there["logging"]["accessLog"]["file"]["format"]["json"]
    assert spec == shaping.from_aws(NODE.fields["spec"].fields, there, capitals=False)


def test_a_log_group_that_keeps_logs_for_ever_says_zero() -> None:
    """0 days and none given are the same to AWS."""
    assert [] == comparing.changes(LOGS.fields, {"retentionInDays": 0}, {})
