"""What the workshop's way costs: one `cdk synth` of one of its original services, where that is installed."""

import os
import shutil
import subprocess
from collections.abc import Callable

from bench.figures import LeftOut

CDK_APP = "BENCH_CDK_APP"  # names the folder of an original service's CDK app, e.g. ecsdemo-crystal/cdk
SYNTH = "cdk synth of one original service"
LEFT_OUT = LeftOut(what=SYNTH, why=f"there is no `cdk` on PATH, or no folder of a CDK app in {CDK_APP}")


def synth() -> Callable[[], object] | None:
    """Return a job that does it; None where it can't be done."""
    app, cdk = os.environ.get(CDK_APP), shutil.which("cdk")
    if not app or cdk is None:
        return None
    line = [cdk, "synth", "--quiet"]
    return lambda: subprocess.run(line, cwd=app, check=True, capture_output=True)
