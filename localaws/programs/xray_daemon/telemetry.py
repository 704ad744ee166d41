"""The daemon's reports on itself: PutTelemetryRecords, once a minute."""

import threading
import time
from collections import Counter, deque
from typing import Any

from localaws.programs.xray_daemon.client import XRay
from localaws.programs.xray_daemon.errors import CallError
from localaws.programs.xray_daemon.log import log
from localaws.programs.xray_daemon.settings import Settings

_PERIOD = 60.0  # seconds
_KEPT_RECORDS = 30
_RECORDS_A_CALL = 10

RECEIVED, SENT, SPILLED, REJECTED = (f"Segments{name}Count" for name in ("Received", "Sent", "Spillover", "Rejected"))
_ERRORS = tuple(
    f"{name}Count" for name in ("Timeout", "ConnectionRefused", "HTTPCode4XX", "HTTPCode5XX", "UnknownHost", "Other")
)


class Telemetry:
    """Counts, and reports the counts of each minute once a first segment has come."""

    def __init__(self, xray: XRay, settings: Settings) -> None:
        self._xray = xray
        self._origin = {
            "EC2InstanceId": settings.instance,
            "Hostname": settings.hostname,
            "ResourceARN": settings.resource_arn,
        }
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._has_received = False
        self._reporting = threading.Lock()  # the last report may meet that of the minute
        self._records: deque[dict[str, Any]] = deque(maxlen=_KEPT_RECORDS)

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count: one of the constants above, or what a CallError is counted as."""
        with self._lock:
            self._counts[name] += number
            self._has_received |= name == RECEIVED

    def report_for_ever(self) -> None:
        """Report once a minute."""
        while True:
            time.sleep(_PERIOD)
            self.report()

    def report(self) -> None:
        """Report what was counted since the last time; what can't be reported now is the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            if not self._has_received:
                return
        names = (RECEIVED, SENT, SPILLED, REJECTED)
        record = {"Timestamp": time.time(), **{name: counts[name] for name in names}}
        with self._reporting:
            self._records.append({**record, "BackendConnectionErrors": {name: counts[name] for name in _ERRORS}})
            self._send()

    def _send(self) -> None:
        try:
            while self._records:
                some = list(self._records)[:_RECORDS_A_CALL]
                self._xray.call("/TelemetryRecords", {"TelemetryRecords": some, **self._origin})
                for _ in some:
                    self._records.popleft()
        except CallError as error:
            self.count(error.counted_as)
            log.debug("Failed to send telemetry %s record(s). Re-queue records. %s", len(self._records), error)
