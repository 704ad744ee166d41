"""What is handed to AWS, held against checks that are not ours: the AWS SDK's model of ECS, and moto's of IAM."""

import itertools
import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator

from services import SERVICES
from services.collectors import COLLECTORS
from tests.services.world import Deployment, deployed

_ECS: Any = botocore.session.Session().get_service_model("ecs")
TASK_DEFINITION = _ECS.operation_model("RegisterTaskDefinition").input_shape


EVERYTHING = list(itertools.product(SERVICES, ("appmesh", "envoy"), COLLECTORS))


def made(service: str, mesh: str, collector: str) -> Deployment:
    return deployed(service, mesh=mesh, collector=collector, tracing="true", samplingRate="0.5")


def registered(deployment: Deployment) -> dict[str, Any]:
    """The task definition as ECS is asked to register it."""
    inputs = deployment.one("ecs/taskDefinition:TaskDefinition")
    given = {
        key: inputs[key]
        for key in (
            "family",
            "networkMode",
            "cpu",
            "memory",
            "requiresCompatibilities",
            "taskRoleArn",
            "executionRoleArn",
        )
    }
    proxy = inputs.get("proxyConfiguration")
    if proxy:
        properties = [{"name": name, "value": value} for name, value in proxy["properties"].items()]
        given["proxyConfiguration"] = {**proxy, "properties": properties}
    return {**given, "containerDefinitions": json.loads(inputs["containerDefinitions"])}


@pytest.mark.parametrize(("service", "mesh", "collector"), EVERYTHING)
def test_ecs_takes_the_task_definition(service: str, mesh: str, collector: str) -> None:
    """Every field is one of ECS's, of its type and within its values."""
    report = ParamValidator().validate(registered(made(service, mesh, collector)), TASK_DEFINITION)
    assert report.generate_report() == ""


@pytest.mark.parametrize(("service", "mesh", "collector"), EVERYTHING)
def test_iam_takes_the_policies(service: str, mesh: str, collector: str) -> None:
    """Grammar, actions with a service, resources that are ARNs; who may take a role."""
    deployment = made(service, mesh, collector)
    roles, policies = (deployment.all(token) for token in ("iam/role:Role", "iam/rolePolicy:RolePolicy"))
    assert roles
    assert policies
    for role in roles:
        IAMTrustPolicyDocumentValidator(role.inputs["assumeRolePolicy"]).validate()
    for policy in policies:
        IAMPolicyDocumentValidator(policy.inputs["policy"]).validate()


def test_the_checks_would_object() -> None:
    """To a field that ECS does not have, a text for a number, and a policy without an effect."""
    wrong = {"family": "x", "containerDefinitions": [{"name": "x", "image": "x", "essentail": True, "cpu": "1"}]}
    told = ParamValidator().validate(wrong, TASK_DEFINITION).generate_report()
    assert "essentail" in told
    assert "containerDefinitions[0].cpu" in told
    with pytest.raises(Exception, match="Syntax errors in policy"):
        IAMPolicyDocumentValidator(
            '{"Version": "2012-10-17", "Statement": [{"Action": "s3:Get", "Resource": "*"}]}'
        ).validate()
