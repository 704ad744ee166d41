"""The documents of a deployment as ECS gets them, and as CloudFormation would: that is what cfn-lint knows."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from tests.services.world import REGION, Deployment

Document = dict[str, Any]

# How the mocks' ARNs begin, and how those of AWS do; a virtual node's stands for a virtual gateway's, too.
_ARNS = {
    f"arn:aws:{service}:{REGION}:123456789012:": real
    for service, real in {
        "iam": "arn:aws:iam::123456789012:role/",
        "cloudwatch": f"arn:aws:logs:{REGION}:123456789012:log-group:",
        "appmesh": f"arn:aws:appmesh:{REGION}:123456789012:mesh/ecs-mesh/virtualNode/",
    }.items()
}
_OPTIONS = "options"  # of a log driver: its keys are its own


def registered(deployment: Deployment) -> Document:
    """The task definition as ECS is asked to register it."""
    given = dict(deployment.one("ecs/taskDefinition:TaskDefinition"))
    given["containerDefinitions"] = json.loads(given["containerDefinitions"])
    if proxy := given.get("proxyConfiguration"):
        properties = [{"name": name, "value": value} for name, value in proxy["properties"].items()]
        given["proxyConfiguration"] = {**proxy, "properties": properties}
    return given


def resources(deployment: Deployment) -> Iterator[Document]:
    """Yield the task definition and each role, with its policies, as CloudFormation has them."""
    task = dict(_capitalised(registered(deployment)))
    if proxy := task.get("ProxyConfiguration"):
        proxy["ProxyConfigurationProperties"] = proxy.pop("Properties")
    yield _resource("AWS::ECS::TaskDefinition", task)
    policies = deployment.all("iam/rolePolicy:RolePolicy")
    attached = deployment.all("iam/rolePolicyAttachment:RolePolicyAttachment")
    for role in deployment.all("iam/role:Role"):
        properties = {
            "AssumeRolePolicyDocument": json.loads(role.inputs["assumeRolePolicy"]),
            "ManagedPolicyArns": [
                each.inputs["policyArn"] for each in attached if each.inputs["role"].startswith(role.name)
            ],
            "Policies": [
                {"PolicyName": each.name, "PolicyDocument": json.loads(each.inputs["policy"])}
                for each in policies
                if each.inputs["role"].startswith(role.name)
            ],
        }
        yield _resource("AWS::IAM::Role", properties)


def findings(found: Mapping[str, Document]) -> list[str]:
    """What cfn-lint has to say about resources, by their names: errors, warnings and remarks alike."""
    template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": found})
    matches = lint(template, config=ManualArgs(regions=[REGION], include_checks=["I"]))
    return [f"{match.rule.id} {match.path[1] if match.path else ''}: {match.message}" for match in matches]


def _capitalised(value: Any) -> Any:
    """A value of an API as CloudFormation spells it."""
    if isinstance(value, list):
        return [_capitalised(each) for each in value]
    if isinstance(value, dict):
        return {
            f"{key[0].upper()}{key[1:]}": each if key == _OPTIONS else _capitalised(each) for key, each in value.items()
        }
    return value


def _resource(kind: str, properties: Mapping[str, Any]) -> Document:
    text = json.dumps({"Type": kind, "Properties": properties}, sort_keys=True)
    for ours, real in _ARNS.items():
        text = text.replace(ours, real)
    return dict(json.loads(text))
