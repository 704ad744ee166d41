"""Groups, tags, encryption and policies of X-Ray; and what is not known here."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.support import code_of

INVALID = "InvalidRequestException"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def region() -> str:
    return f"xray-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def xray(client: Callable[..., Any], region: str) -> Any:
    return client("xray", region)


def names(xray: Any) -> list[str]:
    return sorted(group["GroupName"] for group in xray.get_groups()["Groups"])


def test_a_group_is_made_changed_and_deleted(xray: Any, region: str) -> None:
    """A group has a name, an ARN, an expression and settings of insights, and goes by either of the first two."""
    made = xray.create_group(GroupName="faults", FilterExpression="fault")["Group"]

    assert ("faults", "fault") == (made["GroupName"], made["FilterExpression"])
    assert made["GroupARN"].startswith(f"arn:aws:xray:{region}:123456789012:group/faults/")
    assert {"InsightsEnabled": False, "NotificationsEnabled": False} == made["InsightsConfiguration"]
    assert made == xray.get_group(GroupName="faults")["Group"] == xray.get_group(GroupARN=made["GroupARN"])["Group"]

    insights = {"InsightsEnabled": True, "NotificationsEnabled": False}
    xray.update_group(GroupARN=made["GroupARN"], FilterExpression="error", InsightsConfiguration=insights)
    changed = xray.get_group(GroupName="faults")["Group"]
    assert {**made, "FilterExpression": "error", "InsightsConfiguration": insights} == changed
    assert ["Default", "faults"] == names(xray)

    xray.delete_group(GroupName="faults")
    assert ["Default"] == names(xray)


def test_the_default_group_stays(xray: Any) -> None:
    """The group of all traces can be neither made, nor narrowed, nor deleted."""
    assert code_of(xray.create_group, GroupName="Default") == INVALID
    assert code_of(xray.update_group, GroupName="Default", FilterExpression="fault") == INVALID
    assert code_of(xray.delete_group, GroupName="Default") == INVALID
    xray.update_group(GroupName="Default", InsightsConfiguration={"InsightsEnabled": True})
    assert xray.get_group(GroupName="Default")["Group"]["InsightsConfiguration"]["InsightsEnabled"]


def test_group_names_are_case_sensitive_and_unique(xray: Any) -> None:
    """Two groups may differ by case alone; the same name twice is refused, as is a wrong or missing one."""
    xray.create_group(GroupName="Shop")
    xray.create_group(GroupName="shop")

    assert ["Default", "Shop", "shop"] == names(xray)
    assert code_of(xray.create_group, GroupName="shop") == INVALID
    assert code_of(xray.create_group, GroupName="x" * 33) == INVALID
    for wrong in ({"GroupName": "SHOP"}, {"GroupARN": "shop"}, {}, {"GroupName": "shop", "GroupARN": "shop"}):
        for call in (xray.get_group, xray.update_group, xray.delete_group):
            assert code_of(call, **wrong) == INVALID


def test_a_group_s_expression_has_to_be_one(xray: Any) -> None:
    """A group that nothing could match is refused, when it is made and when it is changed."""
    assert code_of(xray.create_group, GroupName="bad", FilterExpression="fault AND") == INVALID
    xray.create_group(GroupName="good", FilterExpression='group.name = "Default" AND fault')
    assert code_of(xray.update_group, GroupName="good", FilterExpression="nonsense") == INVALID


def test_a_group_that_names_itself_is_an_error(xray: Any) -> None:
    """Groups may name each other, but not in a circle."""
    xray.create_group(GroupName="a", FilterExpression="fault")
    xray.create_group(GroupName="b", FilterExpression='group.name = "a"')
    xray.update_group(GroupName="a", FilterExpression='group.name = "b"')

    window = {"StartTime": 0, "EndTime": 60}

    assert code_of(xray.get_service_graph, **window, GroupName="a") == INVALID


def test_groups_and_rules_have_tags(xray: Any) -> None:
    """Tags are given at the start or later, replaced by key, taken away, and gone with what they belonged to."""
    arn = xray.create_group(GroupName="shop", Tags=[{"Key": "team", "Value": "a"}])["Group"]["GroupARN"]

    xray.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "b"}, {"Key": "cost", "Value": "1"}])
    xray.untag_resource(ResourceARN=arn, TagKeys=["cost", "never there"])

    assert [{"Key": "team", "Value": "b"}] == xray.list_tags_for_resource(ResourceARN=arn)["Tags"]
    too_many = [{"Key": str(number), "Value": ""} for number in range(50)]
    assert code_of(xray.tag_resource, ResourceARN=arn, Tags=too_many) == "TooManyTagsException"
    default = xray.get_sampling_rules()["SamplingRuleRecords"][0]["SamplingRule"]["RuleARN"]
    assert [] == xray.list_tags_for_resource(ResourceARN=default)["Tags"]
    xray.delete_group(GroupARN=arn)
    missing = "ResourceNotFoundException"
    assert code_of(xray.list_tags_for_resource, ResourceARN=arn) == missing
    assert code_of(xray.tag_resource, ResourceARN=arn, Tags=[]) == missing
    assert code_of(xray.untag_resource, ResourceARN=arn, TagKeys=[]) == missing


def test_encryption_is_a_setting(xray: Any) -> None:
    """A key goes with the type KMS, and only with it."""
    assert {"Type": "NONE", "Status": "ACTIVE"} == xray.get_encryption_config()["EncryptionConfig"]

    xray.put_encryption_config(Type="KMS", KeyId="alias/traces")

    expected = {"Type": "KMS", "KeyId": "alias/traces", "Status": "ACTIVE"}
    assert expected == xray.get_encryption_config()["EncryptionConfig"]
    assert code_of(xray.put_encryption_config, Type="KMS") == INVALID
    assert code_of(xray.put_encryption_config, Type="NONE", KeyId="alias/traces") == INVALID
    assert code_of(xray.put_encryption_config, Type="ROT13") == INVALID


def test_resource_policies_are_kept(xray: Any) -> None:
    """A policy is made, changed by who knows its revision, listed and deleted; there are five at most."""
    first = xray.put_resource_policy(PolicyName="a", PolicyDocument=POLICY, PolicyRevisionId="0")["ResourcePolicy"]
    second = xray.put_resource_policy(
        PolicyName="a", PolicyDocument=POLICY, PolicyRevisionId=first["PolicyRevisionId"]
    )["ResourcePolicy"]

    assert [second] == xray.list_resource_policies()["ResourcePolicies"]
    stale = {"PolicyName": "a", "PolicyRevisionId": first["PolicyRevisionId"]}
    mismatch = "InvalidPolicyRevisionIdException"
    assert code_of(xray.put_resource_policy, PolicyDocument=POLICY, **stale) == mismatch
    assert code_of(xray.delete_resource_policy, **stale) == mismatch
    malformed = "MalformedPolicyDocumentException"
    assert code_of(xray.put_resource_policy, PolicyName="b", PolicyDocument="no JSON") == malformed
    large = json.dumps({"Version": "x" * 5 * 1024})
    too_large = "PolicySizeLimitExceededException"
    assert code_of(xray.put_resource_policy, PolicyName="b", PolicyDocument=large) == too_large
    for name in "bcde":
        xray.put_resource_policy(PolicyName=name, PolicyDocument=POLICY)
    too_many = "PolicyCountLimitExceededException"
    assert code_of(xray.put_resource_policy, PolicyName="f", PolicyDocument=POLICY) == too_many
    xray.delete_resource_policy(PolicyName="a")
    assert ["b", "c", "d", "e"] == [one["PolicyName"] for one in xray.list_resource_policies()["ResourcePolicies"]]
    assert code_of(xray.delete_resource_policy, PolicyName="a") == INVALID


def test_segments_go_to_x_ray(xray: Any) -> None:
    """The destination of segments is X-Ray itself, ready."""
    answer = xray.get_trace_segment_destination()

    assert ("XRay", "ACTIVE") == (answer["Destination"], answer["Status"])


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("get_insight_summaries", {"StartTime": 0, "EndTime": 60}),
        ("get_indexing_rules", {}),
        ("start_trace_retrieval", {"TraceIds": [], "StartTime": 0, "EndTime": 60}),
        ("update_trace_segment_destination", {"Destination": "CloudWatchLogs"}),
    ],
)
def test_what_is_not_known_here_is_said_plainly(xray: Any, call: str, given: dict[str, Any]) -> None:
    """Insights, indexing rules and Transaction Search are answered as not known, rather than with nothing found."""
    assert code_of(getattr(xray, call), **given) == "NotImplementedByLocalAws"
