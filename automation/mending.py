"""What an engine that died leaves of its work: operations nobody knows the end of, and revisions that no state knows.

The engine writes into the state what it is about to do, and afterwards what came of it. Killed in between, it leaves
the operation behind as pending; where its plugin died, or AWS's answer was lost, it goes on as if nothing had been
done. Of what a flip makes only a task definition's revision can then be there twice: all else has a name of its own,
and is found again under it.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from automation.engine import Engine
from automation.state import Operation, without_pending

_REVISION = "aws:ecs/taskDefinition:TaskDefinition"


def mend(engine: Engine, stack: str, ecs: Any, since: datetime) -> list[str]:
    """Once a stack is deployed again: deregister the revisions that were lost, forget the operations.

    `since`: when the run began in which the first of them may have been lost. Returns what was deregistered (ARNs).
    Pending creations of other kinds are left for `pulumi refresh`, which asks what became of them.
    """
    state = engine.state(stack)
    revisions = [each for each in state.get("resources") or () if each["type"] == _REVISION]
    known = {each["outputs"]["arn"] for each in revisions}
    families = {each["outputs"]["family"] for each in revisions}
    lost = [arn for family in sorted(families) for arn in _deregistered(ecs, family, known, since)]
    if any(_is_revision(each) for each in state.get("pending_operations") or ()):
        engine.rewrite(stack, partial(without_pending, _is_revision))
    return lost


def _is_revision(operation: Operation) -> bool:
    return bool(operation["resource"]["type"] == _REVISION)


def _deregistered(ecs: Any, family: str, known: Collection[str], since: datetime) -> list[str]:
    pages = ecs.get_paginator("list_task_definitions").paginate(familyPrefix=family, status="ACTIVE")
    lost = []
    for arn in (arn for page in pages for arn in page["taskDefinitionArns"] if arn not in known):
        if ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["registeredAt"] >= since:
            ecs.deregister_task_definition(taskDefinition=arn)
            lost.append(arn)
    return lost
