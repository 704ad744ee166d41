"""The segment documents of a trace, joined into the tree that they describe.

Source: the X-Ray developer guide, "X-Ray segment documents". A document tells the segment that called it by
`parent_id`, which may be in any document of the trace, and holds its subsegments, or has them sent on their own.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from traces.model import Segment, State, Trace


def readable(documents: Iterable[str]) -> list[Mapping[str, Any]]:
    """Parse documents as X-Ray sends them, JSON in strings; those that are no segments are left out."""
    return [parsed for parsed in map(_parsed, documents) if _is_segment(parsed)]


def trace(
    trace_id: str, documents: Iterable[Mapping[str, Any]], *, duration: float | None, limit_exceeded: bool
) -> Trace | None:
    """Join the readable documents of a trace; None where there are none. `duration` (seconds): what X-Ray told."""
    segments = _received(documents)
    if not segments:
        return None
    start = min(segment.start for segment in segments.values())
    end = max(segment.end or segment.start for segment in segments.values())
    return Trace(
        id=trace_id,
        start=start,
        duration=end - start if duration is None else duration,
        roots=_trees(segments),
        limit_exceeded=limit_exceeded,
    )


def _parsed(document: str) -> Any:
    try:
        return json.loads(document)
    except ValueError:
        return None


def _received(documents: Iterable[Mapping[str, Any]]) -> dict[str, Segment]:
    """Return all segments and subsegments by id, without their children."""
    found: dict[str, Segment] = {}
    for document in documents:
        for segment in _flat(document, str(document.get("parent_id", ""))):
            known = found.get(segment.id)
            # A segment may come twice, in progress and complete.
            if known is None or known.end is None:
                found[segment.id] = segment
    return found


def _is_segment(part: object) -> bool:
    return (
        isinstance(part, dict)
        and isinstance(part.get("id"), str)
        and isinstance(part.get("start_time"), (int, float))
        and isinstance(part.get("end_time"), (int, float, type(None)))
    )


def _flat(part: Mapping[str, Any], parent: str) -> Iterator[Segment]:
    yield _segment(part, parent)
    for below in part.get("subsegments") or ():
        if _is_segment(below):
            yield from _flat(below, part["id"])


def _segment(part: Mapping[str, Any], parent: str) -> Segment:
    http = _mapping(part.get("http"))
    request, response = _mapping(http.get("request")), _mapping(http.get("response"))
    status = response.get("status")
    return Segment(
        id=part["id"],
        parent=parent,
        name=str(part.get("name", "")),
        type=str(part.get("origin") or part.get("namespace") or ""),
        start=part["start_time"],
        end=part.get("end_time"),
        state=_state(part, status),
        method=str(request.get("method", "")),
        url=str(request.get("url", "")),
        status=status if isinstance(status, int) else None,
        inferred=part.get("inferred") is True,
        document={key: value for key, value in part.items() if key != "subsegments"},
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _state(part: Mapping[str, Any], status: object) -> State:
    """Envoy before about 1.16 sends none of the three flags; X-Ray then goes by the status, and so do we."""
    code = status if isinstance(status, int) else 0
    if part.get("fault") or code >= 500:  # noqa: PLR2004 - HTTP's own numbers
        return "fault"
    if part.get("throttle") or code == 429:  # noqa: PLR2004
        return "throttle"
    return "error" if part.get("error") or code >= 400 else "ok"  # noqa: PLR2004


def _trees(segments: Mapping[str, Segment]) -> tuple[Segment, ...]:
    """Roots are those whose parent was not received, and one of each circle of parents."""
    below: dict[str, list[Segment]] = {}
    for segment in sorted(segments.values(), key=lambda segment: segment.start):
        below.setdefault(segment.parent if segment.parent in segments else "", []).append(segment)
    placed: set[str] = set()

    def grown(segment: Segment) -> Segment:
        placed.add(segment.id)
        children = tuple(grown(child) for child in below.get(segment.id, ()) if child.id not in placed)
        return replace(segment, children=children)

    roots = [grown(root) for root in below.get("", ())]
    roots += [grown(segment) for segment in segments.values() if segment.id not in placed]
    return tuple(sorted(roots, key=lambda root: root.start))
