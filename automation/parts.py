"""What an environment gives its engines."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts that engines share."""

    secrets_provider: str | None = None  # of the stacks that are made; None: the backend's own
    plugins: Callable[[], str] = (
        str  # where they serve all engines, as in PULUMI_DEBUG_PROVIDERS; "": each starts its own
    )
