"""A forecast as a comment on a pull request, in GitHub's Markdown.

From the top: what happens, stack by stack, what is wrong with it, what tracing will cost, and, folded, property by
property. Where that is too long, details go first, the longest before the others, and each place says what it left out;
each stack's row, each rule with its resource and the first line of each problem stay.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from automation.comment_diff import (
    CUT,
    OPS,
    by_op,
    code,
    codes,
    details,
    fenced,
    folded,
    note,
    number,
    short,
    shortened,
    text,
)
from automation.forecast import Forecast, StackForecast
from checks.estimates import PRICES, Estimate
from checks.model import Finding, document, listed, mapped
from checks.tracing import Names, tasks, variables
from services import tracing

LIMIT = 64_000  # characters; GitHub takes 65,536

_NAMES = Names(**tracing.NAMES)
_SERVICE = "aws:ecs/service:Service"
_TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
# What of an ECS service begins a new deployment. Source: ECS API reference, UpdateService.
_RESTARTING = {"taskDefinition", "networkConfiguration", "loadBalancers", "serviceRegistries", "platformVersion"}
_GRAVE = ("replaced", "destroyed")
_LONGEST_LINE = 1_000  # characters of a problem's first line


@dataclass(frozen=True)
class _Extent:
    """How much is told above the details."""

    share: float  # of the comment that it may take
    words: int  # characters of a finding's message and fix
    reason: int  # characters of a problem after its first line
    unchanged: bool = True  # whether stacks that stay as they are have rows of their own
    most: int | None = None  # lines of each list, and names in each line


# From all there is to the least, which is for thousands of stacks.
_EXTENTS = (
    _Extent(0.75, words=10_000, reason=3_000),
    _Extent(0.75, words=300, reason=300),
    _Extent(1, words=0, reason=0),
    _Extent(1, words=0, reason=0, unchanged=False),
    *(_Extent(1, words=0, reason=0, unchanged=False, most=most) for most in (1_000, 750, 500, 250, 100)),
)


def marker(environment: str) -> str:
    """The first line, by which a second run finds the comment of the first."""
    return f"<!-- ecs-tracing preview: {environment} -->"


def render(forecast: Forecast, findings: Sequence[Finding], estimate: Estimate, *, limit: int = LIMIT) -> str:
    """The comment, at most `limit` characters long."""
    room = limit - len(note(forecast, len(forecast.stacks)))
    for extent in _EXTENTS:
        parts = [*_head(forecast, extent), *_findings(forecast, findings, extent), *_estimate(estimate, extent)]
        summary = "\n\n".join(parts)
        if len(summary) <= room * extent.share:
            break
    else:  # it has no folds by now: between any two lines it can end
        summary = summary[: summary[: max(room, 0) + 1].rfind("\n")].rstrip()
    left = limit - len(summary)
    is_short = extent is not _EXTENTS[0] or CUT in summary
    return "\n\n".join([summary, *details(forecast, left, shortened=is_short)])


def _head(forecast: Forecast, extent: _Extent) -> Iterator[str]:
    planned = [stack for stack in forecast.stacks if not stack.problem]
    yield marker(forecast.environment)
    against = f" against {code(short(forecast.base))}" if forecast.base else ""
    yield f"## Preview of {code(forecast.environment)}{against}: {_happening(forecast)}"
    if counts := _counts(by_op(change for stack in planned for change in stack.changes)):
        yield f"{counts}."
    restarted = [stack.service for stack in planned if _restarts(stack)]
    if restarted:
        order = ", in this order" if len(restarted) > 1 else ""
        yield f"Rolling restart of {codes(restarted, extent.most)}{order}."
    for state, turned in (("on", True), ("off", False)):
        if where := [stack.service for stack in planned if _turns(stack) is turned]:
            yield f"Tracing is turned **{state}** in {codes(where, extent.most)}."
    yield "\n".join(_table(forecast.stacks, extent))
    yield from _problems(forecast.stacks, extent)


def _happening(forecast: Forecast) -> str:
    failed = sum(bool(stack.problem) for stack in forecast.stacks)
    changed = sum(bool(stack.changes) and not stack.problem for stack in forecast.stacks)
    told = [f"{number(failed, 'stack')} without a plan"] if failed else []
    if changed:
        told.append(f"{number(changed, 'stack')} {'changes' if changed == 1 else 'change'}")
    return ", ".join(told) or "no changes"


def _table(stacks: Sequence[StackForecast], extent: _Extent) -> Iterator[str]:
    yield "| stack | created | updated | replaced | destroyed | unchanged | restart | hangs on |"
    yield "|:--|--:|--:|--:|--:|--:|:--|:--|"
    told = [stack for stack in stacks if extent.unchanged or stack.changes or stack.problem][: extent.most]
    for stack in told:
        hangs = codes(stack.waits_for, extent.most)
        if stack.problem:
            yield f"| {code(stack.stack)} | **no plan** | | | | | | {hangs} |"
            continue
        restart = "rolling" if _restarts(stack) else ""
        yield f"| {code(stack.stack)} | {_cells([stack])} | {restart} | {hangs} |"
    names = {stack.stack for stack in told}
    if rest := [stack for stack in stacks if stack.stack not in names]:
        failed = sum(bool(stack.problem) for stack in rest)
        without = f", {failed} of them **without a plan**" if failed else ""
        planned = [stack for stack in rest if not stack.problem]
        yield f"| {number(len(rest), 'more stack')}{without} | {_cells(planned)} | | |"


def _cells(stacks: Sequence[StackForecast]) -> str:
    counts = by_op(change for stack in stacks for change in stack.changes)
    cells = [f"**{counts[op]}**" if counts[op] and op in _GRAVE else str(counts[op]) for op in OPS.values()]
    return " | ".join([*cells, str(sum(stack.unchanged for stack in stacks))])


def _problems(stacks: Sequence[StackForecast], extent: _Extent) -> Iterator[str]:
    """Why stacks have no plan; what several have in common is told once."""
    alike: dict[str, list[str]] = {}
    for stack in stacks:
        if stack.problem:
            alike.setdefault(stack.problem, []).append(stack.stack)
    problems = list(alike.items())
    for problem, names in problems[: extent.most]:
        first, _, rest = problem.partition("\n")
        has = "has" if len(names) == 1 else "have"
        yield f"**{codes(names, extent.most)} {has} no plan:** {text(shortened(first, _LONGEST_LINE))}"
        if rest.strip() and extent.reason:
            yield folded("all of it", fenced(shortened(rest, extent.reason), "text"))
    if extent.most and len(problems) > extent.most:
        yield f"{len(problems) - extent.most} more reasons."


def _findings(forecast: Forecast, findings: Sequence[Finding], extent: _Extent) -> Iterator[str]:
    if not findings:
        yield f"**Checks:** {_no_findings(forecast)}"
        return
    ordered = sorted(findings, key=lambda finding: finding.severity != "error")  # errors first, else as they came
    severities = Counter(finding.severity for finding in ordered)
    yield f"### Checks: {' and '.join(number(count, word) for word, count in severities.items())}"
    alike: dict[tuple[str, ...], list[Finding]] = {}
    for each in ordered:
        alike.setdefault((each.severity, each.rule, each.service, each.message, each.fix), []).append(each)
    lines = [_finding(group, extent) for group in alike.values()]
    left = [f"- {len(lines) - extent.most} more"] if extent.most and len(lines) > extent.most else []
    yield "\n".join([*lines[: extent.most], *left])


def _no_findings(forecast: Forecast) -> str:
    if not forecast.failed:
        return "nothing to object to."
    if any(stack.resources or not stack.problem for stack in forecast.stacks):
        return "nothing to object to in the plans that there are."
    return "none made, there is no plan."


def _finding(alike: Sequence[Finding], extent: _Extent) -> str:
    finding = alike[0]
    resources = codes([each.resource for each in alike], extent.most)
    about = f"- **{finding.severity}** {code(finding.rule)} in {code(finding.service)}, {resources}"
    if not extent.words:
        return about
    return f"{about}: {text(shortened(f'{finding.message}. {finding.fix}', extent.words))}"


def _estimate(estimate: Estimate, extent: _Extent) -> Iterator[str]:
    if not estimate.sidecars and not estimate.words:
        return
    yield "### What tracing takes"
    if estimate.sidecars:
        yield "\n".join(_sidecars(estimate, extent))
    if estimate.rates:
        yield (
            f"{text(estimate.words)} The least is the rate alone; the most, if requests come evenly, since each Envoy "
            f"also takes the first of each second. Applications are taken not to pass the trace header on. "
            f"{PRICES.words}"
        )
    elif estimate.words:
        yield text(estimate.words)


def _sidecars(estimate: Estimate, extent: _Extent) -> Iterator[str]:
    yield "| service | sidecar: memory | CPU | task: memory | CPU | size |"
    yield "|:--|--:|--:|--:|--:|:--|"
    for each in estimate.sidecars[: extent.most]:
        grown = f"grows from {each.grows_from}" if each.grows_from else "as before"
        sizes = f"{each.memory} MiB | {each.cpu or 'shared'} | {text(each.task_memory)} MiB | {text(each.task_cpu)}"
        yield f"| {code(each.service)} | {sizes} | {text(grown)} |"
    if extent.most and len(estimate.sidecars) > extent.most:
        yield f"| {len(estimate.sidecars) - extent.most} more | | | | | |"


def _restarts(stack: StackForecast) -> bool:
    """Whether running tasks are replaced by new ones."""
    return any(
        change.type == _SERVICE
        and (change.op == "replace" or (change.op == "update" and bool(_RESTARTING & set(change.properties))))
        for change in stack.changes
    )


def _turns(stack: StackForecast) -> bool | None:
    """Whether tracing is turned on (True) or off; None: neither, or not known."""
    definitions = [change for change in stack.changes if change.type == _TASK_DEFINITION]
    for change in definitions:
        for each in change.differences:
            if each.path == "containerDefinitions":
                before, after = _traces(each.before), _traces(each.after)
                if None not in {before, after} and before != after:
                    return after
    created = {change.name for change in definitions if change.op == "create"}
    # Where another one goes it may have traced, too.
    is_new = not any(change.op == "delete" for change in definitions)
    return True if is_new and any(task.traced and task.name in created for task in tasks(stack, _NAMES)) else None


def _traces(definitions: Any) -> bool | None:
    """Whether the Envoy among container definitions traces; None where they are not known."""
    containers = document(definitions)
    if not isinstance(containers, list):
        return None
    envoys = [each for each in map(mapped, listed(containers)) if each.get("name") == _NAMES.envoy]
    return any(variables(envoy).get(_NAMES.flag) == "1" for envoy in envoys)


def _counts(counts: Counter[str]) -> str:
    told = [f"{counts[op]} {op}" for op in (*_GRAVE, "updated", "created") if counts[op]]
    return ", ".join(f"**{each}**" if each.endswith(_GRAVE) else each for each in told)
