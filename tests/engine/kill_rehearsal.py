"""Kill enable.py with SIGKILL at random moments, run it again, and see that nothing is lost.

    python -m tests.engine.kill_rehearsal --moments 20 --seed 1

Each moment starts from another state (nothing deployed, tracing off) and kills the run somewhere within the time that
an undisturbed one takes. Afterwards `enable.py --yes` must end 0 with every service traced, Pulumi's state must
know everything that AWS has, and no operation may be pending.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.engine.checkout import Checkout
from tests.engine.inventory import orphans


def rehearse(checkout: Checkout, moments: int, seed: int) -> list[str]:
    """Run the rehearsal; returns what went wrong, one sentence for each bad moment."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    deployment = _timed(checkout, "enable")
    lengths = {"deploy": deployment, "flip": deployment / 2}  # about; where it was longer, that is told
    wrong = []
    for number in range(1, moments + 1):
        kind = chance.choice(["deploy", "flip"])
        checkout.script(*(["destroy", "--yes"] if kind == "deploy" else ["disable", "--yes", "--skip-preview"]))
        moment = chance.uniform(0.1, lengths[kind])
        killed = _killed_after(checkout, moment)
        again = checkout.script("enable", "--yes", "--skip-preview", exits=None)
        problem = _judge(checkout, again)
        told = problem or "recovered, nothing orphaned"
        _say(f"{number:>3}/{moments}  {kind:<6}  {'killed' if killed else 'ended'} at {moment:5.2f} s: {told}")
        if problem:
            wrong.append(f"moment {number} ({kind}, {moment:.2f} s): {problem}")
    return wrong


def _timed(checkout: Checkout, script: str) -> float:
    begun = time.monotonic()
    checkout.script(script, "--yes")
    return time.monotonic() - begun


def _killed_after(checkout: Checkout, seconds: float) -> bool:
    """Start enable.py and kill it; False when it ended by itself before that."""
    process = checkout.popen("automation/enable.py", "--yes", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def _judge(checkout: Checkout, again: "subprocess.CompletedProcess[str]") -> str:
    if again.returncode != 0:
        return f"the second run exited {again.returncode}: {again.stdout[-600:]} {again.stderr[-600:]}"
    status = checkout.json("status", "--no-drift")["services"]
    untraced = [name for name, service in status.items() if not (service["flagDeployed"] and service["sidecar"])]
    if untraced:
        return f"not traced: {', '.join(untraced)}"
    left = orphans(checkout)
    return f"orphaned in AWS: {', '.join(sorted(left))}" if left else ""


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Exit code 0 when every moment was survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=20, help="how often to kill (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default 1)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkout = Checkout(Path(folder))
        try:
            wrong = rehearse(checkout, options.moments, options.seed)
        finally:
            checkout.close()
    _say("\n".join(wrong) or f"All {options.moments} moments survived.")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
