"""All rules over a whole plan."""

from collections.abc import Iterable, Iterator, Sequence

from checks.exceptions import ACCEPTED, Accepted, remaining
from checks.hops import tracing_hop
from checks.model import Finding, Stack
from checks.moves import mesh_in_one_go
from checks.resources import RULES, stateful_replacement
from checks.tracing import TASK_RULES, Names, tasks


def check(stacks: Sequence[Stack], names: Names, accepted: Iterable[Accepted] = ACCEPTED) -> list[Finding]:
    """What is wrong with the plan of an environment, stack by stack; then what is wrong between them.

    `names` says what the tracing flag adds. A stack without a complete plan is looked at as far as it goes.
    """
    return list(remaining(_all(stacks, names), accepted))


def _all(stacks: Sequence[Stack], names: Names) -> Iterator[Finding]:
    for stack in stacks:
        for resource in stack.resources:
            for rule in RULES:
                yield from rule(stack, resource)
        yield from mesh_in_one_go(stack.service, stack.changes)
        for step in stack.changes:
            yield from stateful_replacement(stack.service, step)
        # What belongs to a task may be in the part that is missing.
        for task in tasks(stack, names) if not stack.problem else ():
            for task_rule in TASK_RULES:
                yield from task_rule(task)
    yield from tracing_hop(stacks, names)
