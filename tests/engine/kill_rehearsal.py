"""Kill a part of a flip with SIGKILL at random moments, resume it, and see that nothing is lost or done twice.

    python -m tests.engine.kill_rehearsal --moments 100 --seed 1

Each moment begins with tracing off, starts enable.py and kills its victim within the time that an undisturbed run
takes: the run itself, the engines at work, the plugins that they share, the embedded AWS, or a worker of the Dask
cluster that the engines run on (then the run itself has to end well). Then `enable.py --resume` must end 0 with every
service traced. Pulumi's state must know everything that AWS has, no operation may be pending, no stack locked, and no
stack may be deployed again that the first run had brought to its end. With `--deployments` it begins from nothing
instead, and the victim is the run.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from localaws.instance import Instance
from tests.engine.checkout import Checkout
from tests.engine.inventory import orphans
from tests.engine.workers import Workers

VICTIMS = ("run", "engines", "plugins", "aws", "worker")
FLIP = ("enable", "--yes", "--skip-preview", "--traffic", "0")

_LOOK_SECONDS = 0.05

Moment = Callable[["subprocess.Popen[str]"], None]  # waits for it, or for the run's end


def after(seconds: float) -> Moment:
    """The moment so long after the run's start."""

    def wait(process: "subprocess.Popen[str]") -> None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)

    return wait


class Rehearsal:
    """One embedded AWS with the four stacks, whose runs are killed again and again."""

    def __init__(self, checkout: Checkout, victims: Sequence[str] = ()) -> None:
        self.checkout = checkout
        self.workers: Workers | None = None
        self._clustered = "worker" in victims
        self._lengths: dict[str, float] = {}
        self.victims: dict[str, Callable[[subprocess.Popen[str]], Iterator[int]]] = {
            "run": lambda run: iter([run.pid]),
            "engines": lambda _run: self._engines(),
            "plugins": lambda _run: self._plugins(),
            "aws": lambda _run: iter([self._aws()]),
            "worker": lambda _run: self.workers.one() if self.workers else iter(()),
        }

    def prepare(self, *, deployment: bool) -> None:
        """Deploy or flip undisturbed, once, and once more on a cluster if one is needed: how long does it take?"""
        self._undisturbed("run", deployment=deployment)
        if self._clustered:
            self.workers = Workers(self.checkout)
            self._undisturbed("worker", deployment=deployment)

    def length(self, victim: str) -> float:
        """The seconds that an undisturbed run takes."""
        return self._lengths["worker" if victim == "worker" else "run"]

    def close(self) -> None:
        """End what was started."""
        if self.workers:
            self.workers.close()

    def begin_anew(self, *, deployment: bool) -> None:
        """Back to where each moment begins."""
        self.checkout.script(*(["destroy", "--yes"] if deployment else ["disable", "--yes", "--skip-preview"]))
        if self.workers:
            self.workers.complete()

    def strike(self, victim: str, wait: Moment) -> int:
        """Start a flip and kill the victim at that moment; returns the flip's exit code."""
        script, *options = (*FLIP, *self._where(victim))
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = self.checkout.popen(f"automation/{script}.py", *options, **silent)
        wait(process)
        if process.poll() is None:
            for pid in self.victims[victim](process):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        return process.wait()

    def when_ended(self, stacks: int) -> Moment:
        """The moment at which the next run is done with so many stacks."""
        before = self._journals()

        def wait(process: "subprocess.Popen[str]") -> None:
            while process.poll() is None:
                lines = [line for journal in self._journals() - before for line in _lines(journal)]
                if sum(line["event"] == "stack-ended" for line in lines) >= stacks:
                    return
                after(_LOOK_SECONDS)(process)

        return wait

    def judge(self, victim: str, ended: int) -> str:
        """Resume what ended with that code; returns what is wrong afterwards, "" where nothing is."""
        before = self._journals()
        if victim == "worker" and ended != 0:
            return f"the run exited {ended} for want of a worker, though there is another"
        again = self.checkout.script(*FLIP, "--resume", exits=None)
        if again.returncode == 2 and ended != 0:  # killed before it had begun
            again = self.checkout.script(*FLIP, exits=None)
        if again.returncode != (2 if ended == 0 else 0):
            return f"the resumed run exited {again.returncode}: {again.stdout[-600:]} {again.stderr[-600:]}"
        status = self.checkout.json("status", "--no-drift")["services"]
        untraced = [name for name, service in status.items() if not (service["flagDeployed"] and service["sidecar"])]
        if untraced:
            return f"not traced: {', '.join(untraced)}"
        if left := orphans(self.checkout):
            return f"orphaned in AWS: {', '.join(sorted(left))}"
        if locks := list(self.checkout.root.glob(".localaws/pulumi-state/.pulumi/locks/**/*.json")):
            return f"locked: {', '.join(lock.parent.name for lock in locks)}"
        # What the embedded AWS had answered and not yet saved when it was killed is really to be done again.
        twice = [] if victim == "aws" else self._done_twice(before)
        return f"deployed twice: {', '.join(twice)}" if twice else ""

    def _undisturbed(self, victim: str, *, deployment: bool) -> None:
        self.begin_anew(deployment=deployment)
        begun = time.monotonic()
        self.checkout.script(*FLIP, *self._where(victim))
        self._lengths[victim] = time.monotonic() - begun

    def _where(self, victim: str) -> tuple[str, ...]:
        return ("--scheduler", self.workers.address) if victim == "worker" and self.workers else ()

    def _done_twice(self, before: set[Path]) -> list[str]:
        runs = self._journals()
        first = max(before, key=lambda journal: journal.name)
        ended = [line for line in _lines(first) if line["event"] == "stack-ended"]
        done = {line["service"] for line in ended if line["outcome"] in ("done", "unchanged")}
        started = {line["service"] for new in runs - before for line in _lines(new) if line["event"] == "stack-started"}
        return sorted(done & started)

    def _journals(self) -> set[Path]:
        return set(self.checkout.root.glob(".runs/local/runs/*.jsonl"))

    def _engines(self) -> Iterator[int]:
        return (int(file.name) for file in self.checkout.root.glob(".runs/local/engines/[0-9]*"))

    def _plugins(self) -> Iterator[int]:
        for process in psutil.Process(self._aws()).children():
            if any(part.startswith("localaws.plugins") for part in process.cmdline()):
                yield process.pid

    def _aws(self) -> int:
        pid = Instance(self.checkout.root / ".localaws").status().pid
        assert pid is not None, "the embedded AWS does not run"
        return pid


def rehearse(checkout: Checkout, victims: Sequence[str], seed: int, *, deployment: bool = False) -> list[str]:
    """Kill each of the victims; returns what went wrong, one sentence for each bad moment."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    rehearsal, moments = Rehearsal(checkout, victims), len(victims)
    try:
        rehearsal.prepare(deployment=deployment)
        wrong = []
        for number, victim in enumerate(victims, 1):
            rehearsal.begin_anew(deployment=deployment)
            moment = chance.uniform(0.1, rehearsal.length(victim))
            ended = rehearsal.strike(victim, after(moment))
            problem = rehearsal.judge(victim, ended)
            told = problem or "resumed, nothing lost, nothing twice"
            _say(f"{number:>3}/{moments}  {victim:<7}  killed at {moment:5.2f} s, exit {ended:>2}: {told}")
            if problem:
                wrong.append(f"moment {number} ({victim}, {moment:.2f} s): {problem}")
        return wrong
    finally:
        rehearsal.close()


def _lines(journal: Path) -> Iterator[dict[str, Any]]:
    for text in journal.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):  # the last line of a run that was killed may be torn
            yield json.loads(text)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Exit code 0 when every moment was survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=20, help="how often to kill (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default 1)")
    parser.add_argument(
        "--victims", nargs="+", choices=VICTIMS, help="in turn (default: all; with --deployments the run)"
    )
    parser.add_argument("--deployments", action="store_true", help="begin with nothing deployed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkout = Checkout(Path(folder))
        try:
            among = options.victims or (["run"] if options.deployments else VICTIMS)
            victims = [among[number % len(among)] for number in range(options.moments)]
            wrong = rehearse(checkout, victims, options.seed, deployment=options.deployments)
        finally:
            checkout.close()
    _say("\n".join(wrong) or f"All {options.moments} moments survived.")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
