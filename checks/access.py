"""Rules about who may do and who may reach what."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from checks.model import Finding, Planned, Stack, document, is_known, listed, mapped, number, text

_ROLE = "aws:iam/role:Role"
_POLICIES = ("aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy")
_ATTACHMENTS = ("aws:iam/policyAttachment:PolicyAttachment", "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
# AWS's own policies that allow everything with a service or an account; AmazonEC2RoleforSSM has every S3 bucket.
_TOO_WIDE = re.compile(
    r"arn:aws[\w-]*:iam::aws:policy/.*(FullAccess(_?[vV]\d+)?|AdministratorAccess|PowerUserAccess|AmazonEC2RoleforSSM)"
)

_WORLD = ("0.0.0.0/0", "::/0")
_PUBLIC_PORTS = (80, 443)  # TCP, of the load balancer only
_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_GROUP_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"


def wildcard_iam(stack: Stack, resource: Planned) -> Iterator[Finding]:
    """No right to everything, to do everything, or for everybody."""
    for message, fix in _wildcards(resource):
        yield Finding(rule="wildcard-iam", service=stack.service, resource=resource.name, message=message, fix=fix)


def open_security_group(stack: Stack, resource: Planned) -> Iterator[Finding]:
    """The world may reach the load balancer's web ports, and nothing else."""
    for rule in _ingress_rules(resource):
        sources = [rule.get("cidrIpv4"), rule.get("cidrIpv6")]
        sources += [*listed(rule.get("cidrBlocks")), *listed(rule.get("ipv6CidrBlocks"))]
        world = [source for source in sources if source in _WORLD]
        ports = _ports(rule)
        if world and ports is not None and not (_is_web(ports) and _may_be_balancers(rule, stack)):
            yield Finding(
                rule="open-security-group",
                service=stack.service,
                resource=resource.name,
                message=f"{_ports_words(ports)} open to {' and '.join(world)}",
                fix="Name the security group that is to get there; only the load balancer's 80 and 443 may be public.",
            )


def _wildcards(resource: Planned) -> Iterator[tuple[str, str]]:
    inputs = resource.inputs
    if resource.type in _POLICIES:
        yield from _too_much(inputs.get("policy"))
    if resource.type in _ATTACHMENTS:
        yield from _managed(inputs.get("policyArn"))
    if resource.type == _ROLE:
        for statement in _allowing(inputs.get("assumeRolePolicy")):
            yield from _trusted(statement)
        for inline in listed(inputs.get("inlinePolicies")):
            yield from _too_much(mapped(inline).get("policy"))
        for arn in listed(inputs.get("managedPolicyArns")):
            yield from _managed(arn)


def _too_much(policy: Any) -> Iterator[tuple[str, str]]:
    for statement in _allowing(policy):
        for action in listed(statement.get("Action")):
            if isinstance(action, str) and (action == "*" or action.endswith(":*")):
                yield f"allows the action {action}", "List the actions that are used."
        if "*" in listed(statement.get("Resource")):
            yield "allows its actions on every resource (*)", "Name the resources by their ARNs."
        for key in ("NotAction", "NotResource"):
            if key in statement:
                yield f"allows everything but some with {key}", f"Say what is allowed instead of {key}."


def _trusted(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for action in listed(statement.get("Action")):
        if action in ("*", "sts:*"):
            yield f"the trust policy allows the action {action}", "Allow sts:AssumeRole."
    principal = statement.get("Principal")
    principals = [each for value in mapped(principal).values() for each in listed(value)] or listed(principal)
    # With a condition it may be narrow enough: that is not for a rule to judge.
    if "*" in principals and not statement.get("Condition"):
        yield "everybody may assume the role (Principal *)", "Name the service or the role that may."


def _managed(arn: Any) -> Iterator[tuple[str, str]]:
    if (given := text(arn)) is not None and _TOO_WIDE.fullmatch(given):
        yield f"attaches {given.rpartition('/')[2]}, far more than a task needs", "Write a policy of what is used."


def _allowing(policy: Any) -> list[Mapping[str, Any]]:
    statements = map(mapped, listed(mapped(document(policy)).get("Statement")))
    return [statement for statement in statements if statement.get("Effect") == "Allow"]


def _ingress_rules(resource: Planned) -> list[Mapping[str, Any]]:
    if resource.type == _INGRESS or (resource.type == _GROUP_RULE and resource.inputs.get("type") == "ingress"):
        return [resource.inputs]
    return [mapped(rule) for rule in listed(resource.inputs.get("ingress"))] if resource.type == _GROUP else []


def _ports(rule: Mapping[str, Any]) -> tuple[str, float, float] | None:
    """Protocol, first and last port; None where that is not known."""
    protocol = text(rule.get("ipProtocol", rule.get("protocol")))
    first, last = number(rule.get("fromPort")), number(rule.get("toPort"))
    if protocol in ("-1", "all"):
        return ("all", 0, 65535)
    return None if protocol is None or first is None or last is None else (protocol, first, last)


def _is_web(ports: tuple[str, float, float]) -> bool:
    protocol, first, last = ports
    return protocol in ("tcp", "6") and first == last and first in _PUBLIC_PORTS


def _may_be_balancers(rule: Mapping[str, Any], stack: Stack) -> bool:
    """Whether the rule's group is a load balancer's, as far as both are known."""
    group = rule.get("securityGroupId")
    groups = [each.inputs.get("securityGroups") for each in stack.resources if each.type == _BALANCER]
    if not is_known(group) or not all(is_known(each) for each in groups):
        return True
    members = [member for each in groups for member in listed(each)]
    return group in members or not all(is_known(member) for member in members)


def _ports_words(ports: tuple[str, float, float]) -> str:
    protocol, first, last = ports
    if protocol == "all":
        return "all ports are"
    return f"{protocol} port {first:g} is" if first == last else f"{protocol} ports {first:g}-{last:g} are"
