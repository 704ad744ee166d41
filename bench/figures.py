"""What a row has to tell."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is done for a figure."""

    repetitions: int
    segments: int  # that the daemon is sent; a multiple of three, for three are a trace
    traces: int  # that are read, of three segments each
    details: int  # of them in detail
    requests: int  # that each chain is sent
    rate: float  # of them a second
    fleet: int  # stacks of a fleet
    by_hand: int  # of them that are flipped by hand
    patience: float = 75  # seconds for all repetitions of a figure


FULL = Size(repetitions=3, segments=3000, traces=10_000, details=300, requests=200, rate=50, fleet=300, by_hand=30)
QUICK = Size(repetitions=1, segments=600, traces=300, details=20, requests=50, rate=50, fleet=20, by_hand=2)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One thing measured, some times, and in turn with it what it is held against."""

    what: str
    unit: str
    values: Sequence[float]
    baselines: Mapping[str, Sequence[float]]  # by what they are; value by value beside `values`
    note: str = ""

    def ratios(self, baseline: str) -> list[float]:
        """Return how many times a baseline's value each value is."""
        return [value / beside for value, beside in zip(self.values, self.baselines[baseline], strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Return it with the median, the lowest and the highest of all values and ratios."""
        return {
            "what": self.what,
            "unit": self.unit,
            **_spread(self.values),
            "baselines": [
                {"what": name, **_spread(values), "ratio": _spread(self.ratios(name))}
                for name, values in self.baselines.items()
            ],
            "note": self.note,
        }


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """What could not be measured here."""

    what: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """Return it as it is."""
        return {"what": self.what, "left_out": self.why}


# Measures a row in a folder of its own.
Row = Callable[[Size, Path], Iterator[Figure | LeftOut]]


def in_turns(size: Size, jobs: Mapping[str, Callable[[], _T]]) -> dict[str, list[_T]]:
    """Return what each job returned each time; they take turns, so that all see the machine at its best and worst.

    Where another round would take too long there is none.
    """
    found: dict[str, list[_T]] = {name: [] for name in jobs}
    begun = time.monotonic()
    for done in range(1, size.repetitions + 1):
        for name, job in jobs.items():
            found[name].append(job())
        if (time.monotonic() - begun) * (done + 1) / done > size.patience:
            break
    return found


def timed(job: Callable[[], object]) -> Callable[[], float]:
    """Return a job that returns the seconds that the other one takes."""

    def run() -> float:
        begun = time.perf_counter()
        job()
        return time.perf_counter() - begun

    return run


def _spread(values: Sequence[float]) -> dict[str, Any]:
    return {"median": median(values), "low": min(values), "high": max(values), "rounds": len(values)}
