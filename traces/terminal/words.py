"""What all views say in the same way: durations, rates, shares, times, and how responses ended."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.text import Text

from traces.model import State, Statistics

# The console's colours, and a letter for those who see none.
STYLE: dict[State, str] = {"ok": "green", "error": "yellow", "throttle": "magenta", "fault": "red"}
LETTER: dict[State, str] = {"ok": "█", "error": "E", "throttle": "T", "fault": "F"}
HEADING: dict[State, str] = {"ok": "OK", "error": "4xx", "throttle": "429", "fault": "5xx"}
WORD: dict[State, str] = {"ok": "OK", "error": "error", "throttle": "throttled", "fault": "fault"}

WIDE = 110  # columns from which a view takes the room for what is only pleasant


def duration(seconds: float | None) -> str:
    """``0.42 ms``, ``8.3 ms``, ``83 ms``, ``1.24 s``, ``95 s``; ``-`` where there is none."""
    if seconds is None:
        return "-"
    if not seconds:
        return "0 ms"
    milliseconds = seconds * 1000
    if milliseconds < 9.995:  # noqa: PLR2004 - here and below: where rounding reaches the next form
        return f"{_trimmed(milliseconds)} ms"
    if milliseconds < 999.5:  # noqa: PLR2004
        return f"{milliseconds:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 59.995 else f"{seconds:.0f} s"  # noqa: PLR2004


def _trimmed(number: float) -> str:
    """Return two digits that count: 0.42, 8.3."""
    return f"{number:.2f}" if number < 0.995 else f"{number:.1f}"  # noqa: PLR2004


def exact(seconds: float) -> str:
    """Return a round duration as it is: ``0.2 ms``, ``5 ms``, ``1.5 s``."""
    return f"{seconds * 1000:.4g} ms" if seconds < 1 else f"{seconds:.4g} s"


def rate(per_minute: float) -> str:
    """``0.03``, ``4.0``, ``66.0``, ``1234``."""
    if per_minute < 0.095:  # noqa: PLR2004
        return f"{per_minute:.2f}"
    return f"{per_minute:.1f}" if per_minute < 999.5 else f"{per_minute:.0f}"  # noqa: PLR2004


def share(part: float, whole: float) -> str:
    """Return a share in percent that is neither 0 nor 100 unless it is: ``12%``, ``<1%``, ``>99%``; ``-`` for none."""
    if not part or not whole:
        return "-"
    percent = 100 * part / whole
    if percent < 1:
        return "<1%"
    return f"{percent:.0f}%" if percent >= 100 or percent <= 99 else ">99%"  # noqa: PLR2004


def age(seconds: float) -> str:
    """``12s``, ``3m``, ``2h``, ``4d``."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size:.0f}{unit}"
    return f"{max(0, seconds):.0f}s"


def moment(at: float) -> datetime:
    """Return the time in the reader's zone."""
    return datetime.fromtimestamp(at, UTC).astimezone()


def span(start: float, end: float) -> str:
    """``2026-03-31 14:05:00 to 14:15:00 CEST (10 min)``."""
    first, last = moment(start), moment(end)
    until = f"{last:%H:%M:%S %Z}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S %Z}"
    return f"{first:%Y-%m-%d %H:%M:%S} to {until} ({_length(end - start)})"


def _length(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and not seconds % size):
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} s"


def counts(statistics: Statistics) -> Iterator[tuple[State, int]]:
    """Yield how many responses ended in each way."""
    yield "ok", statistics.ok
    yield "error", statistics.error
    yield "throttle", statistics.throttle
    yield "fault", statistics.fault


def shares(statistics: Statistics) -> list[Text]:
    """Return the four shares, for the columns of `HEADING`."""
    return [
        Text(share(number, statistics.total), style=STYLE[state] if number else "dim")
        for state, number in counts(statistics)
    ]


def bar(statistics: Statistics, width: int) -> Text:
    """Return a bar of shares, in colours and letters; what is there at all gets a letter at least."""
    total = statistics.total or 1
    trouble = {state: number for state, number in counts(statistics) if state != "ok" and number}
    cells = {state: max(1, round(width * number / total)) for state, number in trouble.items()}
    drawn = Text(LETTER["ok"] * max(0, width - sum(cells.values())), style=STYLE["ok"]) if statistics.ok else Text()
    for state, number in cells.items():
        drawn.append(LETTER[state] * number, style=STYLE[state])
    drawn.truncate(width)
    return drawn
