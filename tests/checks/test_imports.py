"""The checks can be used without what they check."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("automation", "envoymesh", "localaws", "pulumi", "services", "traces")


def test_the_checks_load_nothing_else() -> None:
    """Neither Pulumi nor another package of the project comes with them."""
    modules = ", ".join(f"checks.{path.stem}" for path in sorted((ROOT / "checks").glob("[a-z]*.py")))
    program = f"import sys, {modules}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "checks" in loaded.stdout.split()
    assert set(PACKAGES) & set(loaded.stdout.split()) == set()
