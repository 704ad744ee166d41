"""Flip a fleet while AWS throttles and fails at random, then while it stops answering from the middle on.

    python -m tests.engine.fault_rehearsal --stacks 30

A flip is timed undisturbed, then again with 20 % of all calls throttled and 5 % answered 500: it must end 0 with every
stack traced, and nothing in AWS that Pulumi does not know. Then, from the moment that half of the stacks are flipped,
every call is answered 500 until the run takes back what it did (`--on-failure rollback`): it must end 1, with each
stack as it was and a summary that says so. At last AWS stays away: the run must end 1 and name what it could not take
back, and once AWS is there again `disable.py` must find the way.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from automation import runs
from tests import fleets
from tests.engine.checkout import Checkout
from tests.engine.inventory import orphans

FLAWED = (
    {"service": "*", "operation": "*", "status": 400, "code": "ThrottlingException", "rate": 0.2},
    {"service": "*", "operation": "*", "status": 500, "code": "InternalFailure", "rate": 0.05 / 0.8},  # of the others
)
DEAD = ({"service": "*", "operation": "*", "status": 500, "code": "InternalFailure"},)
QUICK = ("--yes", "--skip-preview")
PATIENCE = 3600  # seconds


class Rehearsal:
    """A fleet of so many stacks, its tracing off."""

    def __init__(self, checkout: Checkout, stacks: int) -> None:
        self.checkout, self.stacks = checkout, stacks
        text = fleets.fleet("layers", stacks - 1)
        (checkout.root / "fleet.yaml").write_text(text, encoding="utf-8")
        self.off()

    def off(self) -> None:
        """As each part begins."""
        self.run("disable", *QUICK)

    def run(self, script: str, *options: str, exits: int = 0) -> float:
        """Run a script to its end; returns the seconds that it took."""
        begun = time.monotonic()
        self.checkout.script(script, *options, exits=exits, timeout=PATIENCE)
        return time.monotonic() - begun

    def through_flaws(self) -> float:
        """Flip while calls fail at random; returns how many times as long as undisturbed that takes."""
        undisturbed = self.run("enable", *QUICK)
        self.off()
        self.checkout.faults(*FLAWED)
        try:
            flawed = self.run("enable", *QUICK)
        finally:
            self.checkout.faults()
        self._hold(traced=self.stacks)
        self.off()
        return flawed / undisturbed

    def from_the_middle_on(self, *, comes_back: bool) -> dict[str, Any]:
        """Flip with `--on-failure rollback` while AWS goes away; returns the run's document."""
        process = self.checkout.popen(
            "automation/enable.py", "--json", *QUICK, "--on-failure", "rollback", "--verify-timeout", "30"
        )
        self._when(process, lambda run: len(run.succeeded) >= self.stacks // 2)
        self.checkout.faults(*DEAD)
        if comes_back:
            self._when(process, lambda run: bool(run.of("rollback-started")))
            self.checkout.faults()
        out, err = process.communicate(timeout=PATIENCE)
        self.checkout.faults()
        assert process.returncode == 1, f"exit {process.returncode}\n{out[-2000:]}\n{err[-2000:]}"
        assert "Traceback" not in err, err[-4000:]
        document: dict[str, Any] = json.loads(out)
        back = {each["service"] for each in document["rollback"] if each["rolledBack"]}
        left = {each["service"] for each in document["rollback"]} - back
        assert bool(left) != comes_back, document["summary"]
        assert ("Not rolled back: " if left else "Rolled back: ") in document["summary"], document["summary"]
        if left:
            self.off()
        self._hold(traced=0)
        return document

    def _when(self, process: Any, comes: Callable[[runs.Run], bool]) -> None:
        """Wait for something in the journal of the run that the process is."""
        deadline = time.monotonic() + PATIENCE
        folder = self.checkout.root / ".runs" / "local"
        while True:
            run = next(iter(runs.every(folder)), None)
            if run is not None and run.command == "enable" and comes(run):
                return
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "it never came"
            threading.Event().wait(0.1)

    def _hold(self, *, traced: int) -> None:
        status = self.checkout.json("status", "--no-drift")["services"]
        found = [name for name, service in status.items() if service["flagDeployed"] and service["sidecar"]]
        assert len(found) == traced, f"{len(found)} traced, not {traced}"
        assert len(status) == self.stacks
        left = orphans(self.checkout)
        assert not left, f"orphaned: {', '.join(sorted(left))}"


def main() -> int:
    """Exit code 0 when all of it held; an AssertionError tells what did not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stacks", type=int, default=30, help="how many, the platform's among them (default 30)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkout = Checkout(Path(folder))
        try:
            rehearsal = Rehearsal(checkout, options.stacks)
            slower = rehearsal.through_flaws()
            _say(f"20 % throttled, 5 % failed: {options.stacks} stacks flipped, in {slower:.1f} times the time")
            _say(f"AWS away from the middle on: {rehearsal.from_the_middle_on(comes_back=True)['summary']}")
            _say(f"AWS away for good: {rehearsal.from_the_middle_on(comes_back=False)['summary']}")
        finally:
            checkout.close()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
