"""IAM: roles, their inline and attached policies, instance profiles."""

import json
import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar
from urllib.parse import unquote

from localaws.plugins.aws.aws import Aws
from localaws.plugins.aws.fields import Fields, block, flag, output, table, text, unordered, whole
from localaws.plugins.aws.resource import Resource, Tagging
from localaws.plugins.aws.rules import between, is_arn, is_json, length, pattern
from localaws.plugins.aws.values import State

NAME_CHECKS = (pattern(r"[\w+=,.@-]+", "consist of letters, digits and any of +=,.@-_"),)
LONGEST_ROLE, LONGEST_POLICY, LONGEST_PROFILE = 64, 128, 128  # characters of a name
DAY, HOUR = 43200, 3600  # seconds: the bounds of a role session's length, which AWS calls twelve hours and one


def same_policy(one: str, other: str) -> bool:
    """Whether two policy documents say the same: order, and "x" for ["x"], make no difference."""
    try:
        return bool(_sense(json.loads(one)) == _sense(json.loads(other)))
    except ValueError:
        return one == other


def _sense(part: Any, key: str = "") -> Any:
    if isinstance(part, dict):
        return {name: _sense(value, name) for name, value in part.items()}
    if isinstance(part, list):
        items = sorted((_sense(item) for item in part), key=lambda item: json.dumps(item, sort_keys=True))
        return items[0] if len(items) == 1 and not (key == "Statement" and isinstance(items[0], list)) else items
    return str(part).lower() if isinstance(part, bool) else part


def decoded(document: object) -> str:
    """A policy as text: IAM answers it URL-encoded, botocore may have parsed it already."""
    if isinstance(document, str):
        return unquote(document)
    return json.dumps(document, separators=(",", ":"))


class Role(Resource):
    """A role. Its attached and inline policies are its own only where they are given here (Terraform's rule)."""

    token, label, service = "aws:iam/role:Role", "IAM Role", "iam"
    missing = frozenset({"NoSuchEntity"})
    tagging = Tagging("TagRole", "UntagRole", "RoleName")
    fields: ClassVar[Fields] = {
        "assumeRolePolicy": text(required=True, checks=(is_json,), same=same_policy, aws="AssumeRolePolicyDocument"),
        "description": text(checks=(length(0, 1000),)),
        "forceDetachPolicies": flag(local=True, default=False),
        "inlinePolicies": unordered(
            block({"name": text(), "policy": text(checks=(is_json,), same=same_policy)}), computed=True
        ),
        "managedPolicyArns": unordered(text(checks=(is_arn,)), computed=True),
        "maxSessionDuration": whole(default=HOUR, checks=(between(HOUR, DAY),)),
        "name": text(
            computed=True,
            replaces=True,
            autoname=LONGEST_ROLE,
            aws="RoleName",
            checks=(*NAME_CHECKS, length(1, LONGEST_ROLE)),
        ),
        "namePrefix": text(computed=True, replaces=True, checks=(length(1, 38),), local=True),
        "path": text(replaces=True, default="/"),
        "permissionsBoundary": text(checks=(is_arn,)),
        "tags": table(),
        "tagsAll": table(computed=True),
        "arn": output(text()),
        "createDate": output(text()),
        "uniqueId": output(text(aws="RoleId")),
    }

    def create(self, aws: Aws, inputs: State) -> str:
        names = ("name", "assumeRolePolicy", "description", "maxSessionDuration", "path", "permissionsBoundary")
        role = self.ask(aws, "CreateRole", **self.shaped(inputs, *names), Tags=self.tags(inputs))["Role"]
        return str(role["RoleName"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        for policy in inputs.get("inlinePolicies", ()):
            if policy.get("policy"):
                self.ask(
                    aws, "PutRolePolicy", RoleName=identity, PolicyName=policy["name"], PolicyDocument=policy["policy"]
                )
        for arn in inputs.get("managedPolicyArns", ()):
            self.ask(aws, "AttachRolePolicy", RoleName=identity, PolicyArn=arn)

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        found = self.find(aws, "GetRole", RoleName=identity)
        if found is None:
            return None
        role = found["Role"]
        return {
            **self.plain(role),
            "assumeRolePolicy": decoded(role["AssumeRolePolicyDocument"]),
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "managedPolicyArns": self._attached(aws, identity),
            "inlinePolicies": [self._inline(aws, identity, name) for name in self._inline_names(aws, identity)],
            "tagsAll": self.plain_tags(role.get("Tags")),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        if "assumeRolePolicy" in changed:
            self.ask(aws, "UpdateAssumeRolePolicy", RoleName=identity, PolicyDocument=new["assumeRolePolicy"])
        if {"description", "maxSessionDuration"} & changed:
            duration = new["maxSessionDuration"]
            self.ask(
                aws,
                "UpdateRole",
                RoleName=identity,
                Description=new.get("description", ""),
                MaxSessionDuration=duration,
            )
        if "permissionsBoundary" in changed and new.get("permissionsBoundary"):
            self.ask(
                aws, "PutRolePermissionsBoundary", RoleName=identity, PermissionsBoundary=new["permissionsBoundary"]
            )
        elif "permissionsBoundary" in changed:
            self.ask(aws, "DeleteRolePermissionsBoundary", RoleName=identity)
        if "managedPolicyArns" in changed:
            for arn in set(old.get("managedPolicyArns", ())) - set(new.get("managedPolicyArns", ())):
                self.ask(aws, "DetachRolePolicy", RoleName=identity, PolicyArn=arn)
        if "inlinePolicies" in changed:
            kept = {policy["name"] for policy in new.get("inlinePolicies", ())}
            for policy in old.get("inlinePolicies", ()):
                if policy["name"] not in kept:
                    self.ask(aws, "DeleteRolePolicy", RoleName=identity, PolicyName=policy["name"])

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        for profile in aws.pages("iam", "ListInstanceProfilesForRole", "InstanceProfiles", RoleName=identity):
            self.ask(
                aws,
                "RemoveRoleFromInstanceProfile",
                RoleName=identity,
                InstanceProfileName=profile["InstanceProfileName"],
            )
        forced = state.get("forceDetachPolicies")
        attached = self._attached(aws, identity) if forced else state.get("managedPolicyArns", ())
        inline = (
            self._inline_names(aws, identity)
            if forced
            else [policy["name"] for policy in state.get("inlinePolicies", ())]
        )
        for arn in set(attached) & set(self._attached(aws, identity)):
            self.ask(aws, "DetachRolePolicy", RoleName=identity, PolicyArn=arn)
        for name in set(inline) & set(self._inline_names(aws, identity)):
            self.ask(aws, "DeleteRolePolicy", RoleName=identity, PolicyName=name)
        self.ask(aws, "DeleteRole", RoleName=identity)

    def _attached(self, aws: Aws, role: str) -> list[str]:
        return [
            item["PolicyArn"]
            for item in aws.pages("iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName=role)
        ]

    def _inline_names(self, aws: Aws, role: str) -> list[str]:
        return [str(name) for name in aws.pages("iam", "ListRolePolicies", "PolicyNames", RoleName=role)]

    def _inline(self, aws: Aws, role: str, name: str) -> State:
        policy = self.ask(aws, "GetRolePolicy", RoleName=role, PolicyName=name)
        return {"name": name, "policy": decoded(policy["PolicyDocument"])}


class RolePolicy(Resource):
    """An inline policy of a role; its id is `role:policy`."""

    token, label, service = "aws:iam/rolePolicy:RolePolicy", "IAM Role Policy", "iam"
    missing = frozenset({"NoSuchEntity"})
    fields: ClassVar[Fields] = {
        "name": text(
            computed=True, replaces=True, autoname=LONGEST_POLICY, checks=(*NAME_CHECKS, length(1, LONGEST_POLICY))
        ),
        "namePrefix": text(computed=True, replaces=True, local=True),
        "policy": text(required=True, checks=(is_json,), same=same_policy),
        "role": text(required=True, replaces=True),
    }

    def create(self, aws: Aws, inputs: State) -> str:
        self._put(aws, inputs)
        return f"{inputs['role']}:{inputs['name']}"

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        role, _, name = identity.partition(":")
        found = self.find(aws, "GetRolePolicy", RoleName=role, PolicyName=name)
        return found and {"role": role, "name": name, "policy": decoded(found["PolicyDocument"])}

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        self._put(aws, new)

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        role, _, name = identity.partition(":")
        self.ask(aws, "DeleteRolePolicy", RoleName=role, PolicyName=name)

    def _put(self, aws: Aws, inputs: State) -> None:
        self.ask(
            aws, "PutRolePolicy", RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )


class RolePolicyAttachment(Resource):
    """A managed policy on a role; its id, and the id to import it by, is `role/policy ARN`.

    A replacement comes after the deletion: both could be the same attachment, and the deletion would take it away.
    """

    token, label, service = "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "IAM Role Policy Attachment", "iam"
    missing = frozenset({"NoSuchEntity"})
    naming = "policyArn"
    delete_first = True
    fields: ClassVar[Fields] = {
        "policyArn": text(required=True, replaces=True, checks=(is_arn,)),
        "role": text(required=True, replaces=True),
    }

    def create(self, aws: Aws, inputs: State) -> str:
        self.ask(aws, "AttachRolePolicy", RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        role, _, arn = identity.partition("/")
        attached = aws.pages("iam", "ListAttachedRolePolicies", "AttachedPolicies", RoleName=role)
        return {"role": role, "policyArn": arn} if any(item["PolicyArn"] == arn for item in attached) else None

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        self.ask(aws, "DetachRolePolicy", RoleName=state["role"], PolicyArn=state["policyArn"])


class InstanceProfile(Resource):
    """What hands a role to EC2 instances."""

    token, label, service = "aws:iam/instanceProfile:InstanceProfile", "IAM Instance Profile", "iam"
    missing = frozenset({"NoSuchEntity"})
    tagging = Tagging("TagInstanceProfile", "UntagInstanceProfile", "InstanceProfileName")
    fields: ClassVar[Fields] = {
        "name": text(
            computed=True, replaces=True, autoname=LONGEST_PROFILE, aws="InstanceProfileName", checks=NAME_CHECKS
        ),
        "namePrefix": text(computed=True, replaces=True, local=True),
        "path": text(replaces=True, default="/"),
        "role": text(),
        "tags": table(),
        "tagsAll": table(computed=True),
        "arn": output(text()),
        "createDate": output(text()),
        "uniqueId": output(text(aws="InstanceProfileId")),
    }

    def verify(self, inputs: State) -> Iterable[tuple[str, str]]:
        role = inputs.get("role", "")
        if re.match(r"arn:", role):
            yield "role", f"must be the name of a role, not its ARN {role!r}"

    def create(self, aws: Aws, inputs: State) -> str:
        self.ask(aws, "CreateInstanceProfile", **self.shaped(inputs, "name", "path"), Tags=self.tags(inputs))
        return str(inputs["name"])

    def settle(self, aws: Aws, identity: str, inputs: State, *, fresh: bool) -> None:
        if inputs.get("role") and inputs["role"] not in self._roles(aws, identity):
            self.ask(aws, "AddRoleToInstanceProfile", InstanceProfileName=identity, RoleName=inputs["role"])

    def read(self, aws: Aws, identity: str, prior: State) -> State | None:
        profile = self.ask(aws, "GetInstanceProfile", InstanceProfileName=identity)["InstanceProfile"]
        return {
            **self.plain(profile),
            "role": next((role["RoleName"] for role in profile["Roles"]), None),
            "createDate": profile["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tagsAll": self.plain_tags(profile.get("Tags")),
        }

    def update(self, aws: Aws, identity: str, old: State, new: State, changed: AbstractSet[str]) -> None:
        if old.get("role"):  # the new one follows in settle
            self.ask(aws, "RemoveRoleFromInstanceProfile", InstanceProfileName=identity, RoleName=old["role"])

    def delete(self, aws: Aws, identity: str, state: State) -> None:
        for role in self._roles(aws, identity):
            self.ask(aws, "RemoveRoleFromInstanceProfile", InstanceProfileName=identity, RoleName=role)
        self.ask(aws, "DeleteInstanceProfile", InstanceProfileName=identity)

    def _roles(self, aws: Aws, profile: str) -> list[str]:
        found = self.ask(aws, "GetInstanceProfile", InstanceProfileName=profile)["InstanceProfile"]["Roles"]
        return [str(role["RoleName"]) for role in found]
