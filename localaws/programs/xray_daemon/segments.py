"""What the daemon does with segments, apart from any socket: reading a datagram, keeping what waits."""

import json
from collections import deque
from functools import lru_cache


class MalformedError(ValueError):
    """A datagram that is not a header line and a document; the message is the daemon's log line."""


def document_of(datagram: bytes) -> bytes:
    """Return the segment document of a datagram. Whether it is good JSON is X-Ray's to say.

    Raises:
        MalformedError: there is none, or the header is not that of a segment.

    """
    header, _, document = datagram.partition(b"\n")
    if not document:
        raise MalformedError(f"Missing header or segment: {header.decode('utf-8', 'replace')}")
    if not _is_valid(header):
        raise MalformedError(f"Invalid header: {header.decode('utf-8', 'replace')}")
    return document


@lru_cache(maxsize=8)
def _is_valid(header: bytes) -> bool:
    try:
        fields = json.loads(header)
    except ValueError:
        return False
    if not isinstance(fields, dict):
        return False
    version = fields.get("version")
    return str(fields.get("format")).lower() == "json" and type(version) is int and version == 1


class Ring:
    """Documents that wait, up to a number of bytes; the oldest make room for new ones."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._documents: deque[bytes] = deque()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._documents)

    def add(self, document: bytes) -> int:
        """Let a document wait; return how many had to go for it."""
        self._documents.append(document)
        self._bytes += len(document)
        dropped = 0
        while self._bytes > self._limit:
            self._pop()
            dropped += 1
        return dropped

    def take(self, most: int) -> list[bytes]:
        """Return the oldest documents, which wait no more."""
        return [self._pop() for _ in range(min(most, len(self)))]

    def _pop(self) -> bytes:
        document = self._documents.popleft()
        self._bytes -= len(document)
        return document
