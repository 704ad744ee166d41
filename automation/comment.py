"""A forecast as a comment on a pull request, in GitHub's Markdown.

From the top: what happens, stack by stack, what is wrong with it, what tracing will cost, and, folded, property by
property. Where that is too long, details go first, the longest before the others, and each place says what it left out;
the summary never does. Whatever comes from resources is data and stays data: it is in code, or escaped.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from automation.forecast import Change, Difference, Forecast, StackForecast
from automation.nested import settled, words
from checks.estimates import PRICES, Estimate
from checks.model import Finding
from services.tracing import FLAG_VARIABLE

LIMIT = 64_000  # characters; GitHub takes 65,536

_SERVICE = "aws:ecs/service:Service"
_TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
# What of an ECS service begins a new deployment. Source: ECS API reference, UpdateService.
_RESTARTING = {"taskDefinition", "networkConfiguration", "loadBalancers", "serviceRegistries", "platformVersion"}

_OPS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "destroyed"}
_GRAVEST_FIRST = tuple(reversed(_OPS))
_GRAVE = ("replaced", "destroyed")
# How GitHub colours a line of a difference: + green, - red, ! orange.
_SIGNS = {"create": "+", "update": "!", "replace": "-+", "delete": "-", "import": "+", "add": "+"}
_LISTED = 40  # resources that come or go as a whole are told one by one up to so many of a stack
_LONGEST_PROBLEM = 3_000  # characters


@dataclass(frozen=True)
class _Detail:
    """How much is told of a stack."""

    value: int  # characters of each value
    properties: int  # of each resource; 0: none


# From all there is to hardly anything; after the last, nothing.
_LEVELS = (_Detail(2_000, 1_000), _Detail(300, 100), _Detail(100, 20), _Detail(60, 3), _Detail(0, 0))


def marker(environment: str) -> str:
    """The first line, by which a second run finds the comment of the first."""
    return f"<!-- ecs-tracing preview: {environment} -->"


def render(forecast: Forecast, findings: Sequence[Finding], estimate: Estimate, *, limit: int = LIMIT) -> str:
    """The comment, at most `limit` characters long."""
    stacks = forecast.stacks
    head = "\n\n".join(_head(forecast, stacks))
    if len(head) > limit // 2:
        head = "\n\n".join(_head(forecast, [stack for stack in stacks if stack.changes or stack.problem]))
    body = [*_findings(findings, (limit - len(head)) // 2), *_estimate(estimate)]
    summary = "\n\n".join([head, *body])
    return "\n\n".join([summary, *_details(forecast, limit - len(summary))])[:limit]


def _head(forecast: Forecast, listed: Sequence[StackForecast]) -> Iterator[str]:
    yield marker(forecast.environment)
    against = f" against {_code(_short(forecast.base))}" if forecast.base else ""
    yield f"## Preview of {_code(forecast.environment)}{against}: {_happening(forecast)}"
    if counts := _counts(change for stack in forecast.stacks for change in stack.changes):
        yield f"{counts}."
    restarted = [stack.service for stack in forecast.stacks if _restarts(stack)]
    if restarted:
        yield f"Rolling restart of {_codes(restarted)}{', in this order' if len(restarted) > 1 else ''}."
    for turned, where in _turned(forecast.stacks).items():
        yield f"Tracing is turned **{turned}** in {_codes(where)}."
    yield "\n".join(_table(forecast.stacks, listed))
    yield from (_problem(stack) for stack in listed if stack.problem)


def _happening(forecast: Forecast) -> str:
    changed = [stack for stack in forecast.stacks if stack.changes]
    failed = [stack for stack in forecast.stacks if stack.problem]
    told = [f"{_number(len(failed), 'stack')} without a plan"] if failed else []
    if changed:
        told.append(f"{_number(len(changed), 'stack')} {'changes' if len(changed) == 1 else 'change'}")
    return ", ".join(told) or "no changes"


def _table(stacks: Sequence[StackForecast], listed: Sequence[StackForecast]) -> Iterator[str]:
    yield "| stack | created | updated | replaced | destroyed | unchanged | restart | hangs on |"
    yield "|:--|--:|--:|--:|--:|--:|:--|:--|"
    for stack in listed:
        hangs = _codes(stack.waits_for)
        if stack.problem:
            yield f"| {_code(stack.stack)} | **no plan** | | | | | | {hangs} |"
            continue
        by_op = _by_op(stack.changes)
        cells = [_cell(op, by_op[op]) for op in _OPS.values()]
        restart = "rolling" if _restarts(stack) else ""
        yield f"| {_code(stack.stack)} | {' | '.join(cells)} | {stack.unchanged} | {restart} | {hangs} |"
    if len(listed) < len(stacks):
        yield f"| {_number(len(stacks) - len(listed), 'stack')} more | 0 | 0 | 0 | 0 | all | | |"


def _problem(stack: StackForecast) -> str:
    first, _, rest = stack.problem.partition("\n")
    told = [f"**{_code(stack.stack)} has no plan:** {_text(first)}"]
    if rest.strip():
        told.append(_folded("all of it", _fenced(rest[:_LONGEST_PROBLEM], "text")))
    return "\n\n".join(told)


def _findings(findings: Sequence[Finding], room: int) -> Iterator[str]:
    if not findings:
        yield "**Checks:** nothing to object to."
        return
    ordered = sorted(findings, key=lambda finding: finding.severity != "error")  # errors first, else as they came
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    counts = [_number(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number]
    yield f"### Checks: {' and '.join(counts)}"
    alike: dict[tuple[str, ...], list[Finding]] = {}
    for each in ordered:
        alike.setdefault((each.severity, each.rule, each.service, each.message, each.fix), []).append(each)
    lines = [f"{_about(group)}: {_text(group[0].message)}. {_text(group[0].fix)}" for group in alike.values()]
    if sum(map(len, lines)) > room:
        lines = [_about(group) for group in alike.values()]
    yield "\n".join(lines)


def _about(alike: Sequence[Finding]) -> str:
    resources = _codes([finding.resource for finding in alike])
    return f"- **{alike[0].severity}** {_code(alike[0].rule)} in {_code(alike[0].service)}, {resources}"


def _estimate(estimate: Estimate) -> Iterator[str]:
    if not estimate.sidecars:
        return
    yield "### What tracing takes"
    lines = ["| service | sidecar: memory | CPU | task: memory | CPU | size |", "|:--|--:|--:|--:|--:|:--|"]
    for each in estimate.sidecars:
        grown = f"grows from {each.grows_from}" if each.grows_from else "as before"
        cpu = str(each.cpu) if each.cpu else "shared"
        sizes = f"{each.memory} MiB | {cpu} | {each.task_memory} MiB | {each.task_cpu}"
        lines.append(f"| {_code(each.service)} | {sizes} | {_text(grown)} |")
    yield "\n".join(lines)
    yield (
        f"{estimate.words} The least is the rate alone; the most, if requests come evenly, since each Envoy also takes "
        f"the first of each second. Applications are taken not to pass the trace header on. {PRICES.words}"
    )


def _details(forecast: Forecast, room: int) -> Iterator[str]:
    """One folded part a stack, the longest shortened until all fit."""
    command = f"python automation/preview.py --env {forecast.environment}"
    command += f" --against {_short(forecast.base)}" if forecast.base else ""
    more = f"\n\nShortened. All of it: {_code(command)}"
    changed = [stack for stack in forecast.stacks if stack.changes]
    # A value that is longer than its stack's share would not stay: the largest plans begin further down.
    share = room // max(1, len(changed))
    first = next((level for level, detail in enumerate(_LEVELS) if detail.value <= share), len(_LEVELS) - 1)
    levels = dict.fromkeys(range(len(changed)), first)
    texts = {number: _detail(stack, _LEVELS[first]) for number, stack in enumerate(changed)}
    length = sum(len(text) + 2 for text in texts.values()) + len(more)
    while texts and length > room:
        longest = max(texts, key=lambda number: len(texts[number]))
        length -= len(texts.pop(longest)) + 2
        levels[longest] += 1
        if levels[longest] < len(_LEVELS):
            texts[longest] = _detail(changed[longest], _LEVELS[levels[longest]])
            length += len(texts[longest]) + 2
    yield from (texts[number] for number in sorted(texts))
    if any(levels.values()) and len(more) <= room:
        yield more.strip()


def _detail(stack: StackForecast, detail: _Detail) -> str:
    lines = list(_lines(stack, detail))
    return _folded(f"{stack.stack}: {_plain_counts(stack.changes)}", _fenced("\n".join(lines), "diff"))


def _lines(stack: StackForecast, detail: _Detail) -> Iterator[str]:
    pending = list(stack.changes)
    for old, new in _renamed(stack.changes):
        pending.remove(old)
        pending.remove(new)
        yield f"-+ rename {old.short_type} {_one_line(old.name)} to {_one_line(new.name)}: destroyed and created anew"
    for op in _GRAVEST_FIRST:
        alike = _in_order([change for change in pending if change.op == op])
        whole = not any(change.differences for change in alike)
        if len(alike) > (_LISTED if detail.properties else 1) and (whole or not detail.properties):
            kinds = Counter(change.short_type for change in alike)
            told = ", ".join(f"{kind} x{count}" if count > 1 else kind for kind, count in kinds.items())
            yield f"{_SIGNS[op]} {op} {told}"
            continue
        for change in alike:
            yield f"{_SIGNS[op]} {op} {change.short_type} {_one_line(change.name)}{_because(change)}"
            yield from _properties(change, detail)
    yield from (f"# {change.op} {change.short_type} {change.name}" for change in pending if change.op not in _OPS)


def _in_order(changes: Sequence[Change]) -> list[Change]:
    """The same in each run, though the engine works on many at once: by type as they come, then by name."""
    types = {kind: number for number, kind in enumerate(dict.fromkeys(change.type for change in changes))}
    return sorted(changes, key=lambda change: (types[change.type], change.name))


def _because(change: Change) -> str:
    """What has it replaced, by the top-level names of its properties."""
    names = dict.fromkeys(re.split(r"[.\[]", each.path)[0] for each in change.differences if each.replaces)
    return f", because of {', '.join(names)}" if names else ""


def _properties(change: Change, detail: _Detail) -> Iterator[str]:
    if not detail.properties:
        return
    found = list(_settled(change))
    for each in found[: detail.properties]:
        before, after = (_shortened(value, detail.value) for value in (each.before, each.after))
        told = {"add": after, "delete": before}.get(each.kind, f"{before} -> {after}")
        yield f"{_SIGNS[each.kind]}     {_one_line(each.path)}: {told}"
    if len(found) > detail.properties:
        yield f"#     {_number(len(found) - detail.properties, 'more property', 'more properties')}"


def _renamed(changes: Sequence[Change]) -> Iterator[tuple[Change, Change]]:
    """Where one resource of a type goes and one comes."""
    for kind in dict.fromkeys(change.type for change in changes):
        gone = [change for change in changes if (change.op, change.type) == ("delete", kind)]
        come = [change for change in changes if (change.op, change.type) == ("create", kind)]
        if len(gone) == len(come) == 1:
            yield gone[0], come[0]


def _settled(change: Change) -> Iterator[Difference]:
    return chain.from_iterable(map(settled, change.differences))


def _restarts(stack: StackForecast) -> bool:
    """Whether running tasks are replaced by new ones."""
    return any(
        change.type == _SERVICE and (change.op == "replace" or (change.op == "update" and _begins_deployment(change)))
        for change in stack.changes
    )


def _begins_deployment(change: Change) -> bool:
    return bool(_RESTARTING & set(change.properties))


def _turned(stacks: Sequence[StackForecast]) -> dict[str, list[str]]:
    """The services in which tracing is turned on, and off."""
    turned: dict[str, list[str]] = {"on": [], "off": []}
    flag = f"environment[{FLAG_VARIABLE}]"
    for stack in stacks:
        for change in stack.changes:
            for each in _settled(change) if change.type == _TASK_DEFINITION else ():
                if each.path.endswith(flag):
                    turned["on" if each.after == "1" else "off"].append(stack.service)
    return {state: services for state, services in turned.items() if services}


def _by_op(changes: Sequence[Change]) -> Counter[str]:
    return Counter(_OPS[change.op] for change in changes if change.op in _OPS)


def _counts(changes: Iterator[Change]) -> str:
    counts = _by_op(list(changes))
    told = [f"{counts[op]} {op}" for op in (*_GRAVE, "updated", "created") if counts[op]]
    return ", ".join(f"**{each}**" if each.endswith(_GRAVE) else each for each in told)


def _plain_counts(changes: Sequence[Change]) -> str:
    counts = _by_op(changes)
    return ", ".join(f"{counts[_OPS[op]]} {_OPS[op]}" for op in _GRAVEST_FIRST if counts[_OPS[op]])


def _cell(op: str, number: int) -> str:
    return f"**{number}**" if number and op in _GRAVE else str(number)


def _folded(summary: str, text: str) -> str:
    return f"<details><summary>{_quiet(html.escape(_one_line(summary)))}</summary>\n\n{text}\n\n</details>"


def _fenced(text: str, language: str) -> str:
    """A block of code that ends where it should: its fence is longer than any row of backticks in it."""
    rows = [len(row) for row in re.findall(r"`+", text)]
    fence = "`" * max(3, *(row + 1 for row in rows), 0)
    return f"{fence}{language}\n{text}\n{fence}"


def _code(text: str) -> str:
    """A name in a line or in a cell of a table."""
    return f"`{_one_line(text).replace('`', chr(39)).replace('|', '/')}`"


def _codes(texts: Sequence[str]) -> str:
    told = [_code(text) for text in texts]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def _text(text: str) -> str:
    """Words in a line, with nothing in them that is Markdown, HTML or a mention."""
    marked = re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", _one_line(text))
    return _quiet(marked)


def _quiet(text: str) -> str:
    """With nobody mentioned."""
    return text.replace("@", "@\u200b")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _short(revision: str) -> str:
    """A commit by the digits that people use."""
    return revision[:12] if re.fullmatch(r"[0-9a-f]{40}", revision) else revision


def _shortened(value: object, most: int) -> str:
    text = words(value)
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def _number(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
