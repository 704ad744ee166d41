"""The files that a CLI built from Go modules lacks: the starters of Python programs and Python policy packs.

The engine looks for them beside the `pulumi` executable and uses them there without a warning. They are copies, so that
they serve every checkout; set-up refreshes them where they differ from its own checkout's.
"""

import os
import shutil
import tempfile
from pathlib import Path

HOST = "pulumi-language-python"
POLICY_STARTER = "pulumi-analyzer-policy-python"

_HERE = Path(__file__).parent
# Name beside the CLI, where it comes from, file mode.
FILES = (
    ("language_protocol.py", _HERE / "host" / "language_protocol.py", 0o644),
    ("language_program.py", _HERE / "host" / "language_program.py", 0o644),
    ("language_host.py", _HERE / "host" / "language_host.py", 0o644),
    ("import_code.py", _HERE / "host" / "import_code.py", 0o644),
    ("find-python", _HERE / "host" / "find-python", 0o755),
    (POLICY_STARTER, _HERE / "host" / POLICY_STARTER, 0o755),
    (HOST, _HERE / "host" / HOST, 0o755),  # last: it is what makes the others count
)


def found_by(executable: Path) -> bool:
    """Whether the engine in `executable` finds a Python language host: beside itself, links resolved, or on PATH."""
    return os.access(executable.resolve().parent / HOST, os.X_OK) or shutil.which(HOST) is not None


def lay_beside(executable: Path) -> None:
    """Copy what is missing or differs into the folder of `executable`, each file at one stroke."""
    for name, source, mode in FILES:
        target = executable.parent / name
        content = source.read_bytes()
        if not (target.is_file() and target.read_bytes() == content and os.access(target, mode >> 6)):
            _replace(target, content, mode)


def _replace(target: Path, content: bytes, mode: int) -> None:
    """Write in place of `target` without anyone ever seeing half of it."""
    handle, name = tempfile.mkstemp(prefix=".partial-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
