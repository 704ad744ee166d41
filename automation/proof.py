"""The proof that tracing works: every declared hop on the service map, or why it is not."""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from automation import causes, hops
from automation.causes import Cause
from automation.hops import Hop
from automation.verify import Aws
from traces.fetch import XRay
from traces.model import ServiceMap
from traces.ranges import Range

# Segments are on the map when the daemon has sent them (a second) and X-Ray has taken them in (on AWS up to a minute).
PAUSE_LOCAL, PAUSE = 0.25, 2.0  # seconds between two looks
# Once every hop was seen, so long until the last segments are there too: without them the map has callers too many.
SETTLE_SECONDS = 1.5


@dataclass(kw_only=True)
class Proof:
    """What was seen of the hops."""

    seen: dict[Hop, int] = field(default_factory=dict)  # how often; 0: not at all
    causes: dict[Hop, Cause] = field(default_factory=dict)
    service_map: ServiceMap | None = None

    @property
    def holds(self) -> bool:
        """Every hop was seen."""
        return all(self.seen.values())

    def problems(self) -> list[str]:
        """A sentence for each hop that is missing."""
        return [f"{hop.words} is not traced: {cause.message}" for hop, cause in self.causes.items()]

    def to_json(self) -> list[dict[str, Any]]:
        """The hops, for ``--json``."""
        return [
            {
                "source": hop.source.service,
                "target": hop.target.service,
                "seen": number,
                "cause": _cause_to_json(self.causes[hop]) if hop in self.causes else None,
            }
            for hop, number in self.seen.items()
        ]


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is looked for, and how long."""

    hops: Sequence[Hop]
    since: float  # seconds since the epoch
    timeout: float  # seconds
    pause: float = PAUSE  # seconds
    joined_from: Sequence[str] = ()  # names of segments: only traces that one of them is part of count
    sent: int | None = None  # requests, where somebody counted
    option: str = ""  # what commands need to mean the environment


def search(
    wanted: Search, xray: XRay, aws: Aws, *, cancelled: threading.Event, say: Callable[[Mapping[Hop, int]], None]
) -> Proof:
    """Look until every hop was seen or the time is up, then for the causes of what is missing; `say` after each look.

    Raises `traces.errors.ReviewError` where X-Ray cannot be read.
    """
    deadline = time.monotonic() + wanted.timeout
    while True:
        proof = _look(wanted, xray)
        say(proof.seen)
        if proof.holds or cancelled.is_set() or time.monotonic() >= deadline:
            break
        cancelled.wait(wanted.pause)
    if proof.holds and not cancelled.wait(SETTLE_SECONDS):
        proof = _look(wanted, xray)
    missing = [hop for hop, number in proof.seen.items() if not number]
    with ThreadPoolExecutor(max_workers=max(1, len(missing))) as pool:
        found = pool.map(lambda hop: _cause(hop, wanted, proof, aws), missing)
        proof.causes = dict(zip(missing, found, strict=True))
    return proof


def _look(wanted: Search, xray: XRay) -> Proof:
    asked = Range(math.floor(wanted.since), math.ceil(time.time()))
    shown = xray.service_map(asked).value
    seen = {hop: hops.calls(hop, shown) for hop in wanted.hops}
    if wanted.joined_from and any(seen.values()):
        summaries = xray.summaries(asked).value
        seen = {hop: hops.joined(hop, wanted.joined_from, summaries) for hop in wanted.hops}
    return Proof(seen=seen, service_map=shown)


def _cause(hop: Hop, wanted: Search, proof: Proof, aws: Aws) -> Cause:
    if wanted.joined_from and proof.service_map and hops.calls(hop, proof.service_map):
        return causes.not_forwarded(hop)
    return causes.find(hop, aws, since=wanted.since, sent=wanted.sent, option=wanted.option)


def _cause_to_json(cause: Cause) -> dict[str, Any]:
    return {"kind": cause.kind, "message": cause.message, "next": cause.next_command}
