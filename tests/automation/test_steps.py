"""Which stacks a run touches, in which order, and what it refuses."""

import pytest

from automation import steps
from automation.errors import UsageError

GRAPH = {
    "platform": (),
    "crystal": ("platform",),
    "nodejs": ("platform",),
    "frontend": ("platform", "crystal", "nodejs"),
}


def needs(chosen: tuple[steps.Step, ...]) -> dict[str, tuple[str, ...]]:
    return {step.service: step.needs for step in chosen}


def test_without_names_every_service_is_selected_in_dependency_order() -> None:
    """`enable.py` alone means all services, each after its prerequisites."""
    assert needs(steps.select(GRAPH, (), "local")) == GRAPH


def test_stacks_are_named_after_environment_and_service() -> None:
    """The contract: `<environment>-<service>`."""
    assert [step.stack for step in steps.select(GRAPH, ("crystal",), "prod-eu")] == ["prod-eu-crystal"]


def test_a_selection_waits_only_for_what_is_part_of_it() -> None:
    """`enable.py crystal frontend` orders the two and does not wait for the others."""
    expected = {"crystal": (), "frontend": ("crystal",)}
    assert needs(steps.select(GRAPH, ("frontend", "crystal"), "local")) == expected


def test_an_unknown_service_is_named_with_the_known_ones() -> None:
    """A typing error is answered with the list to choose from."""
    with pytest.raises(UsageError, match=r"'cristal'.*platform, crystal, nodejs, frontend"):
        steps.select(GRAPH, ("cristal",), "local")


def test_a_missing_prerequisite_is_named_with_the_command_that_creates_it() -> None:
    """One service alone needs its prerequisites deployed."""
    chosen = steps.select(GRAPH, ("frontend",), "staging")
    with pytest.raises(UsageError, match="'frontend' needs 'crystal' and 'nodejs'") as caught:
        steps.require_prerequisites(chosen, GRAPH, ["platform"], "staging")
    assert caught.value.next_command == "python automation/enable.py crystal nodejs --env staging"


def test_prerequisites_in_the_same_run_need_not_be_deployed() -> None:
    """A fresh environment can be deployed in one go."""
    steps.require_prerequisites(steps.select(GRAPH, (), "local"), GRAPH, [], "local")


def test_destruction_goes_the_other_way_round() -> None:
    """Dependents are deleted before what they depend on."""
    chosen = steps.for_destruction(steps.select(GRAPH, (), "local"), GRAPH, list(GRAPH), "local")
    assert needs(chosen) == {
        "frontend": (),
        "nodejs": ("frontend",),
        "crystal": ("frontend",),
        "platform": ("crystal", "nodejs", "frontend"),
    }


def test_a_service_still_needed_is_not_destroyed() -> None:
    """The platform cannot go while a service lives in it; the error says which to delete first."""
    chosen = steps.select(GRAPH, ("platform",), "local")
    with pytest.raises(UsageError, match="'platform' is still needed by 'crystal'") as caught:
        steps.for_destruction(chosen, GRAPH, ["platform", "crystal"], "local")
    assert caught.value.next_command == "python automation/destroy.py crystal"


def test_previewing_what_does_not_exist_names_the_command_that_creates_it() -> None:
    """There is nothing to compare an undeployed stack with."""
    chosen = steps.select(GRAPH, ("crystal",), "local")
    with pytest.raises(UsageError, match="'crystal' is not deployed in environment 'local'"):
        steps.require_existing(chosen, ["local-platform"], "local")


def test_a_stack_is_no_other_services() -> None:
    """`prod-web-api` is the stack of `web-api` in `prod`: `prod-web` cannot have an `api`."""
    graph = {"platform": (), "api": ("platform",), "web-api": ("platform",)}
    assert [step.stack for step in steps.select(graph, ("web-api",), "prod-web")] == ["prod-web-web-api"]
    with pytest.raises(UsageError, match=r"'api' can't be in environment 'prod-web': .* that of 'web-api'"):
        steps.select(graph, ("api",), "prod-web")


def test_a_level_needs_only_earlier_ones() -> None:
    """Whatever has all it needs comes at once, and a selection does not wait for what is no part of it."""
    expected = [["platform"], ["crystal", "nodejs"], ["frontend"]]
    assert [[step.service for step in level] for level in steps.levels(steps.select(GRAPH, (), "local"))] == expected
    alone = steps.levels(steps.select(GRAPH, ("nodejs", "frontend"), "local"))
    assert [[step.service for step in level] for level in alone] == [["nodejs"], ["frontend"]]
    assert steps.levels(()) == []
