"""Rules about rights and reachability."""

import json
from typing import Any

import pytest

from automation.forecast import Resource, Unknown
from checks.access import open_security_group, wildcard_iam
from tests.checks.plans import resource, stack

ROLE = "aws:iam/role:Role"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
BALANCER = resource("aws:lb/loadBalancer:LoadBalancer", "nlb", securityGroups=["sg-balancer"])


def policy(**statement: Any) -> str:
    """A policy's text."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def objections(token: str, **inputs: Any) -> list[str]:
    findings = list(wildcard_iam(stack(), resource(token, **inputs)))
    assert {"wildcard-iam"} >= {finding.rule for finding in findings}
    return [finding.message for finding in findings]


def is_open(*others: Resource, token: str = INGRESS, **inputs: Any) -> bool:
    web = {"ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "0.0.0.0/0", "securityGroupId": "sg-balancer"}
    return bool(list(open_security_group(stack(*others), resource(token, **{**web, **inputs}))))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"Action": "*", "Resource": "arn:aws:s3:::b"}, "allows the action *"),
        ({"Action": ["s3:GetObject", "s3:*"], "Resource": "arn:aws:s3:::b"}, "allows the action s3:*"),
        ({"Action": "s3:GetObject", "Resource": ["*"]}, "allows its actions on every resource (*)"),
        ({"NotAction": "iam:*", "Resource": "arn:aws:s3:::b"}, "allows everything but some with NotAction"),
    ],
)
def test_policies_that_allow_too_much(statement: dict[str, Any], message: str) -> None:
    """In a policy of its own, in a role's and in those written into the role."""
    text = policy(**statement)
    assert objections("aws:iam/rolePolicy:RolePolicy", policy=text) == [message]
    assert objections("aws:iam/policy:Policy", policy=json.loads(text)) == [message]
    assert objections(ROLE, inlinePolicies=[{"name": "inline", "policy": text}]) == [message]


def test_policies_that_are_narrow_or_deny() -> None:
    """Stars within a name are as narrow as the name, and a denial cannot be too wide."""
    narrow = policy(Action="logs:PutLogEvents", Resource="arn:aws:logs:us-east-1:1:log-group:g:*")
    assert objections("aws:iam/rolePolicy:RolePolicy", policy=narrow) == []
    denial = policy(Effect="Deny", Action="*", Resource="*")
    assert objections("aws:iam/rolePolicy:RolePolicy", policy=denial) == []


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::1:root", "*"]}])
def test_a_role_for_everybody(principal: Any) -> None:
    """Unless a condition narrows it."""
    trust = {"Action": "sts:AssumeRole", "Principal": principal}
    assert objections(ROLE, assumeRolePolicy=policy(**trust)) == ["everybody may assume the role (Principal *)"]
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    assert objections(ROLE, assumeRolePolicy=policy(**trust, Condition=condition)) == []


def test_trust_in_any_action() -> None:
    """Assuming the role is all that trust is for."""
    trust = policy(Action="sts:*", Principal={"Service": "ecs-tasks.amazonaws.com"})
    assert objections(ROLE, assumeRolePolicy=trust) == ["the trust policy allows the action sts:*"]


@pytest.mark.parametrize(
    "name",
    ["CloudWatchFullAccess", "CloudWatchFullAccessV2", "AdministratorAccess", "service-role/AmazonEC2RoleforSSM"],
)
def test_managed_policies_that_allow_too_much(name: str) -> None:
    """Attached, or listed by the role."""
    arn, told = f"arn:aws:iam::aws:policy/{name}", f"attaches {name.rpartition('/')[2]}, far more than a task needs"
    assert objections("aws:iam/rolePolicyAttachment:RolePolicyAttachment", policyArn=arn) == [told]
    assert objections(ROLE, managedPolicyArns=[arn]) == [told]


def test_policies_that_are_fine_or_not_known() -> None:
    """X-Ray's for writing is the narrowest there is; of the unknown nothing is said."""
    attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    assert objections(attachment, policyArn="arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess") == []
    assert objections(attachment, policyArn=Unknown()) == []
    assert objections("aws:iam/rolePolicy:RolePolicy", policy=Unknown()) == []
    assert objections("aws:iam/rolePolicy:RolePolicy", policy="not JSON") == []
    assert objections(ROLE, assumeRolePolicy={"Statement": Unknown()}, managedPolicyArns=[Unknown()]) == []


def test_the_load_balancers_web_ports_may_be_open() -> None:
    """80 and 443, and only on its own group."""
    assert not is_open(BALANCER)
    assert not is_open(BALANCER, fromPort=443, toPort=443)
    assert is_open(BALANCER, securityGroupId="sg-tasks")
    assert is_open(securityGroupId="sg-tasks")


@pytest.mark.parametrize(
    "ports",
    [
        {"fromPort": 22, "toPort": 22},
        {"fromPort": 80, "toPort": 443},
        {"ipProtocol": "-1", "fromPort": None, "toPort": None},
        {"ipProtocol": "udp"},
        {"fromPort": 3000, "toPort": 3000, "cidrIpv4": None, "cidrIpv6": "::/0"},
    ],
)
def test_ports_that_nobody_may_open(ports: dict[str, Any]) -> None:
    """Not even on the load balancer, and whether or not the group is known."""
    assert is_open(BALANCER, **ports)
    assert is_open(BALANCER, **ports, securityGroupId=Unknown())


def test_a_narrow_source() -> None:
    """Any port may be open to a network or a group."""
    assert not is_open(fromPort=22, toPort=22, cidrIpv4="10.0.0.0/24")
    assert not is_open(fromPort=22, toPort=22, cidrIpv4=None, referencedSecurityGroupId="sg-1")


def test_rules_within_a_group_and_the_older_kind() -> None:
    """All three ways to write a rule are seen; what leaves is not asked about."""
    ssh: dict[str, Any] = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["10.0.0.0/8", "0.0.0.0/0"]}
    group, older = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/securityGroupRule:SecurityGroupRule"
    assert list(open_security_group(stack(), resource(group, ingress=[ssh])))
    assert list(open_security_group(stack(), resource(older, type="ingress", **ssh)))
    assert not list(open_security_group(stack(), resource(group, egress=[ssh])))
    assert not list(open_security_group(stack(), resource(older, type="egress", **ssh)))


def test_reachability_that_is_not_known() -> None:
    """Before the first deployment groups have no ids: port 80 may be the load balancer's."""
    assert not is_open(securityGroupId=Unknown())
    assert not is_open(resource("aws:lb/loadBalancer:LoadBalancer", securityGroups=[Unknown()]))
    assert not is_open(fromPort=Unknown(), toPort=22)
    assert not is_open(cidrIpv4=Unknown(), fromPort=22, toPort=22)
