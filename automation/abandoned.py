"""Programs that a failed engine leaves behind in this process."""

import sys
from typing import Any

_PROGRAM = "run_in_stack"  # the coroutine of pulumi.runtime that an inline program is


def silence() -> None:
    """Have no traceback printed when Python clears an abandoned program away. Again: changes nothing.

    The engine's own error was told; that its program can no longer shut down in order tells nobody anything.
    """
    if getattr(sys.unraisablehook, "__module__", "") == __name__:
        return
    otherwise = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if getattr(unraisable.object, "__name__", "") != _PROGRAM:
            otherwise(unraisable)

    sys.unraisablehook = hook
