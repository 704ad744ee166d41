"""OpenTelemetry's spans as X-Ray's documents: the root is a segment, each other one a subsegment of its own.

Source: the X-Ray developer guide, "X-Ray segment documents" and "Quotas".
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import format_span_id, format_trace_id

DOCUMENTS_A_CALL = 50
MOST_BYTES = 450_000  # of a trace, of which X-Ray takes 500 kB; a document has at most 64 kB
_LONGEST_NAME = 200
_LONGEST_TEXT = 1000  # characters of what went wrong; all of it is in the journal
_REFUSED = re.compile(r"[^\w\s.:/%&#=+\\\-@]")
_SECOND = 1_000_000_000  # nanoseconds


class RefusedError(Exception):
    """X-Ray did not take the trace. The message says why."""


class XRayExporter(SpanExporter):
    """Sends to the X-Ray of an account and a region, with the ordinary credential chain."""

    def __init__(self, region: str) -> None:
        config = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
        self._client = boto3.client("xray", region_name=region, config=config)
        self._left = MOST_BYTES

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans, those that others are part of before them.

        Raises `RefusedError`, also after sending all that fits into a trace, where that is not all.
        """
        documents = [json.dumps(document(span)) for span in spans]
        fitting = [text for text in documents if self._fits(text)]
        for start in range(0, len(fitting), DOCUMENTS_A_CALL):
            self._put(fitting[start : start + DOCUMENTS_A_CALL])
        if len(fitting) < len(documents):
            raise RefusedError(f"X-Ray takes traces of {MOST_BYTES // 1000} kB; what lies deepest was left out")
        return SpanExportResult.SUCCESS

    def _fits(self, text: str) -> bool:
        self._left -= len(text)
        return self._left >= 0

    def _put(self, documents: Sequence[str]) -> None:
        try:
            answer = self._client.put_trace_segments(TraceSegmentDocuments=list(documents))
        except (BotoCoreError, ClientError) as error:
            raise RefusedError(str(error)) from error
        for refused in answer.get("UnprocessedTraceSegments", ()):
            raise RefusedError(f"{refused.get('ErrorCode', '')} {refused.get('Message', '')}".strip())


def document(span: ReadableSpan) -> dict[str, Any]:
    """A segment or subsegment document. Annotations, of which X-Ray indexes 50 a trace, are the root's alone."""
    context, about = span.get_span_context(), dict(span.attributes or {})
    assert context and span.start_time is not None and span.end_time is not None  # noqa: S101, PT018 - it ended
    trace = format_trace_id(context.trace_id)
    told: dict[str, Any] = {
        "name": _REFUSED.sub("_", span.name)[:_LONGEST_NAME],
        "id": format_span_id(context.span_id),
        "trace_id": f"1-{trace[:8]}-{trace[8:]}",
        "start_time": span.start_time / _SECOND,
        "end_time": span.end_time / _SECOND,
    }
    if span.parent is None:
        told["annotations"] = about
    else:
        told |= {"type": "subsegment", "parent_id": format_span_id(span.parent.span_id)}
        told |= {"metadata": {"run": about}} if about else {}
    return told | _problem(span)


def _problem(span: ReadableSpan) -> dict[str, Any]:
    if span.status.is_ok or not span.status.description:
        return {}
    message = span.status.description[:_LONGEST_TEXT]
    exception = {"id": "0" * 16, "type": "failed", "message": message}
    return {"fault": True, "cause": {"exceptions": [exception]}}
