"""The way to a real account, as it is written down: what needs no account is done, and the sums are right."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.checkout import Checkout

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "account.md").read_text(encoding="utf-8")
# What only an account can answer begins with one of these.
ON_THE_ACCOUNT = ("aws ", "export PULUMI_CONFIG_PASSPHRASE", "python automation/")


def test_what_is_not_run_here_needs_an_account() -> None:
    """Every indented command calls AWS, or is about the environment `prod`."""
    indented = re.findall(r"^    (\S.*)$", DOCUMENT, re.MULTILINE)
    assert indented
    for command in indented:
        assert command.startswith(ON_THE_ACCOUNT)
        assert "--env prod" in command or not command.startswith("python")


@pytest.mark.engine
def test_every_command_that_needs_no_account_does_what_it_is_to_do(tmp_path: Path) -> None:
    """One box after the other, in a fresh clone; `make setup` is for a clone without an environment of its own."""
    site = Checkout(tmp_path)
    try:
        boxes = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
        for box in boxes:
            script = box.replace("make setup\n", "").replace("python ", f"{sys.executable} ")
            done = subprocess.run(
                ["bash", "-euc", script], cwd=tmp_path, env=site.env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
    finally:
        site.close()
    assert len(boxes) == 3


def test_the_costs_add_up() -> None:
    """Each row is what it says it is made of, for 24 hours; the last is their sum."""
    rows = re.findall(r"^\| (?!what|---)(.+?) \| (.*?) \| \**([\d.]+)\** \|$", DOCUMENT, re.MULTILINE)
    *parts, (_, _, total) = rows
    for what, made_of, day in parts:
        factors = [float(each) for each in re.findall(r"[\d.]+", made_of.partition(" an hour")[0])]
        product = 24.0
        for factor in factors:
            product *= factor
        assert f"{product:.2f}" == day, what
    assert f"{sum(float(day) for _, _, day in parts):.2f}" == total
