"""Segments on their way to X-Ray: batches, eight calls at once, again and again until X-Ray has them."""

import json
import random
import re
import threading
import time
from collections.abc import Sequence

from localaws.programs.xray_daemon.client import XRay
from localaws.programs.xray_daemon.errors import CallError
from localaws.programs.xray_daemon.log import log
from localaws.programs.xray_daemon.segments import Ring
from localaws.programs.xray_daemon.settings import Settings
from localaws.programs.xray_daemon.telemetry import REJECTED, SENT, SPILLED, Telemetry

_MB = 1024 * 1024
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds between two attempts
_LAST_PAUSE = 0.1  # while the daemon ends
_BETWEEN_WARNINGS = 1.0  # seconds


class Uploads:
    """Takes documents, and sends them from threads of its own."""

    def __init__(self, xray: XRay, telemetry: Telemetry, settings: Settings) -> None:
        self._xray, self._telemetry, self._manner = xray, telemetry, settings.manner
        self._ring = Ring(settings.buffer_mb * _MB)
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._send_at = 0.0  # when a batch goes although it is not full
        self._open = 0  # documents that wait or are being sent
        self._dropped = 0  # documents that nobody was told of yet
        self._told_at = 0.0
        for number in range(settings.concurrency):
            threading.Thread(target=self._work, name=f"sender {number}", daemon=True).start()

    def add(self, document: bytes) -> None:
        """Let a document be sent."""
        with self._changed:
            dropped = self._ring.add(document)
            self._open += 1 - dropped
            self._dropped += dropped
            self._telemetry.count(SPILLED, dropped)
            if len(self._ring) == 1:
                self._send_at = time.monotonic() + self._manner.idle_seconds
                self._changed.notify()
            elif len(self._ring) >= self._manner.batch:
                self._changed.notify()
            self._tell_of_dropped(_BETWEEN_WARNINGS)

    def finish(self, patience: float) -> int:
        """Send all there is, within `patience` seconds. Return how many documents are left."""
        with self._changed:
            self._ending.set()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._open, patience)
            self._tell_of_dropped(0)
            return self._open

    def _work(self) -> None:
        while True:
            batch = self._next()
            self._deliver(batch)
            with self._changed:
                self._open -= len(batch)
                if self._ending.is_set():
                    self._changed.notify_all()

    def _next(self) -> list[bytes]:
        """Return the next batch; blocks until one is full or has waited long enough."""
        with self._changed:
            while True:
                now = time.monotonic()
                waiting = len(self._ring)
                if waiting >= self._manner.batch or (waiting and (now >= self._send_at or self._ending.is_set())):
                    batch = self._ring.take(self._manner.batch)
                    self._send_at = now + self._manner.idle_seconds
                    self._tell_of_dropped(_BETWEEN_WARNINGS)
                    if self._ring:
                        self._changed.notify()  # somebody must watch over the rest
                    return batch
                self._changed.wait(self._send_at - now if waiting else None)

    def _deliver(self, batch: Sequence[bytes]) -> None:
        documents = [document.decode("utf-8", "replace") for document in batch]
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                answer = self._xray.call("/TraceSegments", {"TraceSegmentDocuments": documents})
            except CallError as error:
                self._telemetry.count(error.counted_as)
                log.error(self._manner.failed, error)
                if not error.retriable:
                    return
            else:
                self._telemetry.count(SENT, len(documents))
                self._tell(documents, answer.get("UnprocessedTraceSegments") or [], time.monotonic() - began)
                return
            if self._ending.wait(pause * random.uniform(0.5, 1)):  # noqa: S311 - so that not all come at once
                time.sleep(_LAST_PAUSE)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _tell(self, documents: Sequence[str], refused: Sequence[dict[str, str]], seconds: float) -> None:
        if not refused:
            log.info("Successfully sent batch of %d segments (%.3f seconds)", len(documents), seconds)
            return
        count = len(documents), len(refused)
        log.info("Sent batch of %d segments but had %d Unprocessed segments (%.3f seconds)", *count, seconds)
        for each in refused:
            self._telemetry.count(REJECTED)
            log.error("Unprocessed trace %s, segment: %s", _trace_of(each.get("Id"), documents), json.dumps(each))

    def _tell_of_dropped(self, pause: float) -> None:
        """Log how many documents were dropped, unless that was done within the last `pause` seconds."""
        now = time.monotonic()
        if self._dropped and now >= self._told_at + pause:
            log.warning("Segment buffer is full. Dropping oldest segment documents: %d", self._dropped)
            self._dropped, self._told_at = 0, now


def _trace_of(segment: str | None, documents: Sequence[str]) -> str:
    """Return the id of the trace that a segment belongs to, as written in its document."""
    for document in documents:
        if segment and re.search(rf'"id"\s*:\s*"{re.escape(segment)}"', document):
            found = re.search(r'"trace_id"\s*:\s*"([^"]*)"', document)
            return found[1] if found else "unknown"
    return "unknown"
