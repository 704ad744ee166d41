"""The rights of the caller: complete for what the stacks have, least, and as they are written down."""

import json
import re
from itertools import product
from pathlib import Path

import botocore.session
import pytest

from automation.permissions import FILE, RIGHTS, policy
from services import SERVICES, entries
from services.fleet import parse
from tests.services.world import deployed

ROOT = Path(__file__).resolve().parents[2]
MOST = 6144  # characters of a managed policy, white space aside


def test_every_type_of_resource_has_its_rights() -> None:
    """Of all services, in both meshes, with every option."""
    known = {kind for right in RIGHTS for kind in right.types}
    options = {"tracing": "true", "autoscaling": "true", "loadTestHost": "true"}
    for service, mesh in product(SERVICES, ("appmesh", "envoy")):
        made = {each.type for each in deployed(service, mesh=mesh, **options).resources if each.type.startswith("aws:")}
        assert {kind.removeprefix("aws:") for kind in made} - known == set()


def test_the_policy_that_is_written_down_is_the_one_in_effect() -> None:
    """And IAM takes it as one managed policy."""
    text = (ROOT / FILE).read_text(encoding="utf-8")
    assert json.loads(text) == policy()
    assert len(re.sub(r"\s", "", text)) <= MOST


def test_it_names_the_clusters_of_all_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """GIVEN two of them THEN each cluster is there once in the place of the demo's."""
    fleet = parse("platforms: [platform, pay]\nservices: {till: {image: x, platform: pay}}")
    monkeypatch.setattr(SERVICES, "found", entries(fleet))
    named = [arn for each in policy()["Statement"] for arn in each["Resource"] if ":cluster/" in arn]
    assert named == [f"arn:aws:ecs:*:*:cluster/{name}" for name in ("container-demo", "container-demo-pay")]


def test_it_is_the_least() -> None:
    """No wildcard among the actions; roles are of our making, and lead to ECS and to X-Ray alone."""
    statements = {each["Sid"]: each for each in policy()["Statement"]}
    assert not [action for each in statements.values() for action in each["Action"] if "*" in action]
    for sid in ("Roles", "XRayPolicy", "PassRoles"):
        assert all(re.fullmatch(r"arn:aws:iam::\*:role/\*-\w+-role-\*", arn) for arn in statements[sid]["Resource"])
    assert statements["PassRoles"]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert "AWSXRayDaemonWriteAccess" in json.dumps(statements["XRayPolicy"]["Condition"])
    assert "AppMesh" not in statements


# IAM's names of services, and the SDK's; actions that are no calls.
_SDK = {"elasticloadbalancing": "elbv2", "servicequotas": "service-quotas"}
_NO_CALLS = {"iam:PassRole"}


@pytest.mark.parametrize("right", RIGHTS, ids=lambda right: str(right.sid))
def test_every_action_is_one_that_there_is(right: object) -> None:
    """As the SDK knows the calls of each service."""
    session = botocore.session.Session()
    for action in set(getattr(right, "actions", ())) - _NO_CALLS:
        service, _, call = action.partition(":")
        assert call in session.get_service_model(_SDK.get(service, service)).operation_names
