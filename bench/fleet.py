"""What a flip of hundreds of stacks takes, beside the same by hand, a few stacks, and one that has nothing to do."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from bench.figures import Figure, LeftOut, Size
from localaws.instance import Instance
from tests import fleets
from tests.engine.checkout import Checkout

_FEW = 10  # stacks
_LOOK_SECONDS = 0.5  # between two looks at the memory
_PATIENCE = 7200  # seconds for one command
_MIB = 2**20


def measure(size: Size, folder: Path) -> Iterator[Figure | LeftOut]:
    """Flip fleets of random calls on an embedded AWS with simulated tasks; the platform's stack is one of them."""
    few, many = _fleet(folder / "few", _FEW), _fleet(folder / "many", size.fleet)
    try:
        yield from _figures(size, few, many)
    finally:
        few.close()
        many.close()


def _figures(size: Size, few: Checkout, many: Checkout) -> Iterator[Figure]:
    few_seconds = _timed(few, "enable", "--yes", "--skip-preview")
    with _peak(many) as peaks:
        first = _timed(many, "enable", "--yes", "--skip-preview")
    what = f"enable of {size.fleet} stacks, verified"
    second = _timed(many, "enable", "--yes", "--skip-preview")
    status, listed = _timed(many, "status", "--no-drift"), _by_hand(many, ["stack", "ls"])
    stacks = _stacks(many, size.by_hand)
    with _peak(many) as peaks_by_hand:
        loop = _by_hand(many, *(command for stack in stacks for command in _off(stack)))
    by_hand = loop * size.fleet / size.by_hand
    yield Figure(
        what=what,
        unit="s",
        values=[first],
        baselines={f"config set, up --yes: {size.by_hand} of them, extrapolated": [by_hand]},
        note="whole process, without a plan before it",
    )
    yield Figure(
        what=f"{what}: of that, a stack",
        unit="s",
        values=[first / size.fleet],
        baselines={f"a stack of {_FEW}": [few_seconds / _FEW]},
    )
    yield Figure(what="enable again, nothing to do", unit="s", values=[second], baselines={"the first": [first]})
    yield Figure(
        what=f"status of {size.fleet} stacks", unit="s", values=[status], baselines={"pulumi stack ls": [listed]}
    )
    yield Figure(
        what="memory at its highest, all processes",
        unit="MiB",
        values=[max(peaks)],
        baselines={"one stack at a time by hand": [max(peaks_by_hand)]},
        note="resident; the embedded AWS and its plugins among them",
    )


def _fleet(root: Path, stacks: int) -> Checkout:
    """Deployed, tracing off."""
    root.mkdir()
    checkout = Checkout(root)
    (root / "fleet.yaml").write_text(fleets.fleet("random", stacks - 1), encoding="utf-8")
    checkout.script("disable", "--yes", "--skip-preview", timeout=_PATIENCE)
    return checkout


def _stacks(checkout: Checkout, number: int) -> Sequence[str]:
    """So many of the services' stacks."""
    listed = json.loads(checkout.pulumi("stack", "ls", "--json").stdout)
    return [stack["name"] for stack in listed if stack["name"] != "local-platform"][:number]


def _timed(checkout: Checkout, script: str, *options: str) -> float:
    begun = time.perf_counter()
    checkout.script(script, *options, timeout=_PATIENCE)
    return time.perf_counter() - begun


def _off(stack: str) -> Sequence[Sequence[str]]:
    return ["config", "set", "tracing", "false", "--stack", stack], ["up", "--yes", "--stack", stack]


def _by_hand(checkout: Checkout, *commands: Sequence[str]) -> float:
    begun = time.perf_counter()
    for command in commands:
        checkout.pulumi(*command)
    return time.perf_counter() - begun


@contextmanager
def _peak(checkout: Checkout) -> Iterator[list[float]]:
    """The memory (MiB) that all processes of a checkout have, look by look, while it lasts."""
    over, looks = threading.Event(), list[float]()
    server = Instance(checkout.root / ".localaws").status().pid

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            looks.append(sum(map(_resident, _family(psutil.Process(), server))) / _MIB)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield looks
    finally:
        over.set()
        looking.join()


def _family(this: psutil.Process, server: int | None) -> Iterator[psutil.Process]:
    """The processes that a command started, and the embedded AWS with its plugins."""
    yield from this.children(recursive=True)
    if server:
        with suppress(psutil.NoSuchProcess):
            yield from (psutil.Process(server), *psutil.Process(server).children(recursive=True))


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0
