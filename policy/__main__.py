"""Started by the Pulumi engine for `--policy-pack policy`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run by file path: import from the project's root
try:
    from pulumi_policy import PolicyPack

    from policy.pack import NAME, policies
except ModuleNotFoundError as missing:
    sys.exit(f"error: The policies need a package that is not installed: {missing.name}.\n  next: make setup")

PolicyPack(NAME, policies())
