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


def is_whole(text: str) -> bool:
    """Whether all that opens closes, as rendered and as written, and no row of a table is cut."""
    shown = html(f"{text}\n\nthe end")
    rows_are = all(line.endswith("|") for line in text.splitlines() if line.startswith("|"))
    return shown.count("<details>") == shown.count("</details>") and shown.endswith("<p>the end</p>\n") and rows_are


def flipped(**config: str) -> list[StackForecast]:
    """The plans that turn tracing on in the repository's services, as the engine tells them."""
    stacks = []
    for before, after in zip(everything(**config), everything(**config, tracing="true"), strict=True):
        old = {(each.type, each.name): each.inputs for each in before.resources}
        changes = []
        for each in after.resources:
            was = old.get((each.type, each.name))
            if was is None:
                changes.append(change("create", each.type, each.name))
            elif was != each.inputs:
                found = [
                    difference(key, was.get(key), each.inputs.get(key), replaces=each.type == TASK)
                    for key in sorted({*was, *each.inputs})
                    if was.get(key) != each.inputs.get(key)
                ]
                changes.append(change("replace" if each.type == TASK else "update", each.type, each.name, *found))
            if each.type == SERVICE:
                changes.append(change("update", SERVICE, each.name, difference("taskDefinition", "arn:1", Unknown())))
        stacks.append(replace(after, stack=f"prod-{after.service}", changes=changes))
    return stacks


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
    assert "All of it: `python automation/preview.py --env prod --against main --json`" in told
    assert is_whole(told)


def test_one_reason_for_many_stacks_is_told_once() -> None:
    """As where the base does not deploy: each stack is named, its row is there, and so are the checks."""
    finding = Finding(rule="pinned-image", service="s", resource="r", message="m", fix="f")
    failed = [stack(service=f"shop-{number}", problem="main does not deploy\n" + "z" * 10_000) for number in range(50)]
    told = comment(*failed, findings=[finding])
    assert "50 stacks without a plan" in told
    assert "`prod-shop-48` and `prod-shop-49` have no plan:** main does not deploy" in told
    assert told.count("main does not deploy") == 1
    assert all(cells[0] == "**no plan**" for cells in rows(told).values())
    assert len(rows(told)) == 50
    assert "`pinned-image` in `s`, `r`: m. f" in told
    assert "… (7,000 more characters)" in told
    assert len(told) <= LIMIT


def test_many_reasons_lose_all_but_their_first_lines() -> None:
    """Each has one; what else there is gives way to the rows and the checks."""
    finding = Finding(rule="pinned-image", service="s", resource="r", message="m", fix="f")
    failed = [stack(service=f"shop-{each}", problem=f"reason {each}.\n" + "z" * 10_000) for each in range(200)]
    told = comment(*failed, findings=[finding])
    assert len(told) <= LIMIT
    assert is_whole(told)
    assert len(rows(told)) == 200
    assert all(f"`prod-shop-{each}` has no plan:** reason {each}." in told for each in range(200))
    assert "`pinned-image` in `s`, `r`" in told
    assert "--json`" in told


def test_a_reason_on_one_endless_line() -> None:
    """It is shortened, and takes nothing else away."""
    told = comment(stack(problem="x" * 100_000), stack(service="nodejs", problem="second"))
    assert re.search(r"\*\*`prod-crystal` has no plan:\*\* x{1000}… \(99,000 more characters\)\n", told)
    assert "**`prod-nodejs` has no plan:** second" in told
    assert "Shortened. All of it: `python automation/preview.py --env prod --against main --json`" in told
    assert is_whole(told)


def test_checks_praise_no_plan_that_is_not_there() -> None:
    """Nothing was looked at, or a part."""
    assert "**Checks:** none made, there is no plan." in comment(stack(problem="no"), stack(problem="no"))
    assert "**Checks:** nothing to object to in the plans that there are." in comment(stack(problem="no"), stack())


def test_a_plan_that_broke_off_is_not_counted() -> None:
    """What is known of it is told, as incomplete; the counts are those of the plans that there are."""
    created = change("create", SERVICE, "it")
    told = comment(stack(created, problem="the program failed"), stack(created, service="nodejs"))
    assert "1 stack without a plan, 1 stack changes" in told
    assert "\n1 created.\n" in told
    assert "<summary>prod-crystal, as far as it got: 1 created</summary>" in told


@pytest.mark.parametrize("count", [3_000, 10_000])
def test_thousands_of_stacks(count: int) -> None:
    """Those that stay as they are become one row; where even the others are too many, so do they, with their sums."""
    restarted = change("update", SERVICE, "it", difference("taskDefinition", 1, 2))
    unchanged = [stack(service=f"shop-{number}") for number in range(count)]
    told = comment(*unchanged, stack(restarted))
    assert rows(told).keys() == {"prod-crystal"}
    assert f"| {count} more stacks | 0 | 0 | 0 | 0 | {8 * count} | | |" in told

    told = comment(*[stack(restarted, service=f"shop-{number}") for number in range(count)])
    assert len(told) <= LIMIT
    assert is_whole(told)
    (rest,) = re.findall(r"^\| (\d+) more stacks \| 0 \| (\d+) \| 0 \| 0 \| (\d+) \|", told, flags=re.MULTILINE)
    left = count - len(rows(told))
    assert len(rows(told)) >= 500  # rows come before details
    assert rest == (str(left), str(left), str(8 * left))
    assert f"{count} updated." in told
    assert re.search(r"Rolling restart of `shop-0`, .* and \d+ more, in this order\.", told)


def test_thousands_of_findings() -> None:
    """As many as there is room for, each whole, and how many more there are."""
    finding = Finding(rule="pinned-image", service="s", resource="r", message="m", fix="f")
    findings = [replace(finding, resource=f"{number}-{'r' * 40}", message=str(number)) for number in range(3_000)]
    told = comment(stack(), findings=findings)
    listed = re.findall(r"^- \*\*error\*\* `pinned-image` in `s`, `\d+-r{40}`$", told, flags=re.MULTILINE)
    assert len(told) <= LIMIT
    assert len(listed) >= 500
    assert "### Checks: 3000 errors" in told
    assert f"- {3_000 - len(listed)} more" in told


@pytest.mark.parametrize("limit", [1_000, 3_000, 6_000, 12_000, 24_000, 48_000])
def test_whatever_the_limit_nothing_is_cut_in_the_middle(limit: int) -> None:
    """Not a row, not a fence, not a fold; and the first line is the marker."""
    finding = Finding(rule="open", service="s", resource="r", message="m" * 300, fix="f" * 300)
    findings = [replace(finding, resource=f"r-{number}") for number in range(40)]
    failed = [stack(service=f"failed-{number}", problem=f"{number}\n" + "```\n" * 500) for number in range(10)]
    forecast = Forecast(environment="prod", base="main", stacks=[*flipped(), *failed])
    told = render(forecast, findings, estimate(flipped(), NAMES, 1), limit=limit)
    assert len(told) <= limit
    assert is_whole(told)
    assert told.startswith(f"{marker('prod')}\n\n## Preview of `prod` against `main`: 10 stacks without a plan")


@pytest.mark.parametrize(
    ("before", "after", "turned"),
    [
        (containers(), containers(ENABLE_ENVOY_XRAY_TRACING="1"), "on"),
        (containers(ENABLE_ENVOY_XRAY_TRACING="1"), containers(ENABLE_ENVOY_XRAY_TRACING="0"), "off"),
        ("[]", containers(ENABLE_ENVOY_XRAY_TRACING="1"), "on"),
        (containers(ENABLE_ENVOY_XRAY_TRACING="0"), containers(), ""),
        (containers(), containers(ENABLE_ENVOY_XRAY_TRACING="0"), ""),
        (containers(ENABLE_ENVOY_XRAY_TRACING="1"), Unknown(), ""),
        (SECRET, containers(ENABLE_ENVOY_XRAY_TRACING="1"), ""),
    ],
)
def test_tracing_is_turned_where_it_was_otherwise(before: object, after: object, turned: str) -> None:
    """A flag that goes without having been on turns nothing off; of what is not known nothing is said."""
    told = comment(stack(change("replace", TASK, "it", difference("containerDefinitions", before, after))))
    assert re.findall(r"Tracing is turned \*\*(\w+)\*\*", told) == ([turned] if turned else [])


def test_a_first_deployment_that_traces() -> None:
    """Is told as one; without the flag there is nothing to tell."""
    for config, services in (({"tracing": "true"}, list(SERVICES)), ({}, [])):
        stacks = [
            replace(each, changes=[change("create", made.type, made.name) for made in each.resources])
            for each in everything(**config)
        ]
        told = comment(*stacks)
        turned = re.findall(r"Tracing is turned \*\*on\*\* in (.*)\.", told)
        assert re.findall(r"`(\w+)`", "".join(turned)) == services


def test_a_service_that_begins_no_trace() -> None:
    """Its sidecar is told, and no sum of money is."""
    (own,) = [each for each in everything(tracing="true") if each.service == "crystal"]
    told = render(Forecast(environment="prod", stacks=[own]), [], estimate([own], NAMES, 1_000_000))
    assert "| `crystal` | 256 MiB |" in told
    assert "The least is" not in told
    assert "Prices" not in told


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
