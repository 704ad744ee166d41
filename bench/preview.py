"""What a pull request waits for: preview --against of four stacks, beside one `cdk synth` of one original service."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.figures import Figure, LeftOut, Size, in_turns, timed
from tests.engine.checkout import Checkout
from tests.engine.committed import commit, configure

CDK_APP = "BENCH_CDK_APP"  # names the folder of an original service's CDK app, e.g. ecsdemo-crystal/cdk
_OURS = "preview --against main, four stacks, comment included"
_CDK = "cdk synth of one original service"


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
    if synth := _synth():
        jobs[_CDK] = synth
    found: Mapping[str, list[float]] = in_turns(size, {name: timed(job) for name, job in jobs.items()})
    yield Figure(
        what=_OURS,
        unit="s",
        values=found[_OURS],
        baselines={name: values for name, values in found.items() if name != _OURS},
        note="the base deployed, the working tree planned against it",
    )
    if synth is None:
        why = f"there is no `cdk` on PATH, or no folder of a CDK app in {CDK_APP}"
        yield LeftOut(what=_CDK, why=why)


def _synth() -> Callable[[], object] | None:
    app, cdk = os.environ.get(CDK_APP), shutil.which("cdk")
    if not app or cdk is None:
        return None
    line = [cdk, "synth", "--quiet"]
    return lambda: subprocess.run(line, cwd=app, check=True, capture_output=True)
