"""The rolling update's decision: which tasks to start and to stop now. Pure: what is there goes in, a plan comes out.

AWS: developer guide, "Deploy Amazon ECS services by replacing tasks".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# The circuit breaker's threshold: half of the desired count, within these bounds. AWS: "How the Amazon ECS deployment
# circuit breaker detects failures".
FEWEST_FAILURES, MOST_FAILURES = 3, 200


@dataclass(frozen=True)
class Candidate:
    """A task that is meant to run."""

    id: str
    new: bool  # of the PRIMARY deployment
    ready: bool


@dataclass(frozen=True)
class Plan:
    """What to do next."""

    start: int
    stop: tuple[str, ...]  # ids


def decide(tasks: Sequence[Candidate], desired: int, minimum_percent: int, maximum_percent: int) -> Plan:
    """Return the next step towards `desired` ready tasks of the new deployment and none of any other.

    Args:
        tasks: all that are meant to run, oldest first.
        desired: number of tasks wanted.
        minimum_percent: of `desired`, rounded up: so many stay ready all the time.
        maximum_percent: of `desired`, rounded down: no more are meant to run at any time.

    """
    minimum = math.ceil(desired * minimum_percent / 100)
    maximum = math.floor(desired * maximum_percent / 100)
    new, old = [task for task in tasks if task.new], [task for task in tasks if not task.new]
    ready = sum(task.ready for task in tasks)

    # Too many of the new: those not ready go first, then the youngest.
    surplus = sorted(new, key=lambda task: not task.ready)[desired:]
    stop = [*surplus, *(task for task in old if not task.ready)]
    spare = ready - sum(task.ready for task in surplus) - minimum

    # The old make way for as many new ones as are ready, and for a start for which there is no room otherwise.
    missing = max(0, desired - len(new))
    room = maximum - (len(tasks) - len(stop))
    old_ready = [task for task in old if task.ready]
    replaced = len(old_ready) - max(0, desired - sum(task.ready for task in new))
    making_way = max(0, min(max(replaced, missing - room), spare, len(old_ready)))
    stop += old_ready[:making_way]
    start = max(0, min(missing, room + making_way))
    return Plan(start, tuple(task.id for task in stop))


def failure_threshold(desired: int) -> int:
    """Return after how many failed tasks in a row the circuit breaker gives a deployment up."""
    return min(max(math.ceil(desired / 2), FEWEST_FAILURES), MOST_FAILURES)
