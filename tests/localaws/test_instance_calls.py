"""Who may call the embedded AWS, and what it answers to calls that it does not know."""

import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.instance import Instance
from tests.localaws.support import send

Client = Callable[..., Any]


def test_other_addresses_of_this_machine_find_nothing(instance: Instance) -> None:
    """The server listens on 127.0.0.1 alone."""
    port = int((instance.status().endpoint or "").rpartition(":")[2])

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=5)


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Host": "127.0.0.1.evil.example"}]
)
def test_web_pages_of_others_are_refused(instance: Instance, headers: dict[str, str]) -> None:
    """A page that reaches loopback through its own name (DNS rebinding), or posts to it, gets nothing."""
    status, message = send(instance, "GET", "/_localaws/health", headers=headers)

    assert status == 403
    assert "programs of this machine only" in message


def test_a_call_that_moto_lacks_is_named(client: Client) -> None:
    """A call that AWS knows and the embedded one does not is answered in the service's own form."""
    for service, call, operation in (
        ("ec2", "describe_verified_access_groups", "DescribeVerifiedAccessGroups"),  # EC2's XML
        ("iam", "list_organizations_features", "ListOrganizationsFeatures"),  # query XML
        ("xray", "get_indexing_rules", "GetIndexingRules"),  # REST and JSON
        ("ecs", "list_services_by_namespace", "ListServicesByNamespace"),  # JSON
    ):
        with pytest.raises(ClientError) as caught:
            getattr(client(service), call)(**({"namespace": "n"} if service == "ecs" else {}))
        error = caught.value.response["Error"]
        assert error["Code"] == "NotImplementedByLocalAws"
        assert f"localaws does not know {operation} of {service}." == error["Message"]


def test_a_service_that_moto_lacks_is_named(client: Client) -> None:
    """A whole unknown service is answered plainly, too."""
    with pytest.raises(ClientError, match="can't tell which AWS service"):
        client("qbusiness").list_applications()


def test_an_unsigned_request_is_refused(instance: Instance) -> None:
    """Without a signature, nobody knows what a request is meant for."""
    assert send(instance, "GET", "/")[0] == 403


def test_an_operation_that_no_service_has_is_refused(instance: Instance) -> None:
    """A made-up operation is answered as AWS does."""
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=localaws/20260101/us-east-1/ecs/aws4_request, Signature=0",
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.Nonsense",
    }
    status, message = send(instance, "POST", "/", {}, headers)

    assert status == 400
    assert "UnknownOperationException" in message


@pytest.mark.parametrize("target", ["ListClusters", "Nonsense"])
def test_a_form_sent_to_a_json_service_is_refused_in_json(instance: Instance, target: str) -> None:
    """A content type that the service does not speak, curl's default, gets an error in the one that it does."""
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=localaws/20260101/us-east-1/ecs/aws4_request, Signature=0",
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{target}",
    }
    status, message = send(instance, "POST", "/", {}, headers)

    assert status == 400
    assert json.loads(message)["__type"].rpartition("#")[2] == "UnknownOperationException"


def test_regions_are_apart(client: Client) -> None:
    """What is made in one region is not seen in another."""
    client("logs", "eu-west-1").create_log_group(logGroupName="regions-are-apart")

    def found(region: str) -> list[str]:
        groups = client("logs", region).describe_log_groups(logGroupNamePrefix="regions-are-apart")["logGroups"]
        return [group["arn"] for group in groups]

    assert found("eu-west-1") == ["arn:aws:logs:eu-west-1:123456789012:log-group:regions-are-apart:*"]
    assert found("us-east-1") == []


def test_many_clients_at_once_lose_nothing(client: Client) -> None:
    """Sixteen clients that create and tag at the same time all find what they made."""
    iam = client("iam")
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Principal": "*"}]}'

    def create(number: int) -> str:
        name = f"many-{number}"
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=document, Tags=[{"Key": "number", "Value": str(number)}]
        )
        return str(iam.list_role_tags(RoleName=name)["Tags"][0]["Value"])

    with ThreadPoolExecutor(16) as pool:
        assert [str(number) for number in range(64)] == list(pool.map(create, range(64)))


def test_an_unknown_control_address_is_named(instance: Instance) -> None:
    """There is nothing but health and faults."""
    status, message = send(instance, "GET", "/_localaws/nonsense")

    assert status == 404
    assert "There is no GET /_localaws/nonsense." in message
