"""Ranges of time as people write them, in the zone of the reader."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from traces import ranges
from traces.errors import RequestError
from traces.ranges import Range


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A reader in Berlin: UTC+2 in summer, UTC+1 in winter."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def now() -> datetime:
    """2026-06-30 14:20:30 in Berlin."""
    return datetime(2026, 6, 30, 12, 20, 30, tzinfo=UTC).astimezone()


def utc(day: int, hour: int, minute: int, second: int = 0, month: int = 6) -> int:
    return int(datetime(2026, month, day, hour, minute, second, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("since", "until", "last", "expected"),
    [
        (None, None, None, (utc(30, 12, 10, 30), utc(30, 12, 20, 30))),
        (None, None, "30s", (utc(30, 12, 20), utc(30, 12, 20, 30))),
        (None, None, "6h", (utc(30, 6, 20, 30), utc(30, 12, 20, 30))),
        (None, None, "2d", (utc(28, 12, 20, 30), utc(30, 12, 20, 30))),
        (None, "14:00", None, (utc(30, 11, 50), utc(30, 12, 0))),
        (None, "14:00", "1h", (utc(30, 11, 0), utc(30, 12, 0))),
        ("14:05", "14:15", None, (utc(30, 12, 5), utc(30, 12, 15))),
        ("9:05:30", None, None, (utc(30, 7, 5, 30), utc(30, 12, 20, 30))),
        ("22:00", "23:00", None, (utc(29, 20, 0), utc(29, 21, 0))),  # the clock has yet to show it today
        ("-30m", "-20m", None, (utc(30, 11, 50, 30), utc(30, 12, 0, 30))),
        ("2026-06-29T14:05", "2026-06-29T14:15", None, (utc(29, 12, 5), utc(29, 12, 15))),
        ("2026-06-29T14:05Z", "2026-06-29T14:15+00:00", None, (utc(29, 14, 5), utc(29, 14, 15))),
        ("14:05", "23:59:59", None, None),  # the end would be yesterday's
        ("14:05", "2026-07-01", None, (utc(30, 12, 5), utc(30, 12, 20, 30))),  # what has yet to come is cut off
    ],
)
def test_a_range_is_read_by_the_readers_clock(
    since: str | None, until: str | None, last: str | None, expected: tuple[int, int] | None
) -> None:
    """Clock times are the latest such time; durations go back from the end."""
    if expected is None:
        with pytest.raises(RequestError, match="ends before it starts"):
            ranges.spoken(since, until, last, now())
    else:
        assert Range(*expected) == ranges.spoken(since, until, last, now())


def test_a_time_in_winter_is_winter_time() -> None:
    """The zone's offset is that of the day asked for, not of today."""
    today = datetime(2026, 3, 30, 12, 0, tzinfo=UTC).astimezone()  # summer time since the 29th
    asked = ranges.spoken("2026-03-28T12:00", "2026-03-28T13:00", None, today)
    assert Range(utc(28, 11, 0, month=3), utc(28, 12, 0, month=3)) == asked


@pytest.mark.parametrize(
    ("since", "until", "last", "told"),
    [
        (None, None, "10", r"--last: '10' is no duration.*30s, 10m, 6h or 2d"),
        (None, None, "0m", "--last: '0m' is no duration"),
        (None, None, "-5m", "--last: '-5m' is no duration"),
        (None, None, "40d", "--last: '40d' is too long.*30 days"),
        (None, None, "999999999d", "--last: '999999999d' is too long"),
        ("yesterday", None, None, "--since: 'yesterday' is no time.*14:05.*-30m"),
        ("25:00", None, None, "--since: '25:00' is no time"),
        ("14:99", None, None, "--since: '14:99' is no time"),
        ("0001-01-01", None, None, "--since: '0001-01-01' is no time"),
        ("14:05", "noon", None, "--until: 'noon' is no time"),
        ("14:05", "14:05", None, "ends before it starts"),
        ("2027-01-01", None, None, "lies in the future"),
        ("2026-05-01", None, None, "keeps only the last 30 days"),
        ("14:05", None, "10m", "--since and --last exclude each other"),
    ],
)
def test_nonsense_is_told_with_the_forms_that_are_understood(
    since: str | None, until: str | None, last: str | None, told: str
) -> None:
    """One error, naming the option and the value."""
    with pytest.raises(RequestError, match=told):
        ranges.spoken(since, until, last, now())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:05..14:15", Range(utc(30, 12, 5), utc(30, 12, 15))),
        ("-30m..-20m", Range(utc(30, 11, 50, 30), utc(30, 12, 0, 30))),
        ("-10m..now", Range(utc(30, 12, 10, 30), utc(30, 12, 20, 30))),
        ("2026-06-29T12:05:00Z..2026-06-29T14:15", Range(utc(29, 12, 5), utc(29, 12, 15))),
    ],
)
def test_a_pair_of_times_is_a_range(text: str, expected: Range) -> None:
    """As `compare` takes them."""
    assert expected == ranges.pair("--before", text, now())


@pytest.mark.parametrize("text", ["", "14:05", "14:05..", "..14:15", "14:05-14:15", "-20m..-30m", "a..b"])
def test_what_is_no_pair_is_told(text: str) -> None:
    """With the option that it was given to."""
    with pytest.raises(RequestError, match=r"--before|ends before it starts"):
        ranges.pair("--before", text, now())


def test_ranges_that_meet_do_not_overlap() -> None:
    """Whatever the fraction of the second: nothing is on both sides of a comparison."""
    between = now().replace(microsecond=600_000)
    before, after = (ranges.pair("--before", text, between) for text in ("-10m..-5m", "-5m..now"))
    assert before.end == after.start
    assert after.end >= between.timestamp()


def test_a_range_has_a_second_at_least() -> None:
    """Rates are counts by time."""
    asked = ranges.spoken("2026-06-30T14:05:00.2", "2026-06-30T14:05:00.7", None, now())
    assert 1 == asked.end - asked.start


def test_a_range_reads_well() -> None:
    """As it stands in messages: in the reader's zone."""
    assert "2026-06-30 14:05:00 to 14:15:00 CEST" == str(Range(utc(30, 12, 5), utc(30, 12, 15)))
