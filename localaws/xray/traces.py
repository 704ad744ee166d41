"""The calls that bring segments in, and give traces, their summaries, graphs and statistics."""

import base64
import json
from collections.abc import Callable, Iterator

from localaws.xray import documents, graph, groups
from localaws.xray.context import Context, Given, one_page, times, unknown_token
from localaws.xray.errors import invalid
from localaws.xray.expressions import ExpressionError, parse_selector
from localaws.xray.store import Reading, TraceRow
from localaws.xray.summaries import summary
from localaws.xray.trace import Part, Trace, assemble

_MOST_IDS = 5
_GRAPH_HOURS = 6
_SUMMARIES_HOURS = 24  # not documented; what other clients of X-Ray keep to
_PAGE = 100  # summaries
_SCANNED = 1_000  # traces that a page looks at, be they summarised or not
_PERIODS = (60, 300, 900, 3600)  # seconds; X-Ray's are not documented
_TOO_LARGE = "Trace Size Exceeded. Reduce the number of segments per trace and the size of your segment documents."


def put_trace_segments(context: Context, given: Given) -> Given:
    """PutTraceSegments: keep what is valid, and tell what is not."""
    taken = []
    unprocessed = []
    for text in given["TraceSegmentDocuments"]:
        try:
            taken.append(documents.received(text, context.now))
        except documents.UnprocessedError as error:
            unprocessed.append(error.told())
    refused = context.store.put(context.scope, taken, context.now)
    unprocessed += [documents.UnprocessedError(one.id, "InvalidSegment", _TOO_LARGE).told() for one in refused]
    return {"UnprocessedTraceSegments": unprocessed}


def put_telemetry_records(_context: Context, _given: Given) -> Given:
    """PutTelemetryRecords: no call gives them back, so they are not kept."""
    return {}


def get_trace_summaries(context: Context, given: Given) -> Given:
    """GetTraceSummaries, newest first; a page may be short, or empty, with more to come where a filter is narrow.

    By TraceId, the range is that of the start of traces; by Event, of all that they did; by Service, of the end of
    segments. All traces are given whether sampling is asked for or not.
    """
    start, end = times(given, _SUMMARIES_HOURS)
    found: list[Given] = []
    rows: list[TraceRow] = []
    kind = _range_type(given)
    with context.store.reading() as reading:
        met = groups.condition(context, reading, {}, given.get("FilterExpression") or "")
        more = False
        for row in _in_range(context, reading, given, start, end):
            more = len(rows) == _SCANNED or len(found) == _PAGE
            if more:
                break
            rows.append(row)
            trace = assemble(row.id, reading.documents(row))
            if (kind != "Service" or _ends_within(trace, start, end)) and met(trace):
                event = {"MatchedEventTime": min(row.end, end)} if kind == "Event" else {}
                found.append({**summary(trace, row, context.place), **event})
    answer: Given = {
        "TraceSummaries": found,
        "ApproximateTime": int(rows[-1].start if rows else start),
        "TracesProcessedCount": len(rows),
    }
    if more:
        answer["NextToken"] = _encoded(rows[-1])
    return answer


def batch_get_traces(context: Context, given: Given) -> Given:
    """BatchGetTraces: traces in the order asked for; those that aren't there are told as unprocessed."""
    if given.get("NextToken"):
        raise invalid("NextToken is currently not supported")
    found = {}
    with context.store.reading() as reading:
        for row in reading.named(context.scope, _ids(given)):
            found[row.id] = {
                "Id": row.id,
                "Duration": row.duration,
                "LimitExceeded": row.exceeded,
                "Segments": _segments(assemble(row.id, reading.documents(row))),
            }
    missing = [one for one in _ids(given) if one not in found]
    return {"Traces": [found[one] for one in _ids(given) if one in found], "UnprocessedTraceIds": missing}


def get_trace_graph(context: Context, given: Given) -> Given:
    """GetTraceGraph."""
    one_page(given)
    with context.store.reading() as reading:
        rows = reading.named(context.scope, _ids(given))
        traces = [assemble(row.id, reading.documents(row)) for row in rows]
    return {"Services": graph.services(traces, context.place, float("-inf"), float("inf"))}


def get_service_graph(context: Context, given: Given) -> Given:
    """GetServiceGraph, always in one page."""
    start, end = times(given, _GRAPH_HOURS)
    one_page(given)
    with context.store.reading() as reading:
        traces = _met(context, reading, given, start, end)
        services = graph.services(traces, context.place, start, end)
    return {"StartTime": start, "EndTime": end, "Services": services, "ContainsOldGroupVersions": False}


def get_time_series_service_statistics(context: Context, given: Given) -> Given:
    """GetTimeSeriesServiceStatistics: one entry for each period in which there was something to count."""
    start, end = times(given, _GRAPH_HOURS)
    one_page(given)
    period = given.get("Period") or _PERIODS[0]
    if period not in _PERIODS:
        raise invalid(f"Period must be one of {', '.join(map(str, _PERIODS))} seconds, not {period}.")
    counted, kind = _counted(context, given.get("EntitySelectorExpression") or "")
    with context.store.reading() as reading:
        traces = _met(context, reading, given, start, end)
        tallies = graph.series(traces, period, start, end, counted)
    entries = [
        {"Timestamp": at, kind: tally.statistics, "ResponseTimeHistogram": tally.entries}
        for at, tally in tallies.items()
    ]
    return {"TimeSeriesServiceStatistics": entries, "ContainsOldGroupVersions": False}


def _counted(context: Context, expression: str) -> tuple[Callable[[Trace], Iterator[Part]], str]:
    """Return what finds the responses that an entity selector means, and the kind of statistics they make."""
    if not expression:
        return lambda trace: (call.record for call in trace.calls), "EdgeSummaryStatistics"
    try:
        source, target = parse_selector(expression, context.place.account)
    except ExpressionError as error:
        raise invalid(f"Invalid entity selector expression: {error}") from error
    if target is None:
        own = lambda trace: (part for part in trace.responses if source.fits(part.service))  # noqa: E731
        return own, "ServiceSummaryStatistics"
    between = lambda trace: (  # noqa: E731
        call.record for call in trace.calls if source.fits(call.source) and target.fits(call.target)
    )
    return between, "EdgeSummaryStatistics"


def _met(context: Context, reading: Reading, given: Given, start: float, end: float) -> Iterator[Trace]:
    """Yield the traces of a range that belong to the group that a call names."""
    met = groups.condition(context, reading, given)
    for row in reading.active(context.scope, start, end):
        trace = assemble(row.id, reading.documents(row))
        if met(trace):
            yield trace


def _in_range(context: Context, reading: Reading, given: Given, start: float, end: float) -> Iterator[TraceRow]:
    before = _decoded(given)
    if _range_type(given) == "TraceId":
        return reading.traces(context.scope, start, end, before=before)
    ended = reading.traces(context.scope, start, float("inf"), by="end", before=before)
    return (row for row in ended if row.start < end)


def _ends_within(trace: Trace, start: float, end: float) -> bool:
    return any(segment.end is not None and start <= segment.end < end for segment in trace.segments)


def _segments(trace: Trace) -> list[Given]:
    """Return the documents of a trace, with the subsegments that came on their own in their places."""
    documents_of_all = [*(segment.document for segment in trace.segments), *trace.orphans]
    return [{"Id": document["id"], "Document": json.dumps(document)} for document in documents_of_all]


def _range_type(given: Given) -> str:
    return given.get("TimeRangeType") or "TraceId"


def _ids(given: Given) -> list[str]:
    ids = list(dict.fromkeys(given["TraceIds"]))
    if not ids:
        raise invalid("TraceIds must name at least one trace")
    if len(ids) > _MOST_IDS:
        raise invalid(f"Exceeding maximum query size: {_MOST_IDS}")
    return ids


def _encoded(row: TraceRow) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.start, row.end, row.key]).encode()).decode()


def _decoded(given: Given) -> tuple[float, int] | None:
    token = given.get("NextToken")
    if not token:
        return None
    try:
        start, end, key = json.loads(base64.urlsafe_b64decode(token))
        return float(start if _range_type(given) == "TraceId" else end), int(key)
    except (ValueError, TypeError) as error:
        raise unknown_token() from error
