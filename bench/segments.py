"""Segments a second from UDP to X-Ray: the daemon and the embedded X-Ray together, without a loss."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from bench import documents
from bench.embedded import client, embedded
from bench.figures import Figure, LeftOut, Size, in_turns
from localaws.instance import Instance
from localaws.variables import REGION

_HERE = "127.0.0.1"
_HEADER = b'{"format": "json", "version": 1}\n'
_BATCH = 50  # documents a call, as the daemon does and the API allows
# Datagrams a second, the first that nothing is lost at: UDP knows no "not so fast".
_PACES = (8000, 4000, 2000, 1000, 500)
_BURST = 20  # datagrams without a pause
_SILENCE = 10.0  # seconds without news from the daemon, after which the rest is lost
_READY_SECONDS = 30.0
_WARMING = 300  # segments
_LOOK_BACK = 900  # seconds
_BUFFER_MB = 64  # more than all that is sent
_SENT = re.compile(r"Successfully sent batch of (\d+) segments")
_REPOSITORY = Path(__file__).parents[1]


def measure(size: Size, folder: Path) -> Iterator[Figure | LeftOut]:
    """Send the same number of segments through the daemon and by boto3, until X-Ray has taken all of them."""
    what = f"{size.segments} segments by UDP through the daemon into X-Ray"
    with embedded(folder) as instance:
        xray = client(instance, "xray")
        _put(xray, _documents(_WARMING))
        paces, losses = list(_PACES), dict[int, int]()

        def by_daemon() -> float:
            while paces:
                lost, taken = _send(instance, _documents(size.segments), paces[0])
                if not lost:
                    return size.segments / taken
                losses[paces.pop(0)] = lost
            return 0.0

        def by_boto3() -> float:
            return size.segments / _put(xray, _documents(size.segments))

        found = in_turns(size, {"daemon": by_daemon, "boto3": by_boto3})
        counted = _counted(xray)
    sent = _WARMING + (2 * len(found["boto3"]) + len(losses)) * size.segments
    if not paces:
        yield LeftOut(what=what, why=f"segments were lost even at {_PACES[-1]} a second")
        return
    yield Figure(
        what=what,
        unit="segments/s",
        values=found["daemon"],
        baselines={f"PutTraceSegments by boto3, {_BATCH} a call, no daemon": found["boto3"]},
        note="; ".join(
            [
                *(f"{lost} lost at {pace} datagrams/s" for pace, lost in losses.items()),
                f"sent at {paces[0]} datagrams/s",
                f"X-Ray counts {counted} segments of {sent}",
            ]
        ),
    )


def _documents(number: int) -> list[str]:
    """Return so many documents of the last minute, in whole traces."""
    now = time.time()
    made = documents.traces(number // documents.SEGMENTS_OF_A_TRACE, now - 60, now - 1)
    return [document for trace in made for document in trace]


def _put(xray: Any, put: Sequence[str]) -> float:
    """Return the seconds that boto3 needs for documents one call after the other."""
    begun = time.monotonic()
    for batch in documents.batches(put, _BATCH):
        refused = xray.put_trace_segments(TraceSegmentDocuments=list(batch))["UnprocessedTraceSegments"]
        if refused:
            message = f"X-Ray refuses a segment: {refused[0]}"
            raise RuntimeError(message)
    return time.monotonic() - begun


def _counted(xray: Any) -> int:
    """Return how many segments of whole traces X-Ray has: each such trace is one call of the frontend on its map."""
    now = time.time()
    graph = xray.get_service_graph(StartTime=now - _LOOK_BACK, EndTime=now + 1)
    services = [service for service in graph["Services"] if service["Type"] != "client"]
    calls = sum(edge["SummaryStatistics"]["TotalCount"] for service in services for edge in service["Edges"])
    return documents.SEGMENTS_OF_A_TRACE * int(calls)


class _Daemon:
    """A daemon that runs, and how many segments it says X-Ray has taken."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.taken = 0
        self.told_at = time.monotonic()
        self.ready, self.changed = threading.Event(), threading.Condition()
        threading.Thread(target=self._read, name="daemon's log", daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout  # noqa: S101 - for the type checker
        for line in self.process.stdout:
            if "Starting proxy" in line:
                self.ready.set()
            if found := _SENT.search(line):
                with self.changed:
                    self.taken += int(found[1])
                    self.told_at = time.monotonic()
                    self.changed.notify()


@contextmanager
def _daemon(instance: Instance, port: int) -> Iterator[_Daemon]:
    flags = {
        "--region": REGION,
        "--bind": f"{_HERE}:{port}",
        "--bind-tcp": f"{_HERE}:0",
        "--log-level": "info",
        "--buffer-memory": str(_BUFFER_MB),
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "localaws.programs.xray_daemon", *chain.from_iterable(flags.items())],
        env={"PATH": os.defpath, "PYTHONPATH": str(_REPOSITORY), **instance.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        daemon = _Daemon(process)
        try:
            if not daemon.ready.wait(_READY_SECONDS):
                message = f"the X-Ray daemon was not ready after {_READY_SECONDS:.0f} s"
                raise RuntimeError(message)
            yield daemon
        finally:
            process.kill()


def _send(instance: Instance, sent: Sequence[str], pace: float) -> tuple[int, float]:
    """Send documents to a new daemon; return how many were lost, and the seconds until the last one was taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((_HERE, 0))
        port = udp.getsockname()[1]
    with _daemon(instance, port) as daemon, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        begun = daemon.told_at = time.monotonic()
        for number, document in enumerate(sent):
            if number % _BURST == 0 and (ahead := begun + number / pace - time.monotonic()) > 0:
                time.sleep(ahead)
            udp.sendto(_HEADER + document.encode(), (_HERE, port))
        with daemon.changed:
            while daemon.taken < len(sent) and daemon.changed.wait(_SILENCE):
                pass
        return len(sent) - daemon.taken, daemon.told_at - begun
