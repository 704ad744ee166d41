"""The resolver of tasks: Cloud Map's names as a VPC's resolver knows them."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import moto
import pytest

from localaws.tasks.dns import Resolver

# From private addresses to those of this machine.
HERE = {f"10.0.0.{last}": f"127.1.1.{last}" for last in range(20, 30)}

TASK = "10.0.0.20"


@pytest.fixture
def cloud_map() -> Iterator[Any]:
    """A client, with the service `shop.local` of 5 s TTL in it, without tasks."""
    with moto.mock_aws():
        client = boto3.client(
            "servicediscovery", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        operation = client.create_private_dns_namespace(Name="local", Vpc="vpc-1")["OperationId"]
        namespace = client.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
        records = {"DnsRecords": [{"Type": "A", "TTL": 5}], "RoutingPolicy": "MULTIVALUE"}
        client.create_service(
            Name="shop", NamespaceId=namespace, DnsConfig=records, HealthCheckCustomConfig={"FailureThreshold": 1}
        )
        yield client


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    made = Resolver("127.0.0.1", HERE.get)
    yield made
    made.close()


def announce(client: Any, address: str) -> None:
    """Have Cloud Map know a task."""
    (service,) = client.list_services()["Services"]
    attributes = {"AWS_INSTANCE_IPV4": address}
    client.register_instance(ServiceId=service["Id"], InstanceId=address, Attributes=attributes)


def asked(resolver: Resolver, name: str, kind: str = "A") -> tuple[str, list[str]]:
    """The code of an answer, and what is in it."""
    told = dns.message.from_wire(resolver.answer(dns.message.make_query(name, kind).to_wire()))
    return dns.rcode.to_text(told.rcode()), [line for each in told.answer for line in each.to_text().splitlines()]


def test_tasks_are_found_where_they_run(cloud_map: Any, resolver: Resolver) -> None:
    """All of them, by the address that they have here, for as long as the service allows; not those that do not run."""
    for address in (*list(HERE)[:2], "10.0.0.7"):
        announce(cloud_map, address)
    code, lines = asked(resolver, "Shop.local.")
    assert code == "NOERROR"
    assert sorted(lines) == [f"Shop.local. 5 IN A {address}" for address in list(HERE.values())[:2]]


def test_of_many_tasks_eight_are_told_and_in_the_end_all(cloud_map: Any, resolver: Resolver) -> None:
    """As Route 53's multivalue answers: who asks often enough hears of each."""
    for address in HERE:
        announce(cloud_map, address)
    answers = [asked(resolver, "shop.local")[1] for _ in range(100)]
    assert {len(lines) for lines in answers} == {8}
    assert {line.split()[-1] for lines in answers for line in lines} == set(HERE.values())


def test_an_unhealthy_task_is_not_found(cloud_map: Any, resolver: Resolver) -> None:
    """Until it is healthy."""
    announce(cloud_map, TASK)
    (service,) = cloud_map.list_services()["Services"]
    instance = {"ServiceId": service["Id"], "InstanceId": TASK}
    cloud_map.update_instance_custom_health_status(**instance, Status="UNHEALTHY")
    assert asked(resolver, "shop.local") == ("NOERROR", [])
    cloud_map.update_instance_custom_health_status(**instance, Status="HEALTHY")
    assert asked(resolver, "shop.local") == ("NOERROR", [f"shop.local. 5 IN A {HERE[TASK]}"])


def test_a_task_that_has_left_is_not_found(cloud_map: Any, resolver: Resolver) -> None:
    """The name is there, without an address."""
    announce(cloud_map, TASK)
    (service,) = cloud_map.list_services()["Services"]
    cloud_map.deregister_instance(ServiceId=service["Id"], InstanceId=TASK)
    assert asked(resolver, "shop.local") == ("NOERROR", [])


def test_other_kinds_of_records_there_are_none(cloud_map: Any, resolver: Resolver) -> None:
    """Who asks for IPv6 first then asks for IPv4."""
    announce(cloud_map, TASK)
    assert asked(resolver, "shop.local", "AAAA") == ("NOERROR", [])


@pytest.mark.parametrize("name", ["shop.other", "none.local", "example.com"])
def test_a_name_that_is_not_cloud_maps_is_not_there(cloud_map: Any, resolver: Resolver, name: str) -> None:
    """Nothing is asked of anybody else."""
    assert cloud_map
    assert asked(resolver, name) == ("NXDOMAIN", [])


def test_what_is_no_question_harms_nobody(cloud_map: Any, resolver: Resolver, caplog: pytest.LogCaptureFixture) -> None:
    """The next one who asks is answered, and the end of the resolver is no news."""
    announce(cloud_map, TASK)
    host, _, port = resolver.endpoint.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for nonsense in (b"", b"nonsense", dns.message.Message().to_wire()):
            client.sendto(nonsense, (host, int(port)))
    told = dns.query.udp(dns.message.make_query("shop.local", "A"), host, timeout=5, port=int(port))
    assert [line for each in told.answer for line in each.to_text().splitlines()] == [
        f"shop.local. 5 IN A {HERE[TASK]}"
    ]

    before = len(caplog.records)
    resolver.close()
    assert len(caplog.records) == before
    assert not any(thread.name == "resolver" for thread in threading.enumerate())
