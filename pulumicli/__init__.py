"""The Pulumi CLI: found on PATH, in the per-user cache, downloaded by Pulumi's own installer, or built from Go modules.

    locate() -> Path | None              the CLI to use, or None; changes nothing, asks no network
    ensure(progress) -> Path             the same, installing or building what is missing
    python -m pulumicli                  ensure(), path on stdout, progress on stderr

A CLI counts only if it is new enough and has the Python language host beside it or on PATH, so that `pulumi up` works
by hand and not only through the Automation API.
"""

from pulumicli.errors import PulumiCliError
from pulumicli.provision import ensure, locate
from pulumicli.versions import MINIMUM_VERSION

__all__ = ["MINIMUM_VERSION", "PulumiCliError", "ensure", "locate"]
