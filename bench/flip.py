"""What a flip of the four stacks takes, beside the same by hand, one `cdk synth`, and the engine alone."""

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

from bench.cdk import LEFT_OUT, SYNTH, synth
from bench.figures import Figure, LeftOut, Size, in_turns
from services import SERVICES
from tests.engine.checkout import Checkout

PATIENCE = 180  # seconds; a round by hand alone takes half a minute

_OURS = "enable or disable of four stacks, verified"
_BY_HAND = "config set tracing, up --yes: four times"
_ENGINE = "up --skip-preview, plugins running: four times"


@dataclass(frozen=True, kw_only=True)
class _Cost:
    """What a job took."""

    wall: float  # seconds
    cpu: float  # seconds, of the job's processes; the embedded AWS and plugins that outlive it aside


def measure(size: Size, folder: Path) -> Iterator[Figure | LeftOut]:
    """Flip the demo to and fro on an embedded AWS with simulated tasks."""
    root = folder / "clone"
    root.mkdir()
    checkout = Checkout(root)
    checkout.script("disable", "--yes", "--skip-preview")
    try:
        yield from _figures(size, checkout)
    finally:
        checkout.close()


def _figures(size: Size, checkout: Checkout) -> Iterator[Figure | LeftOut]:
    flips = cycle(("enable", "disable"))
    jobs: dict[str, Callable[[], _Cost]] = {
        _OURS: _costing(lambda: checkout.script(next(flips), "--yes", "--skip-preview")),
        _BY_HAND: _costing(lambda: _by_hand(checkout)),
        _ENGINE: _engine(checkout),
    }
    beside = synth()
    if beside is not None:
        jobs[SYNTH] = _costing(beside)
    found = in_turns(replace(size, patience=PATIENCE), jobs)
    walls = {name: [cost.wall for cost in costs] for name, costs in found.items()}
    yield Figure(
        what=_OURS,
        unit="s",
        values=walls[_OURS],
        baselines={name: walls[name] for name in (_BY_HAND, SYNTH) if name in walls},
        note="whole process, without a plan before it",
    )
    cpu = {name: [cost.cpu for cost in costs] for name, costs in found.items()}
    yield Figure(
        what=f"CPU of {_OURS}",
        unit="s",
        values=cpu[_OURS],
        baselines={_ENGINE: cpu[_ENGINE]},
        note="all processes but the embedded AWS and its plugins, which both share",
    )
    if beside is None:
        yield LEFT_OUT


def _by_hand(checkout: Checkout) -> None:
    for service in SERVICES:
        _set(checkout, service)
        checkout.pulumi("up", "--yes", "--stack", f"local-{service}")


def _engine(checkout: Checkout) -> Callable[[], _Cost]:
    """The same updates by the engine alone; what says so in the configuration is written before."""

    def run() -> _Cost:
        for service in SERVICES:
            _set(checkout, service)
        return _costing(lambda: _ups(checkout))()

    return run


def _set(checkout: Checkout, service: str) -> None:
    """Turn tracing over."""
    stack = ("--stack", f"local-{service}")
    now = checkout.pulumi("config", "get", "tracing", *stack).stdout.strip()
    checkout.pulumi("config", "set", "tracing", "false" if now == "true" else "true", *stack)


def _ups(checkout: Checkout) -> None:
    variables = {"PULUMI_DEBUG_PROVIDERS": checkout.plugins}
    for service in SERVICES:
        checkout.pulumi("up", "--yes", "--skip-preview", "--stack", f"local-{service}", env=variables)


def _costing(job: Callable[[], object]) -> Callable[[], _Cost]:
    """Return a job that returns what the other one costs."""

    def run() -> _Cost:
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        job()
        wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        return _Cost(wall=wall, cpu=after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    return run
