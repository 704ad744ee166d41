"""The comment on a pull request: what a reviewer reads, and that it is never cut off or broken out of."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from automation.comment import LIMIT, marker, render
from automation.forecast import SECRET, Change, Difference, Forecast, Kind, StackForecast, Unknown
from checks.estimates import Estimate, estimate
from checks.model import Finding
from services import SERVICES
from tests.checks.plans import NAMES, everything

TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
NOTHING = Estimate(requests=0)
HOSTILE = "```\n</details>\n| x | @everybody <img src=x onerror=alert(1)> [click](http://evil) `"


def comment(*stacks: StackForecast, findings: Sequence[Finding] = (), base: str = "main", limit: int = LIMIT) -> str:
    return render(Forecast(environment="prod", base=base, stacks=stacks), findings, NOTHING, limit=limit)


def stack(*changes: Change, service: str = "crystal", **given: Any) -> StackForecast:
    return StackForecast(service=service, stack=f"prod-{service}", changes=changes, **{"unchanged": 8, **given})


def difference(path: str, before: Any, after: Any, *, replaces: bool = False) -> Difference:
    kind: Kind = "add" if before is None else "delete" if after is None else "update"
    return Difference(path=path, kind=kind, before=before, after=after, replaces=replaces)


def change(op: str, token: str, name: str, *differences: Difference) -> Change:
    properties = tuple(each.path.partition(".")[0] for each in differences)
    return Change(op=op, type=token, name=name, differences=differences, properties=properties)


def containers(**variables: str) -> str:
    listed = [{"name": name, "value": value} for name, value in variables.items()]
    return json.dumps([{"name": "envoy", "image": "envoy:1", "environment": listed}])


def rows(text: str) -> dict[str, list[str]]:
    """The cells of the first table, by stack."""
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip(" `"): [cell.strip() for cell in cells[1:]] for cells in lines}


def html(text: str) -> str:
    """As GitHub renders it, near enough: CommonMark and tables."""
    return str(MarkdownIt("commonmark").enable("table").render(text))


def test_a_reviewer_reads_what_happens() -> None:
    """Counts, restarts, tracing, and the setting that differs, in the element of the list that has it."""
    before, after = containers(LEVEL="info"), containers(LEVEL="info", ENABLE_ENVOY_XRAY_TRACING="1")
    task = change("replace", TASK, "crystal-task", difference("containerDefinitions", before, after, replaces=True))
    service = change("update", SERVICE, "crystal", difference("taskDefinition", "arn:1", Unknown()))
    told = comment(stack(task, service), stack(service="nodejs"))

    assert told.splitlines()[0] == marker("prod")
    assert "## Preview of `prod` against `main`: 1 stack changes" in told
    assert "**1 replaced**, 1 updated." in told
    assert "Rolling restart of `crystal`." in told
    assert "Tracing is turned **on** in `crystal`." in told
    assert rows(told) == {
        "prod-crystal": ["0", "1", "**1**", "0", "8", "rolling", ""],
        "prod-nodejs": ["0", "0", "0", "0", "8", "", ""],
    }
    assert "\n-+ replace ecs.TaskDefinition crystal-task, because of containerDefinitions\n" in told
    assert '\n+     containerDefinitions[envoy].environment[ENABLE_ENVOY_XRAY_TRACING]: "1"\n' in told
    assert '\n!     taskDefinition: "arn:1" -> known after the deployment\n' in told
    assert "envoy:1" not in told


def test_no_changes_are_one_line() -> None:
    """And a table that says so."""
    told = comment(stack(), base="0123456789abcdef0123456789abcdef01234567")
    assert "## Preview of `prod` against `0123456789ab`: no changes" in told
    assert "<details>" not in told


def test_what_hangs_on_another_stack_is_named() -> None:
    """In the table and at the value."""
    network = difference("networkConfiguration.subnets", ["subnet-1"], Unknown(after="prod-platform"))
    told = comment(stack(change("update", SERVICE, "crystal", network), waits_for=["prod-platform"]))
    assert rows(told)["prod-crystal"][-1] == "`prod-platform`"
    assert 'networkConfiguration.subnets: ["subnet-1"] -> known after prod-platform' in told


@pytest.mark.parametrize(
    ("changes", "red"),
    [
        ([change("delete", "aws:lb/listener:Listener", "old")], "- delete lb.Listener old"),
        (
            [
                change("delete", "aws:lb/listener:Listener", "old"),
                change("create", "aws:lb/listener:Listener", "new"),
            ],
            "-+ rename lb.Listener old to new: destroyed and created anew",
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


def test_a_stack_without_a_plan_says_why() -> None:
    """Its first line in the open, the rest folded; the others are told all the same."""
    told = comment(stack(problem="no platform today\n  in line 3"), stack(service="nodejs"))
    assert "1 stack without a plan" in told
    assert "**`prod-crystal` has no plan:** no platform today" in told
    assert rows(told)["prod-crystal"][0] == "**no plan**"
    assert "  in line 3\n```" in told


def test_findings_tell_rule_resource_and_fix() -> None:
    """Errors first."""
    error = Finding(
        rule="pinned-image", service="crystal", resource="crystal-task", message="app:latest moves", fix="Take a tag"
    )
    warning = replace(error, rule="memory-headroom", severity="warning")
    told = comment(stack(), findings=[warning, error])
    assert "### Checks: 1 error and 1 warning" in told
    assert told.index(
        "**error** `pinned-image` in `crystal`, `crystal-task`: app:latest moves. Take a tag"
    ) < told.index("**warning** `memory-headroom`")
    assert "nothing to object to" in comment(stack())


def test_findings_that_say_the_same_are_one_line() -> None:
    """With all their resources."""
    finding = Finding(rule="lost", service="crystal", resource="subnet-1", message="it goes", fix="Keep it")
    told = comment(stack(), findings=[finding, replace(finding, resource="subnet-2")])
    assert "\n- **error** `lost` in `crystal`, `subnet-1` and `subnet-2`: it goes. Keep it\n" in told + "\n"
    assert "### Checks: 2 errors" in told


def test_what_tracing_takes() -> None:
    """Of the repository's own services, with the prices' date and place."""
    stacks = everything(tracing="true")
    forecast = Forecast(environment="prod", base="main", stacks=stacks)
    told = render(forecast, [], estimate(stacks, NAMES, 1_000_000))
    for service in SERVICES:
        assert f"| `{service}` | 256 MiB | shared | 1024 MiB | 512 | as before |" in told
    assert "sampled at 5%: 150,000 to 3,000,000 traces, 0.25 to 14.50 US dollars." in told
    assert "us-east-1, 2026-11" in told


@pytest.mark.parametrize("count", [50, 300])
def test_large_plans_lose_details_and_nothing_of_the_summary(count: int) -> None:
    """Each stack with 30 changes of 20 long values: under the limit, each row there, and said what was left out."""
    values = [difference(f"property{number}", "x" * 500, "y" * 500) for number in range(20)]
    changes = [change("update", SERVICE, f"service-{number}", *values) for number in range(30)]
    problem = "it broke\n" + "z" * 10_000
    finding = Finding(rule="pinned-image", service="s", resource="r", message="m" * 2_000, fix="f")
    findings = [replace(finding, resource=f"r-{number}", message=finding.message + str(number)) for number in range(20)]
    stacks = [stack(*changes, service=f"shop-{number}") for number in range(count)]
    told = comment(*stacks, stack(problem=problem), findings=findings)

    assert len(told) <= LIMIT
    assert f"## Preview of `prod` against `main`: 1 stack without a plan, {count} stacks change" in told
    assert f"{30 * count} updated." in told
    assert {f"prod-shop-{number}" for number in range(count)} == rows(told).keys() - {"prod-crystal"}
    assert all(cells[1] == "30" for name, cells in rows(told).items() if name != "prod-crystal")
    assert all(f"`pinned-image` in `s`, `r-{number}`" in told for number in range(20))
    assert "Shortened. All of it: `python automation/preview.py --env prod --against main`" in told
    assert told.count("<details>") == told.count("</details>")


def test_a_little_too_long_loses_a_little() -> None:
    """The largest stack is shortened first; the others keep their values."""
    small = stack(change("update", SERVICE, "small", difference("name", "before", "after")))
    long = [difference(f"property{number}", "x" * 200, "y" * 200) for number in range(100)]
    large = stack(change("update", SERVICE, "large", *long), service="nodejs")
    told = comment(small, large, limit=20_000)
    assert len(told) <= 20_000
    assert 'name: "before" -> "after"' in told
    assert "more characters)" in told or "more properties" in told


def test_no_value_breaks_out() -> None:
    """Fences, folds, tables, mentions and HTML in names, values, problems and findings stay data."""
    finding = Finding(rule="open", service=HOSTILE, resource=HOSTILE, message=HOSTILE, fix=HOSTILE)
    bad = replace(stack(change("update", SERVICE, HOSTILE, difference("a", "1", HOSTILE))), stack=HOSTILE)
    told = comment(bad, stack(problem=f"{HOSTILE}\n{HOSTILE}", service="nodejs"), findings=[finding])
    shown = html(told)

    assert "<img" not in shown
    assert 'href="http://evil"' not in shown
    assert re.sub(r"<code.*?</code>", "", shown, flags=re.DOTALL).count("@everybody") == 0
    assert (shown.count("<details>"), shown.count("</details>")) == (2, 2)
    assert len([line for line in told.splitlines() if line.startswith("| `")]) == 2


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
