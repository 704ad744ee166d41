"""Where and when something was measured: figures of a busy machine lie."""

import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine as it was when the measuring began."""

    system: str
    python: str
    cores: int
    load: tuple[float, float, float]  # processes that ran or wanted to, over the last 1, 5 and 15 min
    begun: str  # UTC

    @classmethod
    def now(cls) -> "Machine":
        """Look at this one."""
        return cls(
            system=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(),
            cores=os.cpu_count() or 1,
            load=os.getloadavg(),
            begun=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    @property
    def is_busy(self) -> bool:
        """Return whether something else took a core or more."""
        return self.load[0] >= 1

    def __str__(self) -> str:
        loads = ", ".join(f"{load:.1f}" for load in self.load)
        return f"{self.cores} cores, {self.system}, Python {self.python}; load {loads} at {self.begun}"

    def to_json(self) -> dict[str, Any]:
        """Return it as it is."""
        return {**asdict(self), "load": list(self.load)}
