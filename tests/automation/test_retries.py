"""What is tried again and what never is, by messages as AWS, its SDK, gRPC and the engine print them."""

import pytest

from automation.retries import passes

PASSING = {
    "throttled": (
        "creating ECS Task Definition (crystal): operation error ECS: RegisterTaskDefinition, exceeded maximum "
        "number of attempts, 25, StatusCode: 400, RequestID: 6f1b, api error ThrottlingException: Rate exceeded"
    ),
    "throttled in EC2": (
        "reading EC2 VPC (vpc-1): operation error EC2: DescribeVpcs, https response error StatusCode: 503, "
        "api error RequestLimitExceeded: Request limit exceeded."
    ),
    "too many requests": "operation error App Mesh: UpdateVirtualNode, StatusCode: 429, TooManyRequestsException: ",
    "5xx": (
        "updating ECS Service (crystal): operation error ECS: UpdateService, https response error StatusCode: 500"
        ", ServerException: Service Unavailable. Please try again later."
    ),
    "unavailable": "operation error X-Ray: PutGroup, https response error StatusCode: 503, ServiceUnavailable: ",
    "reset": 'Post "https://ecs.amazonaws.com/": read tcp 10.0.0.2:512->52.1.2.3:443: read: connection reset by peer',
    "refused": "dial tcp 127.0.0.1:4566: connect: connection refused",
    "plugin gone": "rpc error: code = Unavailable desc = transport is closing",
    "plugin died": "rpc error: code = Unavailable desc = error reading from server: read tcp: use of closed connection",
    "plugin does not answer": "aws (resource) plugin [aws] did not begin responding to RPC connections",
    "engine killed": "the engine was ended by signal 9",
}
STAYING = {
    "denied": (
        "operation error IAM: AttachRolePolicy, https response error StatusCode: 403, api error AccessDenied: "
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:AttachRolePolicy"
    ),
    "denied, by a busy service": "StatusCode: 500, AccessDeniedException: Throttling of this role is not authorized",
    "validation": "CreateService, StatusCode: 400, InvalidParameterException: Creation was not idempotent.",
    "validation of 500": "api error ValidationException: value 500 at 'desiredCount' failed to satisfy constraint",
    "circuit breaker": "ECS deployment failed: tasks failed to start; the deployment circuit breaker was triggered",
    "quota": "operation error EC2: AllocateAddress, StatusCode: 400, api error AddressLimitExceeded: The maximum",
    "client": "operation error ECS: RegisterTaskDefinition, ClientException: No Fargate configuration exists",
    "prerequisite": "the stack 'local-platform' is not deployed yet, a prerequisite of 'crystal'",
    "typo": "error: Program failed with an unhandled exception: NameError: name 'vpc' is not defined",
    "number": "the port 5030 is used twice",
}


@pytest.mark.parametrize("message", PASSING.values(), ids=PASSING)
def test_what_passes_by_itself_is_tried_again(message: str) -> None:
    """Alone, and with the engine's closing words."""
    assert passes([message])
    assert passes([f"crystal-task: {message}", "update failed"])


@pytest.mark.parametrize("message", STAYING.values(), ids=STAYING)
def test_a_real_error_is_never_tried_again(message: str) -> None:
    """Not even beside one that would pass."""
    assert not passes([message])
    assert not passes([PASSING["throttled"], message])


def test_no_reason_is_no_reason_to_try_again() -> None:
    """The engine's closing words alone say nothing."""
    assert not passes([])
    assert not passes(["update failed"])
