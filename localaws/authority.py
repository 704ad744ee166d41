"""What a task may do: its calls are signed with credentials of its role, and held against the role's policies.

Everybody else may do everything, as the owner of this AWS. Of the services, X-Ray is the one that tasks call here.
"""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from localaws.calls import Call

_HELD = ("xray",)
_LETTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class _Session:
    role: str  # ARN
    name: str  # the task's id


_sessions: dict[str, _Session] = {}  # by access key id


def issue(role: str, task_id: str) -> Mapping[str, str]:
    """Return the variables with which a task signs its calls; none where it has no role (`role`: the ARN, or "")."""
    if not role:
        return {}
    # As long as AWS's, and beginning as those of a role do.
    key = "ASIA" + "".join(secrets.choice(_LETTERS) for _ in range(16))
    _sessions[key] = _Session(role, task_id)
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(30)}


def withdraw(task_id: str) -> None:
    """Forget the credentials of a task that has ended."""
    for key in [key for key, session in _sessions.items() if session.name == task_id]:
        del _sessions[key]


def refusal(call: Call, authorization: str) -> str | None:
    """Return why a call is refused, in AWS's words; None where it is not. `authorization` is the request's header."""
    if call.service not in _HELD or not _sessions:
        return None
    key = authorization.partition("Credential=")[2].partition("/")[0]
    session = _sessions.get(key)
    if session is None:
        return None
    action = f"{call.service}:{call.operation}"
    account, name = session.role.split(":")[4], session.role.rpartition("/")[2]
    if _permits(account, name, action):
        return None
    who = f"arn:aws:sts::{account}:assumed-role/{name}/{session.name}"
    why = f"because no identity-based policy allows the {action} action"
    return f"User: {who} is not authorized to perform: {action} {why}"


def _permits(account: str, name: str, action: str) -> bool:
    iam = iam_backends[account][get_partition("us-east-1")]
    role = next((role for role in iam.roles.values() if role.name == name), None)
    if role is None:
        return False
    policies = [*role.managed_policies.values(), *role.policies.values()]
    results = {IAMPolicy(policy).is_action_permitted(action) for policy in policies}
    return PermissionResult.PERMITTED in results and PermissionResult.DENIED not in results
