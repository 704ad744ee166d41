"""The sentence that ends a run, its exit code and its JSON document, all from one report."""

from collections import Counter

import pytest

from automation.errors import ExitCode
from automation.events import Progress
from automation.report import Report
from automation.run import Row, State
from automation.steps import Step
from automation.verify import Running


def report(states: dict[str, State], *, applied: dict[str, int] | None = None, **given: object) -> Report:
    rows = [
        Row(
            step=Step(service=name, stack=f"local-{name}", needs=()),
            state=state,
            progress=Progress(applied=Counter(applied or {})),
        )
        for name, state in states.items()
    ]
    return Report(command="enable", environment="local", traced=[row.step.service for row in rows], rows=rows, **given)  # type: ignore[arg-type]


GOOD = {"platform": State.DONE, "crystal": State.DONE}


@pytest.mark.parametrize(
    ("made", "code", "words"),
    [
        (report(GOOD, applied={"replace": 1}), ExitCode.DONE, "platform and crystal are traced in environment local"),
        (report({"crystal": State.UNCHANGED}), ExitCode.DONE, "Nothing to change: crystal is already traced"),
        (report({**GOOD, "nodejs": State.FAILED}), ExitCode.STACK_FAILED, "platform and crystal done; nodejs failed"),
        (
            report(GOOD, verification={"crystal": Running(problems=("ECS rolled back",))}),
            ExitCode.NOT_VERIFIED,
            "AWS does not run what was deployed: crystal",
        ),
        (report({**GOOD, "nodejs": State.CANCELLED}, interrupted=True), ExitCode.INTERRUPTED, "nodejs cancelled"),
        (report(GOOD, declined=True), ExitCode.DONE, "Nothing was changed."),
    ],
    ids=["done", "nothing to do", "a stack failed", "not verified", "interrupted", "declined"],
)
def test_each_end_has_its_exit_code_and_its_sentence(made: Report, code: ExitCode, words: str) -> None:
    """A shell reads the code, a person the sentence; both say the same."""
    assert made.exit_code == code
    assert words in made.summary()
    assert made.to_json()["exitCode"] == code


def test_the_document_tells_state_reason_and_cause_apart() -> None:
    """A machine can ask why frontend did not run without reading sentences."""
    made = report({"crystal": State.FAILED, "frontend": State.BLOCKED})
    made.rows[1].reason, made.rows[1].cause = "'crystal' failed", "crystal"
    stacks = {stack["service"]: stack for stack in made.to_json()["stacks"]}
    assert (stacks["frontend"]["state"], stacks["frontend"]["cause"]) == ("not run", "crystal")


def test_what_was_rolled_back_is_told_and_what_could_not_be() -> None:
    """In the sentence and in the document; it stays a failed run."""
    made = report({"platform": State.DONE, "crystal": State.FAILED, "nodejs": State.BLOCKED})
    undone = report({"crystal": State.FAILED, "platform": State.DONE}).rows
    undone[0].reason = "AWS said no"
    made.rolled_back = undone
    assert made.exit_code is ExitCode.STACK_FAILED
    assert made.summary().endswith("Rolled back: platform. Not rolled back: crystal (AWS said no).")
    told = [(each["service"], each["rolledBack"], each["reason"]) for each in made.to_json()["rollback"]]
    assert told == [("crystal", False, "AWS said no"), ("platform", True, "")]
