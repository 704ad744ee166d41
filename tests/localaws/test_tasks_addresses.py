"""Loopback addresses of tasks: each its own, taken up again as late as possible, 253 in all."""

import socket

import pytest

from localaws.tasks.addresses import Addresses, NoAddressError, available

PORT = 0x1234  # the instance's, and so the two bytes in the middle


def test_each_task_has_an_address_of_its_own() -> None:
    """The same for as long as it runs; others find it by the task's private address."""
    addresses = Addresses(PORT)

    assert ["127.18.52.1", "127.18.52.2", "127.18.52.1"] == [
        addresses.allot(private) for private in ("10.0.0.7", "10.0.0.9", "10.0.0.7")
    ]
    assert addresses.find("10.0.0.9") == "127.18.52.2"
    assert addresses.find("10.0.0.8") is None


def test_two_instances_never_meet() -> None:
    """Their ports are in their addresses, neighbouring ports included."""
    found = {Addresses(port).allot("10.0.0.7") for port in (4666, 4667, 4666 + 256, 65535, 1024)}

    assert len(found) == 5


def test_an_address_is_taken_up_again_as_late_as_possible() -> None:
    """Others go first, until none is left that was never used."""
    addresses = Addresses(PORT)
    first = addresses.allot("10.0.0.7")
    addresses.give_back("10.0.0.7")
    assert addresses.find("10.0.0.7") is None

    later = []
    for number in range(252):
        later.append(addresses.allot(f"later-{number}"))
        addresses.give_back(f"later-{number}")
    assert first not in later
    assert first == addresses.allot("10.0.0.7")


def test_253_tasks_have_addresses_and_one_more_has_none() -> None:
    """The error says how many there are; one that is given back can be had, and no task gets the balancers'."""
    addresses = Addresses(PORT)
    given = {addresses.allot(f"task-{number}") for number in range(253)}
    assert len(given) == 253
    assert addresses.balancers not in given
    with pytest.raises(NoAddressError, match="253 tasks run already"):
        addresses.allot("one more")

    addresses.give_back("task-100")
    assert given - {addresses.allot(f"task-{number}") for number in range(253) if number != 100} == {
        addresses.allot("one more")
    }


def test_what_nobody_has_is_given_back_without_a_word() -> None:
    """A task that never came so far as to have an address can end as any other."""
    addresses = Addresses(PORT)
    addresses.give_back("10.0.0.7")

    assert addresses.allot("10.0.0.7") == "127.18.52.1"


def test_a_machine_is_asked_whether_it_has_the_addresses() -> None:
    """As a program that would listen there finds it."""
    with socket.socket() as probe:
        try:
            probe.bind((Addresses(PORT).balancers, 0))
        except OSError:
            can = False
        else:
            can = True

    assert can == available()
