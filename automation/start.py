"""What a script needs before it can import anything else: the project's own Python, and room for temporary files."""

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

_VENV = Path(__file__).resolve().parent.parent / ".venv"


def use_project_python() -> None:
    """Return where the packages are installed; else become the project's Python, or exit 2 naming the set-up."""
    if find_spec("pulumi") is not None:
        _require_temporary_folder()
        return
    python = _VENV / "bin" / "python"
    if Path(sys.prefix) == _VENV or not python.exists():
        _refuse("The project's packages are not installed.", "make setup")
    os.execv(python, [str(python), *sys.argv])  # noqa: S606 - our own interpreter, our own script


def _require_temporary_folder() -> None:
    """Packages that we import fail with a traceback where no temporary folder can be written."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        _refuse("Cannot write to any temporary folder: the disk is full or read-only.", "df -h /tmp .")


def _refuse(message: str, next_command: str) -> NoReturn:
    sys.stderr.write(f"error: {message}\n  next: {next_command}\n")
    raise SystemExit(2)
