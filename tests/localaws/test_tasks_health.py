"""Container health as ECS reckons it: retries, start period, recovery; and checks that are really run."""

from pathlib import Path

import pytest

from localaws.instance import Instance
from localaws.tasks.health import Checker, Verdict
from tests.localaws.ecs_site import APP, Site
from tests.localaws.support import client_of, until


def healths(retries: int, results: str, *, age: float = 60) -> list[str]:
    """The health after each result, + for a check that passed and - for one that failed, at one age."""
    verdict = Verdict(retries, start_period=10)
    seen: list[str] = []
    for result in results:
        verdict.add(passed=result == "+", age=age)
        seen.append(verdict.health)
    return seen


def test_nothing_is_known_before_the_first_check() -> None:
    """A container that was not checked yet is neither healthy nor unhealthy."""
    assert Verdict(3, 0).health == "UNKNOWN"


def test_one_success_is_enough() -> None:
    """It makes a container healthy at once, whatever failed before."""
    assert ["UNKNOWN", "UNKNOWN", "HEALTHY"] == healths(3, "--+")


def test_as_many_failures_in_a_row_as_retries_make_it_unhealthy() -> None:
    """Fewer do not, and a success between them starts the count anew."""
    assert [*["HEALTHY"] * 6, "UNHEALTHY"] == healths(3, "+--+---")


def test_an_unhealthy_container_recovers() -> None:
    """One success is enough, and it takes all retries again to lose it."""
    assert ["UNKNOWN", "UNHEALTHY", "UNHEALTHY", "HEALTHY", "HEALTHY", "UNHEALTHY"] == healths(2, "---+--")


def test_failures_in_the_start_period_do_not_count() -> None:
    """From its end on they do, all retries of them."""
    verdict = Verdict(2, 10)
    health = {}
    for age in (1, 5, 9.9, 10, 11):
        verdict.add(passed=False, age=age)
        health[age] = verdict.health

    assert {1: "UNKNOWN", 5: "UNKNOWN", 9.9: "UNKNOWN", 10: "UNKNOWN", 11: "UNHEALTHY"} == health


def test_a_success_ends_the_start_period() -> None:
    """Failures after it count, however young the container is."""
    assert ["HEALTHY", "HEALTHY", "UNHEALTHY"] == healths(2, "+--", age=1)


def test_until_it_is_healthy_failures_count_at_the_pace_of_its_interval() -> None:
    """However often it is asked. Once it has been healthy each counts."""
    verdict = Verdict(3, start_period=10, pace=1)
    health = {}
    for age in (9, 10, 10.1, 10.9, 11, 11.5, 12):
        verdict.add(passed=False, age=age)
        health[age] = verdict.health
    assert {**dict.fromkeys((9, 10, 10.1, 10.9, 11, 11.5), "UNKNOWN"), 12: "UNHEALTHY"} == health

    verdict.add(passed=True, age=12.1)
    for age in (12.2, 12.3, 12.4):
        verdict.add(passed=False, age=age)
    assert verdict.health == "UNHEALTHY"


def _checked(*command: str, has_shell: bool = True, **given: int) -> Checker:
    check = {"command": list(command), "interval": 5, "timeout": 5, "retries": 1, **given}
    return Checker(check, {"PATH": "/usr/bin:/bin"}, has_shell=has_shell)


@pytest.mark.parametrize(
    ("command", "has_shell", "health"),
    [
        (["CMD-SHELL", "exit 0"], True, "HEALTHY"),
        (["CMD-SHELL", "exit 3"], True, "UNHEALTHY"),
        (["CMD-SHELL", "exit 0"], False, "UNHEALTHY"),
        (["CMD", "true"], False, "HEALTHY"),
        (["CMD", "false"], True, "UNHEALTHY"),
        (["CMD", "there-is-no-such-program"], True, "UNHEALTHY"),
    ],
)
def test_checks_are_run(command: list[str], has_shell: bool, health: str) -> None:  # noqa: FBT001 - a parameter
    """The command's exit code decides; an image without a shell can't run what needs one."""
    checker = _checked(*command, has_shell=has_shell)
    try:
        until(lambda: checker.health != "UNKNOWN")
        assert health == checker.health
    finally:
        checker.stop()


@pytest.mark.parametrize("command", [["/healthcheck"], ["CMD", "/healthcheck"], ["CMD", "/healthcheck", "-v"]])
def test_a_program_of_the_image_is_found_in_its_place(tmp_path: Path, command: list[str]) -> None:
    """An absolute path is one inside the image; alone it is taken for a command, as in the samples of ADOT."""
    program = tmp_path / "healthcheck"
    program.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    program.chmod(0o755)
    check = {"command": command, "interval": 5, "timeout": 5, "retries": 1}
    places = {"/healthcheck": str(program)}
    checker = Checker(check, {"PATH": "/usr/bin:/bin"}, has_shell=False, located=lambda path: places[path])
    try:
        until(lambda: checker.health != "UNKNOWN")
        assert checker.health == "HEALTHY"
    finally:
        checker.stop()


def test_a_check_that_hangs_fails_at_its_timeout() -> None:
    """It is ended, and counts as a failure."""
    checker = _checked("CMD", "sleep", "60", timeout=1)
    try:
        until(lambda: checker.health == "UNHEALTHY")
    finally:
        checker.stop()


def test_the_start_period_passes_while_checks_take_long(tmp_path: Path) -> None:
    """Its 10 s are 1 s here; within them there is time for a few checks that take 0.3 s each, not for ten."""
    checks = tmp_path / "checks"
    checker = _checked("CMD-SHELL", f"echo >> {checks}; sleep 0.3; false", startPeriod=10)
    try:
        until(lambda: checker.health == "UNHEALTHY")
    finally:
        checker.stop()
    assert len(checks.read_text().splitlines()) <= 5


def test_a_restart_of_the_embedded_aws_makes_no_task_unhealthy(running: Instance, tmp_path: Path) -> None:
    """On AWS it would have run on, so its containers get all the time to start that their definition gives them."""
    ready, checks = tmp_path / "ready", tmp_path / "checks"
    ready.touch()
    site = Site(lambda service: client_of(running, service))
    check = {"command": ["CMD-SHELL", f"echo >> {checks}; test -e {ready}"], "interval": 5, "retries": 1}
    arn = site.run(site.define({"name": "app", "image": APP, "healthCheck": {**check, "startPeriod": 10}}))

    def health() -> str:
        return str(site.described(arn)[0]["healthStatus"])

    site.until(health, lambda found: found == "HEALTHY")
    running.stop()
    ready.unlink()
    checks.unlink()
    running.start()
    site.until(lambda: checks.exists() and len(checks.read_text().splitlines()), lambda number: number > 15)
    assert health() == "UNKNOWN"
    ready.touch()
    assert site.until(health, lambda found: found != "UNKNOWN") == "HEALTHY"
