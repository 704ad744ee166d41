"""An AWS account that answers what preflight asks, over real HTTP; everything suffices unless told otherwise."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

ACCOUNT = "123456789012"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/me"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/people/deployer"
QUOTAS = {"L-0263D0A3": 5, "L-FE5A380F": 5, "L-F678F1CE": 5, "L-3032A538": 6}

Answer = tuple[int, str]
Asked = dict[str, Any]


def denied(what: str) -> Answer:
    """A refusal as the query protocol has it."""
    error = f"<Error><Code>AccessDenied</Code><Message>not authorized: {what}</Message></Error>"
    return 403, f"<ErrorResponse>{error}</ErrorResponse>"


def many(action: str, item: str, number: int) -> Answer:
    """A list of EC2's with so many of the same."""
    names = {"DescribeAddresses": "addressesSet", "DescribeVpcs": "vpcSet", "DescribeSubnets": "subnetSet"}
    listed = names.get(action, "natGatewaySet")
    return 200, f"<{action}Response><{listed}>{f'<item>{item}</item>' * number}</{listed}></{action}Response>"


def quota(asked: Asked) -> Answer:
    """The account's own value; where it has none, AWS's is asked for next."""
    if asked["QuotaCode"] not in QUOTAS:
        return 400, json.dumps({"__type": "NoSuchResourceException", "message": "no such quota"})
    return 200, json.dumps({"Quota": {"Value": QUOTAS[asked["QuotaCode"]]}})


def simulated(asked: Asked, refused: tuple[str, ...] = ()) -> Answer:
    """What IAM says of each action."""
    actions = [value for name, (value,) in asked.items() if name.startswith("ActionNames.member.")]
    decisions = [(action, "implicitDeny" if action in refused else "allowed") for action in actions]
    members = "".join(
        f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision></member>"
        for action, decision in decisions
    )
    result = f"<EvaluationResults>{members}</EvaluationResults><IsTruncated>false</IsTruncated>"
    return 200, (
        "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult>"
        f"{result}</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    )


ANSWERS: dict[str, Callable[[Asked], Answer]] = {
    "GetCallerIdentity": lambda _: (
        200,
        (
            f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{CALLER}</Arn><UserId>A:me</UserId>"
            f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        ),
    ),
    "GetRole": lambda _: (
        200,
        (
            f"<GetRoleResponse><GetRoleResult><Role><Arn>{ROLE}</Arn><RoleName>deployer</RoleName></Role>"
            "</GetRoleResult></GetRoleResponse>"
        ),
    ),
    "SimulatePrincipalPolicy": simulated,
    "GetServiceQuota": quota,
    "GetAWSDefaultServiceQuota": lambda _: (200, json.dumps({"Quota": {"Value": 5}})),
    "DescribeAddresses": lambda _: many("DescribeAddresses", "<publicIp>1.2.3.4</publicIp>", 2),
    "DescribeVpcs": lambda _: many("DescribeVpcs", "<vpcId>vpc-1</vpcId>", 1),
    "DescribeNatGateways": lambda _: many("DescribeNatGateways", "<subnetId>subnet-1</subnetId>", 1),
    "DescribeSubnets": lambda _: many(
        "DescribeSubnets", "<subnetId>subnet-1</subnetId><availabilityZoneId>use1-az1</availabilityZoneId>", 1
    ),
    "GetMetricStatistics": lambda _: (200, json.dumps({"Datapoints": [{"Timestamp": 1e9, "Maximum": 2.0}]})),
    "/v20190125/meshes": lambda _: (200, json.dumps({"meshes": []})),
    "/TraceSegments": lambda _: (200, json.dumps({"UnprocessedTraceSegments": []})),
}


class Account(BaseHTTPRequestHandler):
    """Answers by action, or by path where the protocol has none."""

    answers = ANSWERS

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if target := self.headers.get("X-Amz-Target"):
            self._answer(target.rpartition(".")[2], json.loads(body))
        elif self.path != "/":
            self._answer(self.path.partition("?")[0], json.loads(body))
        else:
            form = parse_qs(body)
            self._answer(form["Action"][0], form)

    def do_GET(self) -> None:
        self._answer(self.path.partition("?")[0], {})

    def _answer(self, action: str, asked: Asked) -> None:
        status, body = type(self).answers[action](asked)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""
