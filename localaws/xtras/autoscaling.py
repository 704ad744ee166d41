"""Application Auto Scaling: tags, pages that go on, and policies that stay themselves when they are changed."""

import json
from types import ModuleType
from typing import Any, cast

import moto.applicationautoscaling.urls
from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeApplicationAutoscalingPolicy,
    FakeScalableTarget,
    applicationautoscaling_backends,
)
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse, _build_target
from moto.core.exceptions import ServiceException

from localaws.xtras.patching import add

_PAGE = 50  # AWS API reference, DescribeScalableTargets
_ROLE = "arn:aws:iam::{account}:role/aws-service-role/{service}.application-autoscaling.amazonaws.com/{name}"
_ROLE_NAMES = {"ecs": "AWSServiceRoleForApplicationAutoScaling_ECSService"}
_NOT_SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


class AutoscalingError(ServiceException):
    """An error that Application Auto Scaling answers with: code and message."""


class AutoscalingBackend(ApplicationAutoscalingBackend):
    """Application Auto Scaling of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._tags: dict[str, dict[str, str]] = {}  # by ARN of the target

    @property
    def _url_module(self) -> ModuleType:
        return moto.applicationautoscaling.urls

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a target, to be read or changed."""
        if not any(target.arn == arn for targets in self.targets.values() for target in targets.values()):
            raise AutoscalingError("ResourceNotFoundException", f"The resource {arn} does not exist.")
        return self._tags.setdefault(arn, {})

    def deregister_scalable_target(self, namespace: str, r_id: str, dimension: str) -> None:
        """Forget a target, with its tags and policies."""
        target = self.targets.get(dimension, {}).get(r_id)
        super().deregister_scalable_target(namespace, r_id, dimension)
        if target:
            self._tags.pop(target.arn, None)
        for policy in list(self.policies.values()):
            if (policy.resource_id, policy.scalable_dimension) == (r_id, dimension):
                self.delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)

    def put_scaling_policy(  # noqa: PLR0913, PLR0917 - moto's signature
        self,
        policy_name: str,
        service_namespace: str,
        resource_id: str,
        scalable_dimension: str,
        policy_body: dict[str, Any],
        policy_type: str | None,
    ) -> FakeApplicationAutoscalingPolicy:
        """Make a policy of a target, or change one, which keeps its ARN."""
        if resource_id not in self.targets.get(scalable_dimension, {}):
            message = (
                f"No scalable target registered for service namespace: {service_namespace}, resource ID: {resource_id}"
            )
            raise AutoscalingError("ObjectNotFoundException", f"{message}, scalable dimension: {scalable_dimension}")
        key = FakeApplicationAutoscalingPolicy.formulate_key(
            service_namespace, resource_id, scalable_dimension, policy_name
        )
        before = self.policies.get(key)
        policy = super().put_scaling_policy(
            policy_name, service_namespace, resource_id, scalable_dimension, policy_body, policy_type
        )
        if before:
            before.delete_alarms(self.account_id, self.region_name)
            policy.policy_arn, policy.creation_time = before.policy_arn, before.creation_time
        return policy


def install() -> None:
    """Put this service in the place of moto's."""
    applicationautoscaling_backends.backend = AutoscalingBackend
    register = ApplicationAutoScalingResponse.register_scalable_target

    def register_with_tags(response: ApplicationAutoScalingResponse) -> str:
        answer = register(response)
        _backend(response).tags(json.loads(answer)["ScalableTargetARN"]).update(_given(response).get("Tags") or {})
        return answer

    add(
        ApplicationAutoScalingResponse,
        register_scalable_target=register_with_tags,
        describe_scalable_targets=_describe_scalable_targets,
        list_tags_for_resource=_list_tags_for_resource,
        tag_resource=_tag_resource,
        untag_resource=_untag_resource,
    )


def _backend(response: ApplicationAutoScalingResponse) -> AutoscalingBackend:
    return cast("AutoscalingBackend", response.applicationautoscaling_backend)


def _given(response: ApplicationAutoScalingResponse) -> dict[str, Any]:
    return dict(json.loads(response.body))


def _describe_scalable_targets(response: ApplicationAutoScalingResponse) -> str:
    response._validate_params()  # noqa: SLF001 - as the method does that this stands in for
    given = _given(response)
    found = _backend(response).describe_scalable_targets(
        given["ServiceNamespace"], given.get("ResourceIds"), given.get("ScalableDimension")
    )
    start = int(given.get("NextToken") or 0)
    end = start + (given.get("MaxResults") or _PAGE)
    answer = {"ScalableTargets": [_described(target) for target in found[start:end]]}
    return json.dumps(answer if end >= len(found) else {**answer, "NextToken": str(end)})


def _described(target: FakeScalableTarget) -> dict[str, Any]:
    """Return a target with what AWS adds where nothing is said."""
    described = _build_target(target)
    service = target.service_namespace
    role = _ROLE.format(
        account=target.applicationautoscaling_backend.account_id,
        service=service,
        name=_ROLE_NAMES.get(service, f"AWSServiceRoleForApplicationAutoScaling_{service}"),
    )
    described["RoleARN"] = described["RoleARN"] or role
    described["SuspendedState"] = {**_NOT_SUSPENDED, **(described["SuspendedState"] or {})}
    return described


def _list_tags_for_resource(response: ApplicationAutoScalingResponse) -> str:
    return json.dumps({"Tags": _tags(response)})


def _tag_resource(response: ApplicationAutoScalingResponse) -> str:
    _tags(response).update(_given(response)["Tags"])
    return "{}"


def _untag_resource(response: ApplicationAutoScalingResponse) -> str:
    tags = _tags(response)
    for key in _given(response)["TagKeys"]:
        tags.pop(key, None)
    return "{}"


def _tags(response: ApplicationAutoScalingResponse) -> dict[str, str]:
    return _backend(response).tags(_given(response)["ResourceARN"])
