"""`plan.py`: which stacks a pipeline may do at the same time."""

import json

import pytest

from automation import cli
from automation.plan import plan
from services import SERVICES, entries
from services.fleet import parse
from tests import fleets


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """Exit code and stdout of ``plan.py ARGUMENTS…``."""
    monkeypatch.setattr("sys.argv", ["automation/plan.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main(plan)
    return int(ended.value.code or 0), capsys.readouterr().out


def test_a_destruction_begins_where_a_deployment_ends(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--reverse` waits for dependents instead of prerequisites."""
    code, out = told(capsys, monkeypatch, "--json", "--reverse", "--env", "prod-eu")
    document = json.loads(out)

    assert (code, document["reverse"]) == (0, True)
    assert document["levels"] == [["prod-eu-frontend"], ["prod-eu-nodejs", "prod-eu-crystal"], ["prod-eu-platform"]]
    assert document["stacks"][1] == {
        "stack": "prod-eu-nodejs", "service": "nodejs", "level": 2, "needs": ["prod-eu-frontend"]
    }  # fmt: skip


def test_each_stack_of_a_fleet_is_in_the_level_after_those_that_it_needs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN 300 services that call each other at random."""
    monkeypatch.setattr(SERVICES, "found", entries(parse(fleets.fleet("random", 300))))
    document = json.loads(told(capsys, monkeypatch, "--json")[1])
    reached = {stack["stack"]: stack["level"] for stack in document["stacks"]}

    assert len(reached) == 301
    assert [
        [stack for stack in reached if reached[stack] == level + 1] for level in range(len(document["levels"]))
    ] == (document["levels"])
    for stack in document["stacks"]:
        assert stack["level"] == 1 + max((reached[need] for need in stack["needs"]), default=0)


def test_where_nothing_was_changed_there_are_no_levels(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline gets the same document as ever."""
    monkeypatch.setattr("automation.selection.changed", lambda _revision, _environment: set())

    assert json.loads(told(capsys, monkeypatch, "--json", "--changed-since", "HEAD")[1])["levels"] == []
    assert told(capsys, monkeypatch, "--changed-since", "HEAD") == (0, "No stack is selected.\n")


@pytest.mark.parametrize("wrong", [["cristal"], ["--env", "Prod"]])
def test_a_mistake_ends_it_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, wrong: list[str]
) -> None:
    """A service or an environment that there cannot be; a matrix is never made of an error."""
    code, out = told(capsys, monkeypatch, "--json", *wrong)

    assert (code, json.loads(out)["exitCode"]) == (2, 2)
