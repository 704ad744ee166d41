"""What is handed to AWS, held against checks that are not ours: the AWS SDK's model of ECS, moto's of IAM, cfn-lint.

cfn-lint knows what fits together, as CPU and memory on Fargate, and which actions there are for which resources.
"""

import copy
import itertools
import json
import re
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator

from services import SERVICES
from services.collectors import COLLECTORS
from tests.services.documents import findings, registered, resources
from tests.services.world import Deployment, deployed

_ECS: Any = botocore.session.Session().get_service_model("ecs")
TASK_DEFINITION = _ECS.operation_model("RegisterTaskDefinition").input_shape
MOST = 65_536  # bytes, of a task definition. Source: ECS quotas

MESHES = {
    "appmesh": {"mesh": "appmesh"},
    "envoy": {"mesh": "envoy"},
    "both": {"mesh": "envoy", "bothMeshes": "true"},
}
EVERYTHING = list(itertools.product(SERVICES, MESHES, COLLECTORS, ("true", "false")))
each_of_all = pytest.mark.parametrize(("service", "mesh", "collector", "tracing"), EVERYTHING)


def made(service: str, mesh: str, collector: str, tracing: str) -> Deployment:
    more = {"loadTestHost": "true"} if service == "platform" else {}
    return deployed(service, **MESHES[mesh], **more, collector=collector, tracing=tracing, samplingRate="0.5")


@each_of_all
def test_ecs_takes_the_task_definition(service: str, mesh: str, collector: str, tracing: str) -> None:
    """Every field is one of ECS's, of its type and within its values; and all of them are not too much."""
    given = registered(made(service, mesh, collector, tracing))
    assert ParamValidator().validate(given, TASK_DEFINITION).generate_report() == ""
    assert len(json.dumps(given).encode()) < MOST


@each_of_all
def test_iam_takes_the_policies(service: str, mesh: str, collector: str, tracing: str) -> None:
    """Grammar, actions with a service, resources that are ARNs; who may take a role."""
    deployment = made(service, mesh, collector, tracing)
    roles, policies = (deployment.all(token) for token in ("iam/role:Role", "iam/rolePolicy:RolePolicy"))
    assert roles
    assert policies
    for role in roles:
        IAMTrustPolicyDocumentValidator(role.inputs["assumeRolePolicy"]).validate()
    for policy in policies:
        IAMPolicyDocumentValidator(policy.inputs["policy"]).validate()


def test_cloudformation_would_take_them() -> None:
    """The task definitions and roles of all deployments, each of which is different, in one template."""
    found: dict[str, str] = {}
    for case in EVERYTHING:
        for resource in resources(made(*case)):
            name = "".join(re.findall(r"\w", "".join(each.title() for each in case)))
            found.setdefault(json.dumps(resource), f"{name}{len(found)}")
    assert findings({name: json.loads(text) for text, name in found.items()}) == []


def test_cfn_lint_would_object() -> None:
    """To a size that Fargate does not have, an action that there is not, and one that is not for such a resource."""
    task, role, _ = resources(made("crystal", "appmesh", "adot", "true"))
    sized, misspelt, elsewhere = (copy.deepcopy(each) for each in (task, role, role))
    sized["Properties"]["Memory"] = "512"
    spoilt = ((misspelt, {"Action": "appmesh:StreamResources"}), (elsewhere, {"Resource": "arn:aws:s3:::a"}))
    for each, part in spoilt:
        each["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0].update(part)
    told = findings({"Size": sized, "Action": misspelt, "Resource": elsewhere})
    assert sorted(line.partition(":")[0] for line in told) == ["E3047 Size", "I3510 Resource", "W3037 Action"]


def test_the_models_would_object() -> None:
    """To a field that ECS does not have, a text for a number, and a policy without an effect."""
    wrong = {"family": "x", "containerDefinitions": [{"name": "x", "image": "x", "essentail": True, "cpu": "1"}]}
    told = ParamValidator().validate(wrong, TASK_DEFINITION).generate_report()
    assert "essentail" in told
    assert "containerDefinitions[0].cpu" in told
    with pytest.raises(Exception, match="Syntax errors in policy"):
        IAMPolicyDocumentValidator(
            '{"Version": "2012-10-17", "Statement": [{"Action": "s3:Get", "Resource": "*"}]}'
        ).validate()
