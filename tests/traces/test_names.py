"""Services and calls are found by what people type."""

import pytest

from tests.traces.samples import CRYSTAL, FRONTEND, GATEWAY_CLIENT, NODEJS, edge, node, service_map, stats, workshop
from traces import names
from traces.errors import RequestError
from traces.model import Key, ServiceMap


def twins() -> ServiceMap:
    """Two services of one short name, two of one full name, and one whose full name is another's short one."""
    keys = [
        Key("a/web", "P"),
        Key("b/web", "P"),
        Key("db", "SQL"),
        Key("db", "NoSQL"),
        Key("x/api", "P"),
        Key("api", "P"),
    ]
    return service_map(*(node(key, stats(1, 0.1)) for key in keys), edge(keys[0], keys[2], stats(1, 0.1)))


@pytest.mark.parametrize("text", ["frontend", "ecs-mesh/frontend", "ecs-mesh/frontend (AWS::AppMesh::Proxy)"])
def test_a_service_is_found_by_its_short_or_its_full_name(text: str) -> None:
    """A client bears the name of what it calls, and is not meant."""
    assert FRONTEND == names.service(workshop(), text).key


def test_a_full_name_wins_over_the_same_short_one() -> None:
    """Whoever types a name exactly means it."""
    assert Key("api", "P") == names.service(twins(), "api").key


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("web", r"More than one service 'web'.*a/web \(P\); b/web \(P\)"),
        ("db", r"More than one service 'db'.*db \(NoSQL\); db \(SQL\)"),
        ("nothing", r"No service 'nothing'.*There is: a/web \(P\); api \(P\)"),
        ("client", "No service 'client'"),
    ],
)
def test_a_name_that_is_not_one_service_names_the_candidates(text: str, told: str) -> None:
    """What to type instead is in the message."""
    with pytest.raises(RequestError, match=told):
        names.service(twins(), text)


def test_a_candidate_as_told_is_understood() -> None:
    """Name and type together tell any two apart."""
    assert Key("db", "SQL") == names.service(twins(), "db (SQL)").key


def test_a_call_is_found_by_its_two_ends() -> None:
    """`client` is whoever calls from outside."""
    shown = workshop()
    assert (FRONTEND, CRYSTAL) == ends(shown, "frontend", "crystal")
    assert (GATEWAY_CLIENT, Key("ecs-mesh/ecsworkshop-vgw", FRONTEND.type)) == ends(shown, "client", "ecsworkshop-vgw")


def ends(shown: ServiceMap, source: str, target: str) -> tuple[Key, Key]:
    found = names.call(shown, source, target)
    return found.source, found.target


def test_a_call_that_nobody_made_names_those_that_were() -> None:
    """Crystal calls nobody."""
    with pytest.raises(RequestError, match=f"No edge from 'crystal' to 'nodejs'.*{FRONTEND.name} .* to {NODEJS.name}"):
        names.call(workshop(), "crystal", "nodejs")


def test_an_empty_map_says_so() -> None:
    """There is nothing to choose from."""
    with pytest.raises(RequestError, match="there are no traces in this range"):
        names.service(service_map(), "frontend")
