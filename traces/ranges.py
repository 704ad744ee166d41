"""Ranges of time as people write them, read in the zone of whoever writes.

A range is in whole seconds since the epoch, for X-Ray's API takes no smaller ones.
"""

import math
import re
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from traces.errors import RequestError

DEFAULT_DURATION = "10m"
KEPT_DAYS = 30  # X-Ray keeps traces and graphs that long

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,9})([smhd])")
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
_DURATION_FORMS = "a number and s, m, h or d, such as 30s, 10m, 6h or 2d"
_MOMENT_FORMS = "14:05, 14:05:30, 2026-03-31T14:05, 2026-03-31T12:05:00Z, -30m or now"


class Range(NamedTuple):
    """From `start` until just before `end`, in whole seconds since the epoch."""

    start: int
    end: int

    def __str__(self) -> str:
        start, end = (datetime.fromtimestamp(at, UTC).astimezone() for at in self)
        return f"{start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S %Z}"


def spoken(since: str | None, until: str | None, last: str | None, now: datetime) -> Range:
    """Return the range between two moments, or of a duration up to `until` (else `now`).

    `now` is in the zone of this process, which is the reader's. Raises `RequestError` for what is no time, or no range
    that X-Ray could answer.
    """
    if since and last:
        raise RequestError("--since and --last exclude each other: both say where the range starts.")
    end = _moment("--until", until, now) if until else now
    start = _moment("--since", since, now) if since else end - _duration("--last", last or DEFAULT_DURATION)
    told = f"{since or f'{last or DEFAULT_DURATION} before'} to {until or 'now'}"
    return _checked(start, end, now, told)


def pair(option: str, text: str, now: datetime) -> Range:
    """Return the range written ``FROM..TO``. Raises `RequestError` as `spoken` does."""
    since, dots, until = text.partition("..")
    if not (since and dots and until):
        message = f"{option}: '{text}' is no range. Write FROM..TO, such as 14:05..14:15 or -30m..-20m."
        raise RequestError(message)
    return _checked(_moment(option, since, now), _moment(option, until, now), now, text)


def _checked(start: datetime, end: datetime, now: datetime, told: str) -> Range:
    if start >= now:
        raise RequestError(f"The range {told} lies in the future: it starts at {start:%Y-%m-%d %H:%M:%S %Z}.")
    if start >= end:
        message = f"The range {told} ends before it starts: {start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S %Z}."
        raise RequestError(message)
    if now - start > timedelta(days=KEPT_DAYS):
        message = (
            f"The range {told} starts at {start:%Y-%m-%d %H:%M %Z}, and X-Ray keeps only the last {KEPT_DAYS} days."
        )
        raise RequestError(message)
    # Both ends rounded the same way: ranges that meet must not overlap.
    first = math.ceil(start.timestamp())
    return Range(first, max(first + 1, math.ceil(min(end, now).timestamp())))


def _duration(option: str, text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if not match or not int(match[1]):
        raise RequestError(f"{option}: '{text}' is no duration. Write {_DURATION_FORMS}.")
    seconds = int(match[1]) * _SECONDS[match[2]]
    if seconds > KEPT_DAYS * _SECONDS["d"]:
        raise RequestError(f"{option}: '{text}' is too long. X-Ray keeps only the last {KEPT_DAYS} days.")
    return timedelta(seconds=seconds)


def _moment(option: str, text: str, now: datetime) -> datetime:
    if text == "now":
        return now
    if text.startswith("-") and _DURATION.fullmatch(text[1:]):
        return now - _duration(option, text[1:])
    try:
        if _CLOCK.fullmatch(text):
            return _last_time(time.fromisoformat(text if text[1] != ":" else f"0{text}"), now)
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise RequestError(f"{option}: '{text}' is no time. Write {_MOMENT_FORMS}.") from error


def _last_time(clock: time, now: datetime) -> datetime:
    """Return when the reader's clock last showed it: yesterday, if it has yet to do so today."""
    today = datetime.combine(now.date(), clock)
    latest = today if today <= now.replace(tzinfo=None) else today - timedelta(days=1)
    return latest.astimezone()
