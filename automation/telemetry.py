"""Spans on their way: to X-Ray, or by OTLP to where the standard variables (OTEL_EXPORTER_OTLP_…) say."""

import logging
import random
import threading
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Span as Made
from opentelemetry.trace import Status, StatusCode, set_span_in_context

from automation.spans import Span
from traces.model import RUN

PATIENCE = 5.0  # seconds that sending may take in all
BATCH = 512  # spans a request, as OpenTelemetry's own processor has it
_SECOND = 1_000_000_000  # nanoseconds


def send(root: Span, trace: str, *, to: str, region: str) -> str:
    """Send a tree of spans as the trace of that id (as X-Ray writes it); returns why it could not be, else "".

    `to` is xray or otlp.
    """
    remarks = _Remarks()
    logger = logging.getLogger("opentelemetry")
    logger.addHandler(remarks)  # else they would be told on stderr, one by one
    try:
        made = _made(root, int(trace.removeprefix("1-").replace("-", ""), 16))
        return _sent(made, to, region, remarks) if made else "OpenTelemetry is switched off by OTEL_SDK_DISABLED"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no failure of the run
        return str(error) or type(error).__name__
    finally:
        logger.removeHandler(remarks)


def _sent(made: Sequence[ReadableSpan], to: str, region: str, remarks: "_Remarks") -> str:
    """Send in a thread that is left alone when the time is up."""
    outcome: list[str] = []
    exporters: list[SpanExporter] = []

    def work() -> None:
        try:
            exporters.append(_exporter(to, region))
            for start in range(0, len(made), BATCH):
                if exporters[0].export(made[start : start + BATCH]) is not SpanExportResult.SUCCESS:
                    outcome.append(remarks.last or "it was refused")
                    return
            outcome.append("")
        except Exception as error:  # noqa: BLE001 - as above
            outcome.append(str(error) or type(error).__name__)

    thread = threading.Thread(target=work, name="the run's trace", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if outcome:
        return outcome[0]
    for exporter in exporters:
        exporter.shutdown()  # or it would go on trying
    return f"no answer within {PATIENCE:g} s" + (f" ({remarks.last})" if remarks.last else "")


def _exporter(to: str, region: str) -> SpanExporter:
    if to == "xray":
        from automation.xray_exporter import XRayExporter  # noqa: PLC0415 - either is loaded where it is used

        return XRayExporter(region)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return OTLPSpanExporter()


def _made(root: Span, trace: int) -> list[ReadableSpan]:
    """OpenTelemetry's spans, those that others are part of before them."""
    kept = _Kept()
    resource = Resource({"service.name": RUN}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, id_generator=_Ids(trace), shutdown_on_exit=False)
    provider.add_span_processor(kept)
    tracer = provider.get_tracer("ecs-tracing")
    contexts: dict[int, Context] = {}
    for above, span in root.levels():
        context = Context() if above is None else contexts[id(above)]
        made = tracer.start_span(span.name, context, start_time=int(span.began * _SECOND), attributes=dict(span.about))
        if span.problem:
            made.set_status(Status(StatusCode.ERROR, span.problem))
        contexts[id(span)] = set_span_in_context(made, Context())
        made.end(int(span.ended * _SECOND))
    return kept.spans


class _Ids(IdGenerator):
    """The trace's id is given; X-Ray wants the time in it, as AWS's own generator puts it."""

    def __init__(self, trace: int) -> None:
        self._trace = trace

    def generate_trace_id(self) -> int:
        return self._trace

    def generate_span_id(self) -> int:
        return random.getrandbits(64) or 1


class _Kept(SpanProcessor):
    """Keeps the spans that ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_start(self, span: Made, parent_context: Context | None = None) -> None:
        pass

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


class _Remarks(logging.Handler):
    """Keeps the last thing that OpenTelemetry logged."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage().partition(" encountered while exporting")[0].rstrip(".")
