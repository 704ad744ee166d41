"""What differs in each stack, property by property, folded; and how data stays data in GitHub's Markdown.

Whatever comes from resources is in code, or escaped.
"""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import chain

from automation.forecast import Change, Difference, Forecast, StackForecast
from automation.nested import settled, words
from checks.model import document

CUT = " more characters)"  # how a text ends that is shortened
OPS = {"create": "created", "update": "updated", "replace": "replaced", "delete": "destroyed"}

_GRAVEST_FIRST = tuple(reversed(OPS))
# How GitHub colours a line of a difference: + green, - red, ! orange.
_SIGNS = {"create": "+", "update": "!", "replace": "-+", "delete": "-", "import": "+", "add": "+"}
_LISTED = 40  # resources that come or go as a whole are told one by one up to so many of a stack


@dataclass(frozen=True)
class _Detail:
    """How much is told of a stack."""

    value: int  # characters of each value
    properties: int  # of each resource; 0: none


# From all there is to hardly anything; after the last, nothing.
_LEVELS = (_Detail(2_000, 1_000), _Detail(300, 100), _Detail(100, 20), _Detail(60, 3), _Detail(0, 0))


def details(forecast: Forecast, room: int, *, shortened: bool) -> Iterator[str]:
    """One folded part a stack, the longest shortened until all fit into `room` characters; and a note if any was.

    `shortened` says that the comment is so already.
    """
    changed = [_settled(stack) for stack in forecast.stacks if stack.changes]
    room -= len(note(forecast, len(changed)))
    # A value that is longer than its stack's share would not stay: the largest plans begin further down.
    share = room // max(1, len(changed))
    first = next((level for level, detail in enumerate(_LEVELS) if detail.value <= share), len(_LEVELS) - 1)
    levels = dict.fromkeys(range(len(changed)), first)
    texts = {number: _detail(stack, _LEVELS[first]) for number, stack in enumerate(changed)}
    length = sum(len(each) + 2 for each in texts.values())
    longest_first = [(-len(each), number) for number, each in texts.items()]
    heapify(longest_first)
    while longest_first and length > room:
        negative, longest = heappop(longest_first)
        del texts[longest]
        length += negative - 2
        levels[longest] += 1
        if levels[longest] < len(_LEVELS):
            texts[longest] = _detail(changed[longest], _LEVELS[levels[longest]])
            length += len(texts[longest]) + 2
            heappush(longest_first, (-len(texts[longest]), longest))
    yield from (texts[number] for number in sorted(texts))
    if shortened or any(levels.values()) or any(CUT in each for each in texts.values()):
        yield note(forecast, len(changed) - len(texts)).strip()


def note(forecast: Forecast, missing: int) -> str:
    """That something is left out, `missing` stacks' details among it, and the command that has it."""
    command = f"python automation/preview.py --env {forecast.environment}"
    command += f" --against {short(forecast.base)}" if forecast.base else ""
    without = f": without the details of {number(missing, 'stack')}" if missing else ""
    return f"\n\nShortened{without}. All of it: {code(f'{command} --json')}"


def _settled(stack: StackForecast) -> StackForecast:
    """With differences down to the single setting, also where a text in a JSON text is JSON again."""
    changes = [
        replace(change, differences=tuple(chain.from_iterable(map(_inside, change.differences))))
        for change in stack.changes
    ]
    return replace(stack, changes=changes)


def _inside(difference: Difference) -> Iterator[Difference]:
    found = list(settled(difference))
    if found == [difference]:
        yield replace(difference, before=_value(difference.before), after=_value(difference.after))
        return
    for each in found:
        yield from _inside(each)


def _detail(stack: StackForecast, detail: _Detail) -> str:
    broken_off = ", as far as it got" if stack.problem else ""
    return folded(
        f"{stack.stack}{broken_off}: {_counts(stack.changes)}", fenced("\n".join(_lines(stack, detail)), "diff")
    )


def _counts(changes: Sequence[Change]) -> str:
    counts = by_op(changes)
    return ", ".join(f"{counts[OPS[op]]} {OPS[op]}" for op in _GRAVEST_FIRST if counts[OPS[op]])


def _lines(stack: StackForecast, detail: _Detail) -> Iterator[str]:
    pending = list(stack.changes)
    for old, new in _alike(stack.changes):
        pending.remove(old)
        pending.remove(new)
        kind = new.short_type
        yield f"-+ delete {kind} {one_line(old.name)} and create {kind} {one_line(new.name)}: a rename?"
    for op in _GRAVEST_FIRST:
        of_op = _in_order([change for change in pending if change.op == op])
        whole = not any(change.differences for change in of_op)
        if len(of_op) > (_LISTED if detail.properties else 1) and (whole or not detail.properties):
            kinds = Counter(change.short_type for change in of_op)
            told = ", ".join(f"{kind} x{count}" if count > 1 else kind for kind, count in kinds.items())
            yield f"{_SIGNS[op]} {op} {told}"
            continue
        for change in of_op:
            yield f"{_SIGNS[op]} {op} {change.short_type} {one_line(change.name)}{_because(change)}"
            yield from _properties(change, detail)
    yield from (
        f"# {change.op} {change.short_type} {one_line(change.name)}" for change in pending if change.op not in OPS
    )
    if not detail.properties:
        yield "# without properties"


def _in_order(changes: Sequence[Change]) -> list[Change]:
    """The same in each run, though the engine works on many at once: by type as they come, then by name."""
    types = {kind: number for number, kind in enumerate(dict.fromkeys(change.type for change in changes))}
    return sorted(changes, key=lambda change: (types[change.type], change.name))


def _because(change: Change) -> str:
    """What has it replaced, by the top-level names of its properties."""
    names = dict.fromkeys(re.split(r"[.\[]", each.path)[0] for each in change.differences if each.replaces)
    return f", because of {one_line(', '.join(names))}" if names else ""


def _properties(change: Change, detail: _Detail) -> Iterator[str]:
    if not detail.properties:
        return
    found = change.differences
    for each in found[: detail.properties]:
        before, after = (shortened(words(value), detail.value) for value in (each.before, each.after))
        told = {"add": after, "delete": before}.get(each.kind, f"{before} -> {after}")
        yield f"{_SIGNS[each.kind]}     {one_line(each.path)}: {told}"
    if len(found) > detail.properties:
        yield f"#     {number(len(found) - detail.properties, 'more property', 'more properties')}"


def _alike(changes: Sequence[Change]) -> Iterator[tuple[Change, Change]]:
    """Where one resource of a type goes and one comes. Of what goes no inputs are known: it may be a coincidence."""
    for kind in dict.fromkeys(change.type for change in changes):
        gone = [change for change in changes if (change.op, change.type) == ("delete", kind)]
        come = [change for change in changes if (change.op, change.type) == ("create", kind)]
        if len(gone) == len(come) == 1:
            yield gone[0], come[0]


def _value(value: object) -> object:
    """What a JSON text says; else the value as it is."""
    read = document(value) if isinstance(value, str) and value[:1] in ("{", "[") else None
    return value if read is None else read


def by_op(changes: Iterable[Change]) -> Counter[str]:
    """How many resources are created, updated and so on."""
    return Counter(OPS[change.op] for change in changes if change.op in OPS)


def folded(summary: str, body: str) -> str:
    """What a reader unfolds by clicking at the summary."""
    return f"<details><summary>{_quiet(html.escape(one_line(summary)))}</summary>\n\n{body}\n\n</details>"


def fenced(content: str, language: str) -> str:
    """A block of code that ends where it should: its fence is longer than any row of backticks in it."""
    rows = [len(row) for row in re.findall(r"`+", content)]
    fence = "`" * max(3, *(row + 1 for row in rows), 0)
    return f"{fence}{language}\n{content}\n{fence}"


def code(content: str) -> str:
    """A name in a line or in a cell of a table."""
    return f"`{one_line(content).replace('`', chr(39)).replace('|', '/')}`"


def codes(contents: Sequence[str], most: int | None = None) -> str:
    """Names in a line, at most so many of them."""
    told = [code(content) for content in contents[:most]]
    if len(told) < len(contents):
        told.append(f"{len(contents) - len(told)} more")
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def text(content: str) -> str:
    """Words in a line, with nothing in them that is Markdown, HTML or a mention."""
    return _quiet(re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", one_line(content)))


def _quiet(content: str) -> str:
    """With nobody mentioned."""
    return content.replace("@", "@\u200b")


def one_line(content: str) -> str:
    """Without what would begin another line."""
    return " ".join(content.split())


def short(revision: str) -> str:
    """A commit by the digits that people use."""
    return revision[:12] if re.fullmatch(r"[0-9a-f]{40}", revision) else revision


def shortened(content: str, most: int) -> str:
    """The beginning, and how much is left out."""
    return content if len(content) <= most else f"{content[:most]}… ({len(content) - most:,}{CUT}"


def number(count: int, one: str, many: str = "") -> str:
    """So many of something."""
    return f"{count} {one if count == 1 else many or one + 's'}"
