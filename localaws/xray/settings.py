"""What an account sets for all of X-Ray in a region: encryption, destination, policies; and the tags of resources."""

import json
import uuid
from typing import Any

from localaws.xray import groups, sampling, tagging
from localaws.xray.context import Context, Given, one_page
from localaws.xray.errors import XRayError, invalid, not_found
from localaws.xray.store import Reading

_ENCRYPTION = "encryption"
_POLICY = "policy"
_MOST_POLICIES = 5
_LARGEST_POLICY = 5 * 1024


def get_encryption_config(context: Context, _given: Given) -> Given:
    """GetEncryptionConfig."""
    with context.store.reading() as reading:
        config = reading.records(context.scope, _ENCRYPTION).get("", {"Type": "NONE"})
    return {"EncryptionConfig": {**config, "Status": "ACTIVE"}}


def put_encryption_config(context: Context, given: Given) -> Given:
    """PutEncryptionConfig. Nothing here is encrypted; the setting takes effect at once."""
    key = given.get("KeyId")
    if (given["Type"] == "KMS") != bool(key):
        raise invalid("A KeyId belongs to the type KMS, and only to that.")
    config = {"Type": given["Type"], **({"KeyId": key} if key else {})}
    with context.store.writing() as writing:
        writing.record(context.scope, _ENCRYPTION, "", config)
    return {"EncryptionConfig": {**config, "Status": "UPDATING"}}


def get_trace_segment_destination(_context: Context, _given: Given) -> Given:
    """GetTraceSegmentDestination: there is no Transaction Search here."""
    return {"Destination": "XRay", "Status": "ACTIVE"}


def put_resource_policy(context: Context, given: Given) -> Given:
    """PutResourcePolicy. Policies are kept, not enforced."""
    name, document = given["PolicyName"], given["PolicyDocument"]
    if not _is_object(document):
        raise XRayError("MalformedPolicyDocumentException", "The policy document is no JSON object.")
    if len(document.encode()) > _LARGEST_POLICY:
        raise XRayError("PolicySizeLimitExceededException", f"A policy can have {_LARGEST_POLICY} bytes.")
    with context.store.writing() as writing:
        policies = writing.records(context.scope, _POLICY)
        _check_revision(policies, given)
        if name not in policies and len(policies) >= _MOST_POLICIES:
            raise XRayError("PolicyCountLimitExceededException", f"There can be {_MOST_POLICIES} policies.")
        policy = {
            "PolicyName": name,
            "PolicyDocument": document,
            "PolicyRevisionId": str(uuid.uuid4()),
            "LastUpdatedTime": int(context.now),
        }
        writing.record(context.scope, _POLICY, name, policy)
    return {"ResourcePolicy": policy}


def list_resource_policies(context: Context, given: Given) -> Given:
    """ListResourcePolicies."""
    one_page(given)
    with context.store.reading() as reading:
        return {"ResourcePolicies": list(reading.records(context.scope, _POLICY).values())}


def delete_resource_policy(context: Context, given: Given) -> Given:
    """DeleteResourcePolicy."""
    with context.store.writing() as writing:
        policies = writing.records(context.scope, _POLICY)
        if given["PolicyName"] not in policies:
            raise invalid(f"There is no resource policy {given['PolicyName']}.")
        _check_revision(policies, given)
        writing.forget(context.scope, _POLICY, given["PolicyName"])
    return {}


def tag_resource(context: Context, given: Given) -> Given:
    """TagResource."""
    with context.store.writing() as writing:
        _need(context, writing, given)
        tagging.put(writing, context.scope, given["ResourceARN"], given["Tags"])
    return {}


def untag_resource(context: Context, given: Given) -> Given:
    """UntagResource."""
    with context.store.writing() as writing:
        _need(context, writing, given)
        tagging.drop(writing, context.scope, given["ResourceARN"], given["TagKeys"])
    return {}


def list_tags_for_resource(context: Context, given: Given) -> Given:
    """ListTagsForResource."""
    one_page(given)
    with context.store.reading() as reading:
        _need(context, reading, given)
        tags = tagging.tags(reading, context.scope, given["ResourceARN"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _need(context: Context, reading: Reading, given: Given) -> None:
    if given["ResourceARN"] not in groups.arns(context, reading) | sampling.arns(context, reading):
        raise not_found(given["ResourceARN"])


def _check_revision(policies: dict[str, Any], given: Given) -> None:
    """Refuse a change of another revision than the current one; "0" stands for none."""
    wanted = given.get("PolicyRevisionId")
    current = policies.get(given["PolicyName"], {}).get("PolicyRevisionId", "0")
    if wanted and wanted != current:
        raise XRayError("InvalidPolicyRevisionIdException", f"The policy is at revision {current}, not {wanted}.")


def _is_object(document: str) -> bool:
    try:
        return isinstance(json.loads(document), dict)
    except (ValueError, RecursionError):
        return False
