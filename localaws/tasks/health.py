"""Health checks of containers: the command of the task definition, run again and again as ECS's agent does."""

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from localaws.ecs import alarm
from localaws.ecs.model import Document, Health
from localaws.tasks.processes import Process

# Until a container is healthy for the first time its checks follow each other so fast (seconds), and its start period
# and intervals pass so many times faster: nobody wants to wait for a rollout on a laptop. Failures in between do not
# count, so that a busy machine has time to start it. Afterwards the interval is the real one.
STARTING_INTERVAL = 0.1
STARTING_HASTE = 10


class Verdict:
    """What the checks so far say together. Source: ECS API reference, HealthCheck."""

    def __init__(self, retries: int, start_period: float, pace: float = 0) -> None:
        """Nothing is known yet.

        `start_period`: seconds from now, within which failures do not count unless one check has succeeded; `pace`:
        likewise, those that must lie between two failures for both to count.
        """
        self._retries = retries
        self._pace = pace
        self._counting_from = start_period
        self._failures = 0
        self.health: Health = "UNKNOWN"

    def add(self, *, passed: bool, age: float) -> None:
        """Take the result of a check that began at a container's age in seconds."""
        if passed:
            self._failures, self.health = 0, "HEALTHY"
        elif self.health != "UNKNOWN" or age >= self._counting_from:
            self._counting_from = age + self._pace
            self._failures += 1
            if self._failures >= self._retries:
                self.health = "UNHEALTHY"


class Checker:
    """Runs the checks of one container in a thread of its own, until `stop`."""

    def __init__(
        self,
        check: Document,
        environment: Mapping[str, str],
        *,
        has_shell: bool,
        located: Callable[[str], str] = lambda path: path,
        haste: float = STARTING_HASTE,
    ) -> None:
        """`located`: where the image's program of a name or an absolute path really is."""
        self._command = _command(check["command"], has_shell, located)
        self._environment = dict(environment)
        self._interval, self._timeout = float(check["interval"]), float(check["timeout"])
        start_period = float(check.get("startPeriod") or 0)
        self._verdict = Verdict(int(check["retries"]), start_period / haste, pace=self._interval / haste)
        self._stopped = threading.Event()
        self._check: Process | None = None
        threading.Thread(target=self._run, name="health checks", daemon=True).start()

    @property
    def health(self) -> Health:
        """Return what is known by now."""
        return self._verdict.health

    def stop(self) -> None:
        """Check no more; a check under way is broken off."""
        self._stopped.set()
        if self._check:
            self._check.signal(signal.SIGKILL)

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._stopped.wait(self._pause()):
            before, age = self.health, time.monotonic() - begun
            self._verdict.add(passed=self._passes(), age=age)
            if self.health != before:
                alarm.wake()

    def _pause(self) -> float:
        return min(STARTING_INTERVAL, self._interval) if self.health == "UNKNOWN" else self._interval

    def _passes(self) -> bool:
        if not self._command:
            return False
        try:
            check = Process(self._command, self._environment, lambda _chunk: None)
        except OSError:
            return False
        self._check = check
        if not check.wait(self._timeout):
            check.signal(signal.SIGKILL)
        return check.exit_code == 0


def _command(command: Sequence[str], has_shell: bool, located: Callable[[str], str]) -> list[str]:  # noqa: FBT001
    """Return what to run; nothing where the image has no shell for it, or the command is NONE."""
    kind, *rest = command
    if kind == "CMD-SHELL":
        return ["/bin/sh", "-c", rest[0]] if has_shell else []
    words = list(command) if kind.startswith("/") else rest if kind == "CMD" else []
    return ["/usr/bin/env", located(words[0]), *words[1:]] if words else []  # which looks a name up in the image's PATH
