"""What a pull request waits for: preview --against of four stacks, beside one `cdk synth` of one original service."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.cdk import LEFT_OUT, SYNTH, synth
from bench.figures import Figure, LeftOut, Size, in_turns, timed
from tests.engine.checkout import Checkout
from tests.engine.committed import commit, configure

_OURS = "preview --against main, four stacks, comment included"


def measure(size: Size, folder: Path) -> Iterator[Figure | LeftOut]:
    """Preview a pull request that turns tracing on in all four stacks, from nothing to the comment."""
    root = folder / "clone"
    root.mkdir()
    checkout = Checkout(root)
    commit(checkout)
    configure(checkout, tracing=True)
    comment = folder / "comment.md"
    jobs: dict[str, Callable[[], object]] = {
        _OURS: lambda: checkout.script("preview", "--env", "prod", "--against", "main", "--markdown", str(comment))
    }
    if beside := synth():
        jobs[SYNTH] = beside
    found: Mapping[str, list[float]] = in_turns(size, {name: timed(job) for name, job in jobs.items()})
    yield Figure(
        what=_OURS,
        unit="s",
        values=found[_OURS],
        baselines={name: values for name, values in found.items() if name != _OURS},
        note="the base deployed, the working tree planned against it",
    )
    if beside is None:
        yield LEFT_OUT
