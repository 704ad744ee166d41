"""Reads X-Ray for any range of time: split to the API's limits, side by side, all pages, and what is missing is told.

Sources: the X-Ray API reference (GetServiceGraph, GetTraceSummaries, BatchGetTraces); limits that it does not tell
are marked.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from traces import answers, documents
from traces.calling import WORKERS, Caller, RefusedError, connect, side_by_side
from traces.errors import RequestError, ReviewError
from traces.model import ServiceMap, Trace, TraceSummary
from traces.ranges import Range

_T = TypeVar("_T")

GRAPH_WINDOW_SECONDS = 6 * 3600  # what a call answers at most, by its error message
SUMMARIES_WINDOW_SECONDS = 24 * 3600  # likewise, by what other clients keep to
BATCH_LIMIT = 5  # traces a call
MOST_TRACES = 10_000  # summaries read unless told otherwise; some 20 s from the embedded AWS

# A page token may expire, or come from a server that was replaced meanwhile: then all pages are read again.
_READINGS = 3
_MINUTE = 60

Progress = Callable[[str, int, int], None]  # what is read, calls (or chains of them) done, of how many


@dataclass(frozen=True, kw_only=True)
class Fetched(Generic[_T]):
    """What was read, and a sentence for each thing that could not be."""

    value: _T
    missing: tuple[str, ...] = ()


class XRay:
    """Reads the X-Ray of one account and region. All reads raise `ReviewError` where nothing at all can be read."""

    def __init__(self, caller: Caller, progress: Progress = lambda _what, _done, _of: None) -> None:
        self._caller = caller
        self._progress = progress

    @classmethod
    def of(cls, region: str, progress: Progress = lambda _what, _done, _of: None) -> "XRay":
        """With the ordinary credential chain."""
        return cls(Caller(connect(region)), progress)

    def service_map(self, asked: Range) -> Fetched[ServiceMap]:
        """GetServiceGraph of the range; numbers of several windows are added up."""
        windows = _windows(asked, GRAPH_WINDOW_SECONDS)
        read, missing = self._each("service map", windows, self._window_of_map)
        return Fetched(value=answers.merged(read, asked.start, asked.end), missing=missing)

    def summaries(
        self, asked: Range, expression: str = "", most: int = MOST_TRACES
    ) -> Fetched[tuple[TraceSummary, ...]]:
        """GetTraceSummaries of the range, newest first; of more than `most`, the newest.

        Runs of this program are among them only where an `expression` asks for them: they are no traffic.
        Raises `RequestError` where X-Ray refuses the filter expression.
        """
        width = min(SUMMARIES_WINDOW_SECONDS, max(_MINUTE, math.ceil((asked.end - asked.start) / WORKERS)))
        windows = _windows(asked, width)[::-1]
        found = dict.fromkeys(windows, 0)  # traces read so far in each, the newest first

        def read(window: Range) -> list[dict[str, Any]]:
            newer = windows[: windows.index(window)]

            # X-Ray answers backwards from the end of a window: what is still to come is older than all these.
            def enough(pages: Sequence[Mapping[str, Any]]) -> bool:
                found[window] = sum(len(page.get("TraceSummaries", ())) for page in pages)
                return found[window] + sum(found[one] for one in newer) > most

            return self._pages("GetTraceSummaries", _parameters(window, expression), enough)

        try:
            chains, missing = self._each("traces", windows, read)
        except RefusedError as error:
            if expression:
                raise RequestError(f"X-Ray refuses the filter '{expression}': {error.reason}") from error
            raise
        by_id = {
            summary["Id"]: summary for pages in chains for page in pages for summary in page.get("TraceSummaries", ())
        }
        read_all = map(answers.trace_summary, by_id.values())
        wanted = (trace for trace in read_all if expression or not trace.is_run)
        newest = sorted(wanted, key=lambda trace: trace.start, reverse=True)
        if len(newest) > most or any(pages[-1].get("NextToken") for pages in chains):
            missing += (f"only the newest {most} traces were read: ask for less time, or filter",)
        return Fetched(value=tuple(newest[:most]), missing=missing)

    def traces(self, ids: Sequence[str]) -> Fetched[tuple[Trace, ...]]:
        """BatchGetTraces, in the order asked for; traces that X-Ray does not have are told as missing."""
        wanted = list(dict.fromkeys(ids))
        batches = [wanted[start : start + BATCH_LIMIT] for start in range(0, len(wanted), BATCH_LIMIT)]
        outcomes = side_by_side([partial(self._batch, batch) for batch in batches], self._told("traces", len(batches)))
        failures = [outcome for outcome in outcomes if isinstance(outcome, ReviewError)]
        if outcomes and len(failures) == len(outcomes):
            raise failures[0]
        found: dict[str, Trace] = {}
        missing: list[str] = []
        for batch, outcome in zip(batches, outcomes, strict=True):
            if isinstance(outcome, ReviewError):
                missing.append(f"{len(batch)} traces ({', '.join(batch)}): {outcome}")
            else:
                found |= {trace.id: trace for trace in outcome.value}
                missing += outcome.missing
        return Fetched(value=tuple(found[one] for one in wanted if one in found), missing=tuple(missing))

    def _window_of_map(self, window: Range) -> ServiceMap:
        pages = self._pages("GetServiceGraph", _parameters(window))
        return answers.service_map(
            [service for page in pages for service in page.get("Services", ())], window.start, window.end
        )

    def _batch(self, ids: Sequence[str]) -> Fetched[list[Trace]]:
        """Read at most `BATCH_LIMIT` traces; those that X-Ray leaves unprocessed are asked for again."""
        received: list[Mapping[str, Any]] = []
        pending = list(ids)
        for _ in range(_READINGS):
            pages = self._pages("BatchGetTraces", {"TraceIds": pending})
            received += [trace for page in pages for trace in page.get("Traces", ())]
            pending = [one for page in pages for one in page.get("UnprocessedTraceIds", ())]
            if not pending:
                break
        missing = [f"trace {one}: X-Ray left it unprocessed, time and again" for one in pending]
        found: list[Trace] = []
        for one in ids:
            if one not in pending:
                trace, lacking = _detail(one, [part for part in received if part["Id"] == one])
                found += [trace] if trace else []
                missing += [f"trace {one}: {what}" for what in lacking]
        return Fetched(value=found, missing=tuple(missing))

    def _each(
        self, what: str, windows: Sequence[Range], read: Callable[[Range], _T]
    ) -> tuple[list[_T], tuple[str, ...]]:
        """Read all windows; return what could be read, and a sentence for each window that could not."""
        outcomes = side_by_side([partial(read, window) for window in windows], self._told(what, len(windows)))
        failures = [
            (window, got) for window, got in zip(windows, outcomes, strict=True) if isinstance(got, ReviewError)
        ]
        if len(failures) == len(windows):
            raise failures[0][1]
        missing = tuple(f"{what} of {window}: {error}" for window, error in failures)
        return [outcome for outcome in outcomes if not isinstance(outcome, ReviewError)], missing

    def _told(self, what: str, of: int) -> Callable[[int], None]:
        self._progress(what, 0, of)
        return lambda done: self._progress(what, done, of)

    def _pages(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        enough: Callable[[Sequence[Mapping[str, Any]]], bool] = lambda _pages: False,
    ) -> list[dict[str, Any]]:
        """Read all pages of an answer, or as many as are `enough`."""
        why = ""
        for _ in range(_READINGS):
            try:
                return self._chain(operation, parameters, enough)
            except _TokenRefusedError as error:
                why = str(error)
        raise ReviewError(f"X-Ray does not accept its own page tokens for {operation}: {why}")

    def _chain(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        enough: Callable[[Sequence[Mapping[str, Any]]], bool],
    ) -> list[dict[str, Any]]:
        pages = [self._caller.call(operation, **parameters)]
        seen: set[str] = set()
        while not enough(pages) and (token := pages[-1].get("NextToken")):
            if token in seen:
                raise _TokenRefusedError("the same page was named as the next one twice")
            seen.add(token)
            try:
                pages.append(self._caller.call(operation, **parameters, NextToken=token))
            except RefusedError as error:
                raise _TokenRefusedError(error.reason) from error
        return pages


class _TokenRefusedError(Exception):
    """X-Ray does not know the page token that it gave."""


def _windows(asked: Range, seconds: int) -> list[Range]:
    """Split a range into windows of at most so many seconds, cut at whole minutes: X-Ray counts by the minute."""
    windows = []
    start = asked.start
    while asked.end - start > seconds:
        cut = (start + seconds) // _MINUTE * _MINUTE
        windows.append(Range(start, cut))
        start = cut
    return [*windows, Range(start, asked.end)]


def _parameters(window: Range, expression: str = "") -> dict[str, Any]:
    times = {"StartTime": window.start, "EndTime": window.end}
    return {**times, "FilterExpression": expression} if expression else times


def _detail(trace_id: str, parts: Sequence[Mapping[str, Any]]) -> tuple[Trace | None, list[str]]:
    """Join what the pages hold of one trace, and tell what of it is missing."""
    texts = [segment.get("Document", "") for part in parts for segment in part.get("Segments", ())]
    if not texts:
        return None, ["X-Ray does not have it"]
    readable = documents.readable(texts)
    limit_exceeded = any(part.get("LimitExceeded") for part in parts)
    missing = ["X-Ray dropped segments of it, for it is too large"] if limit_exceeded else []
    if len(readable) < len(texts):
        missing.append(f"{len(texts) - len(readable)} of its {len(texts)} documents cannot be read")
    duration = parts[0].get("Duration")
    return documents.trace(trace_id, readable, duration=duration, limit_exceeded=limit_exceeded), missing
