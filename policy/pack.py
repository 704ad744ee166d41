"""The rules of `checks` as policies of Pulumi, so that they hold for `pulumi up` by hand, too.

A rule is a mandatory policy, and an advisory one for what it only warns of. Pulumi shows a policy each resource before
that is touched, or the whole stack once all of it is planned or done; never steps or other stacks: the rules
`stateful_replacement`, `mesh_in_one_go` and `tracing_hop` are left to `automation/preview.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from inspect import getdoc
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from automation.forecast import Resource, StackForecast, Unknown
from checks.access import open_security_group
from checks.exceptions import remaining
from checks.model import TASK_DEFINITION, Finding, Planned, Severity, Stack
from checks.resources import RULES
from checks.tracing import TASK_RULES, Names, Task, tasks, tracing_policy
from services import StackNameError, split_stack_name, tracing
from services.fleet_model import FleetError

NAME = "ecs-tracing"

Rule = Callable[[Stack, Planned], Iterator[Finding]]

_NAMES = Names(**tracing.NAMES)
_LEVELS: Mapping[Severity, EnforcementLevel] = {
    "error": EnforcementLevel.MANDATORY,
    "warning": EnforcementLevel.ADVISORY,
}
# They look at other resources, too; every other rule at one alone, which is then refused before it is made.
_OF_STACKS = (open_security_group.__name__, tracing_policy.__name__)


def policies() -> list[Policy]:
    """All rules about one resource or one stack."""
    rules = (*RULES, *map(_of_task, TASK_RULES))
    return [_policy(rule, severity) for rule in rules for severity in _LEVELS]


def _policy(rule: Rule, severity: Severity) -> Policy:
    def resource(args: ResourceValidationArgs, report: ReportViolation) -> None:
        _judge(rule, severity, [args], report)

    def stack(args: StackValidationArgs, report: ReportViolation) -> None:
        _judge(rule, severity, args.resources, report)

    name = rule.__name__.replace("_", "-")
    name = name if severity == "error" else f"{name}-{severity}"
    description = (getdoc(rule) or name).replace("``", "")
    if rule.__name__ in _OF_STACKS:
        return StackValidationPolicy(name, description, stack, _LEVELS[severity])
    return ResourceValidationPolicy(name, description, resource, _LEVELS[severity])


def _of_task(rule: Callable[[Task], Iterator[Finding]]) -> Rule:
    """A rule about tasks as one about the resources that define them."""

    @wraps(rule)
    def judge(stack: Stack, resource: Planned) -> Iterator[Finding]:
        for task in tasks(stack, _NAMES):
            if (TASK_DEFINITION, task.name) == (resource.type, resource.name):
                yield from rule(task)

    return judge


def _service(stack: str) -> str:
    try:
        return split_stack_name(stack)[1]
    except (FleetError, StackNameError):
        return stack  # the program refuses it


def _judge(
    rule: Rule,
    severity: Severity,
    seen: Sequence[ResourceValidationArgs | PolicyResource],
    report: ReportViolation,
) -> None:
    name = pulumi.get_stack()
    resources = [Resource(type=each.resource_type, name=each.name, inputs=_known(each.props)) for each in seen]
    stack = StackForecast(service=_service(name), stack=name, resources=resources)
    for resource, shown in zip(resources, seen, strict=True):
        for finding in remaining(rule(stack, resource)):
            if finding.severity == severity:
                report(f"{finding.message}. {finding.fix}", shown.urn)


def _known(value: Any) -> Any:
    """Plain data; Pulumi's raises an error wherever one reads what is not known yet."""
    if isinstance(value, Mapping):
        return {key: _entry(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_entry(value, index) for index in range(len(value))]
    return value


def _entry(values: Any, key: Any) -> Any:
    try:
        return _known(values[key])
    except UnknownValueError:
        return Unknown()
