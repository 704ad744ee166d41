"""The rolling update's decision, case by case. Source: ECS developer guide, "Deploy services by replacing tasks"."""

import pytest

from localaws.ecs.rollout import Candidate, Plan, decide, failure_threshold


def old(*ids: str, ready: bool = True) -> list[Candidate]:
    return [Candidate(name, new=False, ready=ready) for name in ids]


def new(*ids: str, ready: bool = True) -> list[Candidate]:
    return [Candidate(name, new=True, ready=ready) for name in ids]


@pytest.mark.parametrize(
    ("tasks", "desired", "minimum", "maximum", "plan"),
    [
        pytest.param([], 3, 50, 200, Plan(3, ()), id="an empty service starts all at once"),
        pytest.param(new("a"), 3, 50, 200, Plan(2, ()), id="scaling out starts what is missing"),
        pytest.param(new("a", "b", "c"), 1, 50, 200, Plan(0, ("b", "c")), id="scaling in keeps the oldest"),
        pytest.param(new("a", ready=False) + new("b"), 1, 50, 200, Plan(0, ("a",)), id="scaling in keeps the ready"),
        pytest.param(new("a", "b"), 0, 50, 200, Plan(0, ("a", "b")), id="draining stops all"),
        pytest.param(old("a"), 1, 50, 200, Plan(1, ()), id="half of one, rounded up, stays: the new one comes first"),
        pytest.param(
            old("a") + new("b", ready=False), 1, 50, 200, Plan(0, ()), id="the old stays until the new is ready"
        ),
        pytest.param(old("a") + new("b"), 1, 50, 200, Plan(0, ("a",)), id="the old goes once the new is ready"),
        pytest.param(
            old("a", "b") + new("c") + new("d", ready=False),
            2,
            100,
            200,
            Plan(0, ("a",)),
            id="one old goes for each new",
        ),
        pytest.param(
            old("a", "b", "c"), 3, 100, 134, Plan(1, ()), id="134 % of 3, rounded down, has room for one more"
        ),
        pytest.param(
            old("a", "b", "c"), 3, 50, 100, Plan(1, ("a",)), id="no room: old ones make way down to the minimum"
        ),
        pytest.param(old("a"), 1, 0, 100, Plan(1, ("a",)), id="min 0 % and max 100 % replace in place"),
        pytest.param(old("a"), 1, 100, 150, Plan(0, ()), id="150 % of 1 is 1: such a deployment is stuck"),
        pytest.param(
            old("a", ready=False), 1, 100, 200, Plan(1, ("a",)), id="an old one that is not ready goes at once"
        ),
        pytest.param(old("a") + new("b"), 0, 50, 200, Plan(0, ("b", "a")), id="draining in a rollout stops both sides"),
    ],
)
def test_each_step_keeps_the_bounds(
    tasks: list[Candidate], desired: int, minimum: int, maximum: int, plan: Plan
) -> None:
    """A step starts and stops what the percentages allow, and nothing else."""
    assert decide(tasks, desired, minimum, maximum) == plan


@pytest.mark.parametrize("desired", [3, 7, 10])
@pytest.mark.parametrize(("minimum", "maximum"), [(50, 200), (100, 200), (0, 100), (50, 100), (66, 134)])
def test_a_rollout_arrives_within_its_bounds(desired: int, minimum: int, maximum: int) -> None:
    """Repeated steps replace all tasks, never with fewer ready than the minimum nor more at all than the maximum."""
    tasks = old(*(f"old-{number}" for number in range(desired)))
    for turn in range(50):
        plan = decide(tasks, desired, minimum, maximum)
        tasks = [task for task in tasks if task.id not in plan.stop]
        assert sum(task.ready for task in tasks) * 100 >= desired * minimum
        tasks += new(*(f"new-{turn}-{number}" for number in range(plan.start)), ready=False)
        assert len(tasks) * 100 <= desired * maximum
        if plan == Plan(0, ()):
            unready = [task for task in tasks if not task.ready]
            if not unready:
                break
            tasks = [task for task in tasks if task.ready] + new(*(task.id for task in unready))

    assert [(task.new, task.ready) for task in tasks] == [(True, True)] * desired


@pytest.mark.parametrize(("desired", "threshold"), [(1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)])
def test_the_circuit_breaker_waits_for_half_of_the_tasks(desired: int, threshold: int) -> None:
    """The threshold is half of the desired count, rounded up, at least 3 and at most 200 (AWS's own examples)."""
    assert failure_threshold(desired) == threshold
