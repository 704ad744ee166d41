"""`traces.py compare --run`: the ranges around a run, from its journal."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from automation import around
from automation.cli import Reading
from automation.errors import UsageError
from tests.automation.test_runs import BEGUN, WISHED, ended, journal, stack

VERIFIED = {"event": "verified", "problems": {"platform": []}}
# Lines at seconds 0 to 5: begun, wished, stack-started, stack-ended, verified, ended.
FLIP = (WISHED, *stack("platform", "done"), VERIFIED, ended(0))
GIVEN = Reading(environment="local", as_json=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where journals are."""
    monkeypatch.setattr(around, "folder_of", lambda name: tmp_path / name)
    return tmp_path / "local"


def told(run: str) -> Sequence[Sequence[int]]:
    """The ranges in seconds after the first run's begin, asked an hour later."""
    begun = int(BEGUN.timestamp())
    found = around.ranges_of(GIVEN, run, BEGUN + timedelta(hours=1))
    return [[at - begun for at in each] for each in found]


def test_it_is_ten_minutes_before_the_first_stack_and_after_the_verification(folder: Path) -> None:
    """What was between is not compared: there, tasks of both kinds run."""
    journal(folder, "one", *FLIP)

    assert told("one") == [[-598, 2], [4, 604]]


def test_other_runs_are_not_part_of_it(folder: Path) -> None:
    """GIVEN runs 3 min before and 2 min after, THEN the ranges end there; what deployed nothing does not count."""
    journal(folder, "before", *FLIP)
    journal(folder, "between", WISHED, ended(2), after=1)
    journal(folder, "one", *FLIP, after=3)
    journal(folder, "after", *FLIP, after=5)

    assert told("one") == [[4, 182], [184, 302]]


def test_a_run_that_deployed_nothing_has_no_ranges(folder: Path) -> None:
    """Such as one that was declined."""
    journal(folder, "none", WISHED, ended(0, declined=True))
    with pytest.raises(UsageError, match="Run 'none' deployed nothing") as caught:
        told("none")
    assert caught.value.next_command == "python automation/history.py"


@pytest.mark.usefixtures("folder")
def test_an_unknown_run_is_told_with_the_command_that_lists_them() -> None:
    """Without looking for it in AWS where it is no run's id."""
    with pytest.raises(UsageError, match="There is no run 'nonsense' in environment 'local'") as caught:
        told("nonsense")
    assert caught.value.next_command == "python automation/history.py"
