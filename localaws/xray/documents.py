"""Segment documents as they come in: what X-Ray takes, and why it leaves the rest unprocessed.

Sources: the X-Ray developer guide, "X-Ray segment documents", and the API reference of PutTraceSegments. Codes and
texts are those seen in public reports where there is one (MissingId, InvalidTraceId, InvalidName, MissingEndTime,
MissingTraceId, InvalidSegment), and made after them where there is none.

How old a document may be is told by its `start_time` alone: since OpenTelemetry's ids are random, X-Ray does not look
at the time within a trace id ("not required or validated").
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Never

LARGEST_BYTES = 64 * 1024
OLDEST_SECONDS = 30 * 86_400
_AHEAD_SECONDS = 300  # how far a sender's clock may be ahead; AWS tells no number
_LONGEST_NAME = 200
_LATEST = 253_402_300_800  # the year 10000: later ones are no seconds

_ID = re.compile(r"[0-9a-fA-F]{16}")
_TRACE_ID = re.compile(r"1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}")
_NAME = re.compile(r"[\w\s.:/%&#=+\\\-@]+")


@dataclass(frozen=True, slots=True)
class Received:
    """A document that X-Ray takes. Times in seconds since the epoch."""

    trace_id: str
    id: str
    text: str
    size: int  # bytes
    start: float  # the earliest of it
    end: float  # the last time that it tells of, be it of a subsegment
    in_progress: bool


class UnprocessedError(Exception):
    """Why X-Ray does not take a document."""

    def __init__(self, segment: str | None, code: str, message: str = "") -> None:
        super().__init__(code)
        self.segment = segment
        self.code = code
        self.message = message or f"Invalid segment. ErrorCode: {code}"

    def told(self) -> dict[str, str]:
        """Return the entry of UnprocessedTraceSegments; without an Id where the document has none."""
        named = {"Id": self.segment} if self.segment else {}
        return {**named, "ErrorCode": self.code, "Message": self.message}


def received(text: str, now: float) -> Received:
    """Read a document.

    Raises:
        UnprocessedError: X-Ray does not take it.

    """
    document, size = _parsed(text)
    segment = document.get("id")
    if segment is None:
        raise UnprocessedError(None, "MissingId")
    if not isinstance(segment, str) or not _ID.fullmatch(segment):
        raise UnprocessedError(str(segment), "InvalidId")
    if size > LARGEST_BYTES:
        raise UnprocessedError(segment, "InvalidSegment", f"Segment of {size} bytes: the limit is {LARGEST_BYTES}.")
    for problem in _problems(document, now):
        raise UnprocessedError(segment, problem)
    end = _end(document)
    for _, part in subsegments(document):
        for problem in _problems_of_subsegment(part):
            message = f"Invalid subsegment. ErrorCode: {problem}, Cause: null"
            raise UnprocessedError(segment, problem, message)
        end = max(end, _end(part))
    return Received(
        trace_id=document["trace_id"],
        id=segment,
        text=text,
        size=size,
        start=document["start_time"],
        end=end,
        in_progress=document.get("end_time") is None,
    )


def subsegments(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield all subsegments within a document, however deep, each after what it stands in."""
    pending = [document]
    while pending:
        above = pending.pop()
        found = above.get("subsegments")
        for below in found if isinstance(found, list) else ():
            if isinstance(below, dict):
                yield above, below
                pending.append(below)


def _parsed(text: str) -> tuple[dict[str, Any], int]:
    """Return what a document says, and its bytes."""
    try:
        document, size = json.loads(text, parse_constant=_refuse_constant), len(text.encode())
    except (ValueError, RecursionError):
        raise UnprocessedError(None, "ParseError") from None
    return document if isinstance(document, dict) else {}, size


def _refuse_constant(name: str) -> Never:
    raise ValueError(name)  # NaN and Infinity, which JSON does not have


def _problems(document: dict[str, Any], now: float) -> Iterator[str]:
    """Yield the codes of what is wrong with a document that was sent on its own."""
    trace_id = document.get("trace_id")
    if trace_id is None:
        yield "MissingTraceId"
    elif not isinstance(trace_id, str) or not _TRACE_ID.fullmatch(trace_id):
        yield "InvalidTraceId"
    parent = document.get("parent_id")
    if parent is None:
        if document.get("type") == "subsegment":
            yield "MissingParentId"
    elif not isinstance(parent, str) or not _ID.fullmatch(parent):
        yield "InvalidParentId"
    yield from _problems_of_any(document)
    if document["start_time"] < now - OLDEST_SECONDS:
        yield "InvalidTraceId"  # what the developer guide shows for a trace too far in the past
    if document["start_time"] > now + _AHEAD_SECONDS:
        yield "InvalidStartTime"


def _problems_of_subsegment(part: dict[str, Any]) -> Iterator[str]:
    part_id = part.get("id")
    if part_id is None:
        yield "MissingId"
    elif not isinstance(part_id, str) or not _ID.fullmatch(part_id):
        yield "InvalidId"
    yield from _problems_of_any(part)


def _problems_of_any(part: dict[str, Any]) -> Iterator[str]:
    """Yield the codes of what is wrong with a segment or subsegment, wherever it stands."""
    name = part.get("name")
    if name is None:
        yield "MissingName"
    elif not isinstance(name, str) or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        yield "InvalidName"
    start, end = part.get("start_time"), part.get("end_time")
    if start is None:
        yield "MissingStartTime"
    elif not _is_time(start):
        yield "InvalidStartTime"
    if end is None:
        if part.get("in_progress") is not True:
            yield "MissingEndTime"
    elif not _is_time(end) or end < start:
        yield "InvalidEndTime"


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LATEST


def _end(part: dict[str, Any]) -> float:
    end: float | None = part.get("end_time")
    start: float = part["start_time"]
    return start if end is None else end
