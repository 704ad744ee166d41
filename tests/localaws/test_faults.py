"""Failures on demand."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.instance import Instance
from tests.localaws.support import send

Client = Callable[..., Any]
Inject = Callable[..., None]


@pytest.fixture
def inject(instance: Instance) -> Iterator[Inject]:
    """Put faults in force until the test ends."""

    def faults(*given: dict[str, object]) -> None:
        assert send(instance, "POST", "/_localaws/faults", list(given)) == (200, '{"ok": true}')

    yield faults
    send(instance, "DELETE", "/_localaws/faults")


def outcomes(call: Callable[[], object], times: int) -> list[int]:
    """HTTP status of each of so many calls."""

    def status() -> int:
        try:
            call()
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]
        return 200

    return [status() for _ in range(times)]


@pytest.mark.parametrize(
    ("service", "call", "operation"),
    [
        ("ec2", "describe_vpcs", "DescribeVpcs"),  # EC2's XML
        ("iam", "list_roles", "ListRoles"),  # query XML
        ("elbv2", "describe_load_balancers", "DescribeLoadBalancers"),  # likewise, on an address of two services
        ("ecs", "list_clusters", "ListClusters"),  # JSON
        ("appmesh", "list_meshes", "ListMeshes"),  # REST and JSON
        ("s3", "list_buckets", "ListBuckets"),  # REST and XML
    ],
)
def test_a_fault_speaks_the_protocol_of_the_service(
    client: Client, inject: Inject, service: str, call: str, operation: str
) -> None:
    """Clients of every protocol read code and status of the error."""
    inject({"service": service, "operation": operation, "status": 503, "code": "ServiceUnavailable"})

    with pytest.raises(ClientError) as caught:
        getattr(client(service), call)()
    response = caught.value.response
    assert response["Error"]["Code"] == "ServiceUnavailable"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_a_fault_strikes_only_what_it_names(client: Client, inject: Inject) -> None:
    """Other operations and services go on."""
    inject({"service": "ecs", "operation": "ListClusters", "status": 500})

    assert outcomes(client("ecs").list_clusters, 1) == [500]
    assert outcomes(client("ecs").describe_clusters, 1) == [200]
    assert outcomes(client("sts").get_caller_identity, 1) == [200]


def test_stars_stand_for_everything(client: Client, inject: Inject) -> None:
    """A fault of all services strikes all of them."""
    inject({"service": "*", "operation": "*", "status": 400, "code": "Throttling"})

    assert outcomes(client("ecs").list_clusters, 1) == [400]
    assert outcomes(client("sts").get_caller_identity, 1) == [400]


def test_a_fault_lets_some_pass_and_then_strikes_so_often(client: Client, inject: Inject) -> None:
    """Two pass, two fail, the rest pass."""
    inject({"service": "sts", "operation": "GetCallerIdentity", "status": 500, "skip": 2, "times": 2})

    assert outcomes(client("sts").get_caller_identity, 5) == [200, 200, 500, 500, 200]


def test_a_rate_strikes_a_share(client: Client, inject: Inject) -> None:
    """At a rate of one half, some fail and some pass (all the same: once in 10^9 runs)."""
    inject({"service": "sts", "operation": "*", "status": 500, "rate": 0.5})

    assert {200, 500} == set(outcomes(client("sts").get_caller_identity, 31))


def test_a_hanging_call_goes_on_later(client: Client, inject: Inject) -> None:
    """With nothing but a hang, the answer is late and right."""
    inject({"service": "sts", "operation": "*", "hang": 0.3})
    began = time.monotonic()

    assert outcomes(client("sts").get_caller_identity, 1) == [200]
    assert time.monotonic() - began >= 0.3


def test_one_hanging_call_holds_up_no_other(instance: Instance, client: Client, inject: Inject) -> None:
    """While a call hangs others are answered; new faults let it go on."""
    inject({"service": "sts", "operation": "*", "hang": 60}, {"service": "ecs", "operation": "*", "status": 500})

    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(outcomes, client("sts").get_caller_identity, 1)
        assert outcomes(client("ecs").list_clusters, 1) == [500]
        assert not hanging.done()
        send(instance, "DELETE", "/_localaws/faults")
        assert hanging.result(timeout=10) == [200]


def test_new_faults_replace_the_old(client: Client, inject: Inject) -> None:
    """What was in force before is not any more."""
    inject({"service": "ecs", "operation": "*", "status": 500})
    inject({"service": "sts", "operation": "*", "status": 500})

    assert outcomes(client("ecs").list_clusters, 1) == [200]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"operation": "*"}, "names no service"),
        ({"service": "ecs", "operation": "*", "stauts": 500}, "'stauts' is no field of a fault"),
        ({"service": "ecs", "operation": "*", "times": "twice"}, "times can't be 'twice'"),
        ({"service": "ecs", "operation": "*", "hang": -1}, "hang can't be -1"),
        ("everything", "A fault is an object, not 'everything'"),
    ],
)
def test_what_is_no_fault_is_refused(instance: Instance, client: Client, fault: object, reason: str) -> None:
    """The answer says what is wrong with it, and nothing is in force."""
    status, message = send(instance, "POST", "/_localaws/faults", [fault])

    assert status == 400
    assert reason in json.loads(message)["error"]
    assert outcomes(client("ecs").list_clusters, 1) == [200]
