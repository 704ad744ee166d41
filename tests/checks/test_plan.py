"""All rules over whole plans: silent on the repository as it is, and on nothing else."""

from dataclasses import replace

import pytest

from automation.forecast import Change, StackForecast, Unknown
from checks.exceptions import ACCEPTED
from checks.plan import check
from services import images
from tests.checks.plans import NAMES, TASK, VARIANTS, everything, own, resource, stack, task


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_the_repository_is_fine(config: dict[str, str]) -> None:
    """All four services, with tracing off, on, on with another rate, and on with each collector."""
    assert check(everything(**config), NAMES) == []


@pytest.mark.parametrize("config", [{"loadTestHost": "true"}, {"autoscaling": "true"}], ids=str)
def test_its_options_are_fine_too(config: dict[str, str]) -> None:
    """The load-test host with its role and group, and the scaling."""
    assert check(everything(**config), NAMES) == []


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_every_exception_is_needed(config: dict[str, str]) -> None:
    """Without the list, exactly what it names is objected to; an exception that is no longer needed has to go."""
    found = check(everything(**config), NAMES, accepted=())
    assert [(each.rule, each.service, each.resource, each.subject) for each in ACCEPTED] == [
        (finding.rule, finding.service, finding.resource, finding.subject) for finding in found
    ]


def test_an_exception_is_narrow() -> None:
    """Crystal's image under latest is accepted in crystal's task, and neither elsewhere nor another image there."""
    container = {"name": "app", "image": images.CRYSTAL}
    elsewhere = check([stack(task(container), service="nodejs")], NAMES)
    other = {"name": "app", "image": images.CRYSTAL.replace("crystal:", "crystal2:")}
    there = check([stack(replace(task(other), name="crystal-task"), service="crystal")], NAMES)
    assert [["pinned-image"], ["pinned-image"]] == [[each.rule for each in found] for found in (elsewhere, there)]


def test_changes_are_looked_at() -> None:
    """With the service whose stack loses something."""
    step = Change(op="replace", type="aws:ecs/cluster:Cluster", name="platform")
    (finding,) = check([replace(own("platform"), changes=(step,))], NAMES)
    assert ("stateful-replacement", "platform", "platform") == (finding.rule, finding.service, finding.resource)


def test_an_incomplete_plan() -> None:
    """A rule about what is missing waits until all is there; what is there is looked at."""
    whole = own("crystal", tracing="true")
    only_task = [each for each in whole.resources if each.type == TASK]
    partial = replace(whole, resources=only_task)
    assert ["tracing-policy"] == [finding.rule for finding in check([partial], NAMES)]
    assert check([replace(partial, problem="interrupted")], NAMES) == []
    sized = replace(partial, problem="interrupted", resources=[task(cpu="1")])
    assert ["fargate-size"] == [finding.rule for finding in check([sized], NAMES)]


def test_nothing_known_is_nothing_said() -> None:
    """Every input of every resource of the repository unknown: no rule fires, none fails."""
    plans: list[StackForecast] = [
        replace(
            plan,
            resources=[
                resource(each.type, each.name, **dict.fromkeys(each.inputs, Unknown())) for each in plan.resources
            ],
        )
        for plan in everything(tracing="true")
    ]
    assert check(plans, NAMES, accepted=()) == []
