"""Runs the script again with the project's own Python when it was started with one that lacks the packages."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

_VENV = Path(__file__).resolve().parent.parent / ".venv"


def use_project_python() -> None:
    """Return where the packages are installed; else become the project's Python, or exit 2 naming the set-up."""
    if find_spec("pulumi") is not None:
        return
    python = _VENV / "bin" / "python"
    if Path(sys.prefix) == _VENV or not python.exists():
        sys.stderr.write("error: the project's packages are not installed.\n  next: make setup\n")
        raise SystemExit(2)
    os.execv(python, [str(python), *sys.argv])  # noqa: S606 - our own interpreter, our own script
