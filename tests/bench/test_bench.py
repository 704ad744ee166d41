"""`python -m bench`: that it measures, and says what. How fast anything is, no test says."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from bench.figures import QUICK, Figure, in_turns
from bench.rows import ROWS
from tests.localaws.support import ROOT


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """What a quick run of the first row answers."""
    done = bench("segments", "--quick", "--json")
    assert (0, "Measuring segments …\n") == (done.returncode, done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_row_has_figures_beside_baselines(document: dict[str, Any]) -> None:
    """Segments a second by the daemon, by boto3, and the one through the other; none was lost."""
    assert ["segments"] == list(document["rows"])
    (figure,) = document["rows"]["segments"]
    (baseline,) = figure["baselines"]
    assert figure["unit"] == "segments/s"
    assert figure["median"] > 0
    assert baseline["median"] > 0
    assert pytest.approx(figure["median"] / baseline["median"]) == baseline["ratio"]["median"]
    assert figure["note"].endswith("X-Ray counts 1500 segments of 1500")


def test_the_machine_is_told_too(document: dict[str, Any]) -> None:
    """How many cores, and how busy they were before and after."""
    assert document["machine"]["cores"] > 0
    assert [3, 3] == [len(document["machine"]["load"]), len(document["load_at_end"])]
    assert document["quick"] is True


def test_the_rows_are_in_the_help() -> None:
    """A row that is forgotten there can't be found."""
    told = bench("--help").stdout

    assert ", ".join(ROWS) in told
    assert {True} == {option in told for option in ("--quick", "--json")}


def test_a_row_that_there_is_not_is_refused() -> None:
    """With the names of those that there are, and nothing measured."""
    done = bench("flop")

    assert done.returncode == 2
    assert {True} == {name in done.stderr for name in ("flip", *ROWS)}
    assert done.stdout == ""


def test_ratios_are_of_values_of_one_round() -> None:
    """A machine that slowed down between two rounds changes them little: the median is of the rounds' ratios."""
    figure = Figure(what="", unit="s", values=[1, 9, 4], baselines={"by hand": [2, 3, 8]})

    told = figure.to_json()
    assert (4, 1, 9) == (told["median"], told["low"], told["high"])
    ratio = told["baselines"][0]["ratio"]
    assert (0.5, 0.5, 3) == (ratio["median"], ratio["low"], ratio["high"])


def test_rounds_take_turns_and_end_in_time() -> None:
    """One of each, then again; where the next round would take too long there is none, but always a first."""
    order: list[str] = []
    jobs = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}

    in_turns(replace(QUICK, repetitions=3), jobs)
    assert "ababab" == "".join(order)
    order.clear()
    in_turns(replace(QUICK, repetitions=3, patience=0), jobs)
    assert "ab" == "".join(order)
