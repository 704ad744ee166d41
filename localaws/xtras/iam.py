"""IAM: AWS's own managed policies, each taken from moto's copy when it is first asked for.

Moto reads either all 1,500 at the start, which takes two seconds and 100 MB, or none.
"""

import json
from collections.abc import Callable
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

from localaws.xtras.patching import wrap

_AWS = ":iam::aws:policy/"  # in the ARN of a policy that AWS manages


def install() -> None:
    """Mend moto's service."""
    for method in ("attach_role_policy", "attach_user_policy", "attach_group_policy", "get_policy"):
        wrap(IAMBackend, method, _knowing)
    wrap(IAMBackend, "list_policies", _knowing_all)


def _knowing(call: Callable[..., Any], backend: IAMBackend, policy_arn: str, *args: Any, **kwargs: Any) -> Any:
    if policy_arn not in backend.managed_policies and _AWS in policy_arn:
        _learn(backend, policy_arn.rpartition("/")[2])
    return call(backend, policy_arn, *args, **kwargs)


def _knowing_all(call: Callable[..., Any], backend: IAMBackend, *args: Any, **kwargs: Any) -> Any:
    for name, data in json.loads(aws_managed_policies_data).items():
        _keep(backend, name, data)
    return call(backend, *args, **kwargs)


def _learn(backend: IAMBackend, name: str) -> None:
    """Take one policy over, without reading the 5 MB of all of them as JSON."""
    mark = f"\n {json.dumps(name)}:"
    place = aws_managed_policies_data.find(mark)
    if place >= 0:
        data, _ = json.JSONDecoder().raw_decode(aws_managed_policies_data, place + len(mark))
        _keep(backend, name, data)


def _keep(backend: IAMBackend, name: str, data: dict[str, Any]) -> None:
    policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
    backend.managed_policies.setdefault(policy.arn, policy)
