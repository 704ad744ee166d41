"""What differs in each stack, as the comment on a pull request folds it."""

import json
import re

import pytest

from automation.comment import render
from automation.forecast import SECRET, Change, Forecast, Unknown
from checks.estimates import estimate
from tests.automation.test_comment import (
    SERVICE,
    TASK,
    change,
    comment,
    containers,
    difference,
    flipped,
    is_whole,
    stack,
)
from tests.checks.plans import NAMES


@pytest.mark.parametrize(
    ("changes", "red"),
    [
        ([change("delete", "aws:lb/listener:Listener", "old")], "- delete lb.Listener old"),
        (
            [
                change("delete", "aws:lb/listener:Listener", "old"),
                change("create", "aws:lb/listener:Listener", "new"),
            ],
            "-+ delete lb.Listener old and create lb.Listener new: a rename?",
        ),
        (
            [change("replace", SERVICE, "it", difference("name", "a", "b", replaces=True))],
            "-+ replace ecs.Service it, because of name",
        ),
    ],
)
def test_what_is_lost_is_red(changes: list[Change], red: str) -> None:
    """GitHub shows a line of a difference that begins with a minus in red; the headline has it in bold."""
    told = comment(stack(*changes))
    assert f"\n{red}\n" in told
    assert re.search(r"\*\*1 (replaced|destroyed)\*\*", told)


def test_a_secret_stays_one() -> None:
    """Before and after."""
    told = comment(stack(change("update", SERVICE, "it", difference("password", SECRET, SECRET))))
    assert 'password: "[secret]" -> "[secret]"' in told


def test_a_little_too_long_loses_a_little() -> None:
    """The largest stack is shortened first; the others keep their values."""
    small = stack(change("update", SERVICE, "small", difference("name", "before", "after")))
    long = [difference(f"property{number}", "x" * 200, "y" * 200) for number in range(100)]
    large = stack(change("update", SERVICE, "large", *long), service="nodejs")
    told = comment(small, large, limit=20_000)
    assert len(told) <= 20_000
    assert 'name: "before" -> "after"' in told
    assert "more characters)" in told or "more properties" in told


def test_details_that_are_left_out_are_counted() -> None:
    """In the place where they would be."""
    long = [change("update", SERVICE, f"{number}-{'n' * 200}") for number in range(5)]
    told = comment(*[stack(*long, service=f"shop-{number}") for number in range(100)], limit=12_000)
    shown = told.count("<details>")
    assert f"Shortened: without the details of {100 - shown} stacks." in told


@pytest.mark.parametrize("mesh", ["appmesh", "envoy"])
def test_turning_tracing_on(mesh: str) -> None:
    """The repository's own services: what the flag adds, by name, and no wall of JSON in either mesh."""
    stacks = flipped(mesh=mesh)
    told = render(Forecast(environment="prod", base="main", stacks=stacks), [], estimate(stacks, NAMES, 1_000_000))
    assert "Tracing is turned **on** in `platform`, `crystal`, `nodejs` and `frontend`." in told
    assert "Rolling restart of `platform`, `crystal`, `nodejs` and `frontend`, in this order." in told
    assert told.count('+     containerDefinitions[envoy].environment[ENABLE_ENVOY_XRAY_TRACING]: "1"') == 4
    assert told.count("+     containerDefinitions[xray]: ") == 4
    assert "static_resources\\" not in told
    assert "Shortened" not in told
    assert is_whole(told)


def test_a_json_text_beside_what_is_not_known() -> None:
    """It is shown as what it says, not as a text in a text."""
    told = comment(
        stack(change("update", TASK, "it", difference("containerDefinitions", containers(A="1"), Unknown())))
    )
    assert 'containerDefinitions: [{"name": "envoy", "image": "envoy:1", ' in told


def test_a_first_deployment_is_told_by_type() -> None:
    """Nobody reads ninety lines to learn "all of it"."""
    created = [change("create", "aws:ec2/subnet:Subnet", f"subnet-{number}") for number in range(90)]
    told = comment(stack(*created))
    assert "\n+ create ec2.Subnet x90\n" in told


def test_what_is_replaced_is_never_told_by_type_alone() -> None:
    """Why is what the reviewer wants to know, of ninety as of one; and it comes before what is updated."""
    cidr = difference("cidrBlock", "10.0.0.0/24", "10.7.0.0/24", replaces=True)
    replaced = [change("replace", "aws:ec2/subnet:Subnet", f"subnet-{number}", cidr) for number in range(90)]
    told = comment(stack(change("update", SERVICE, "it", difference("name", "a", "b")), *replaced))
    assert told.count("\n-+ replace ec2.Subnet subnet-") == 90
    assert told.index("-+ replace") < told.index("! update")


def test_a_setting_that_is_a_text_in_a_text() -> None:
    """A policy in a document, a bootstrap in a command: told by the setting that differs."""

    def command(level: str) -> str:
        return json.dumps([{"name": "envoy", "command": ["--config-yaml", json.dumps({"admin": {"level": level}})]}])

    told = comment(
        stack(change("replace", TASK, "it", difference("containerDefinitions", command("low"), command("high"))))
    )
    assert '\n!     containerDefinitions[envoy].command[1].admin.level: "low" -> "high"\n' in told


def test_a_name_with_lines_of_its_own() -> None:
    """It can't look like another change, whatever is done with the resource."""
    name = "it\n- delete ecs.Service everything"
    changes = [change(op, SERVICE, name, difference(name, "1", "2")) for op in ("create", "update", "import")]
    told = comment(stack(*changes))
    assert [line for line in told.splitlines() if line.startswith("-")] == []
