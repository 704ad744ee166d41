"""Gathers what the page of a review shows."""

from traces.fetch import XRay
from traces.ranges import Range
from traces.report import Review


def gather(xray: XRay, title: str, asked: Range, *, expression: str = "", details: int = 0) -> Review:
    """Read the map, the traces that a filter lets pass, and the newest `details` of them in detail.

    Raises `ReviewError` where nothing can be read, `RequestError` where X-Ray refuses the filter expression.
    """
    shown, listed = xray.service_map(asked), xray.summaries(asked, expression)
    wanted = [summary.id for summary in listed.value[:details]]
    detailed = xray.traces(wanted) if wanted else None
    return Review(
        title=title,
        map=shown.value,
        traces=listed.value,
        details={trace.id: trace for trace in detailed.value} if detailed else {},
        notes=(*shown.missing, *listed.missing, *(detailed.missing if detailed else ())),
    )
