"""Synthetic fleets: ``python -m tests.fleets SHAPE N [--seed S] > fleet.yaml``."""

import argparse
import random
import sys
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from services import images

Calls = Mapping[str, list[str]]  # by service, callers first

_LAYERS = 4
_FANOUT = 3  # services that one calls, in layers and at random, at most
_TEAMS = 5


def star(number: int, _chance: random.Random) -> Calls:
    """One calls all others."""
    first, *others = _names(number)
    return {first: others, **{name: [] for name in others}}


def chain(number: int, _chance: random.Random) -> Calls:
    """Each calls the next."""
    names = _names(number)
    return {name: names[index + 1 : index + 2] for index, name in enumerate(names)}


def layers(number: int, chance: random.Random) -> Calls:
    """The first calls a layer, each of which calls some of the next one."""
    first, *names = _names(number)
    each = max(1, -(-len(names) // _LAYERS))
    rows = [names[start : start + each] for start in range(0, len(names), each)]
    calls = {first: rows[0] if rows else []}
    for depth, row in enumerate(rows):
        below = rows[depth + 1] if depth + 1 < len(rows) else []
        calls |= {name: chance.sample(below, min(_FANOUT, len(below))) for name in row}
    return calls


def at_random(number: int, chance: random.Random) -> Calls:
    """Each calls some of those after it."""
    names = _names(number)
    calls = {}
    for index, name in enumerate(names):
        later = names[index + 1 :]
        calls[name] = chance.sample(later, chance.randint(0, min(_FANOUT, len(later))))
    return calls


SHAPES: Mapping[str, Callable[[int, random.Random], Calls]] = {
    "star": star,
    "chain": chain,
    "layers": layers,
    "random": at_random,
}


def fleet(shape: str, number: int, seed: int = 0) -> str:
    """The text of a ``fleet.yaml`` with so many services; the same text for the same arguments."""
    calls = SHAPES[shape](number, random.Random(seed))  # noqa: S311 - no secrets
    services: dict[str, Any] = {}
    for index, (name, backends) in enumerate(calls.items()):
        services[name] = {"image": images.NODEJS, "tags": [f"team-{index % _TEAMS}"]}
        if index == 0:
            services[name]["entrance"] = True
        if backends:
            services[name]["backends"] = {f"{backend.upper().replace('-', '_')}_URL": backend for backend in backends}
    document = {"platforms": {"platform": {"network": "10.0.0.0/16"}}, "services": services}
    return yaml.safe_dump(document, sort_keys=False, width=120)


def _names(number: int) -> list[str]:
    """With a '-', as most are."""
    digits = len(str(number - 1))
    return [f"svc-{index:0{digits}}" for index in range(number)]


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fleets", description="Prints a synthetic fleet.yaml.")
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("number", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.number < 1:
        parser.error("a fleet has at least one service")
    sys.stdout.write(fleet(given.shape, given.number, given.seed))


if __name__ == "__main__":
    _main()
