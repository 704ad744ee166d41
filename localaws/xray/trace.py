"""A trace put together from its documents: who served what, who called whom, and how that went.

What makes an edge, and what its latency is. Sources: the X-Ray developer guide ("Segment documents", "Getting data"),
and what AWS's console showed for the workshop's mesh.

- A segment whose parent is a segment or subsegment makes an edge from the parent's service to its own. Where both are
  one service this is a self-edge, as the console shows it for Envoys before 1.22: they send two segments of one name,
  the request received and the request routed.
- Not so for an Envoy's egress below its own ingress (segments of one service, told apart by the annotation
  `direction`): the request left through the Envoy that it came in by. Such an egress is the service's own record of a
  call, as a subsegment is, so it is no response of the service either. It does count as one where it is all that X-Ray
  sees: without the ingress above, because the application did not forward the header (in the reference picture, 62 of
  the frontend's 95 traces a minute), and where no segment came back from the call, as when the other side is down.
- A segment without a parent, or whose parent was never received, is called by a client: a node of the type `client`
  with the name of the service that it calls.
- An edge tells of a call as the caller saw it, network included: by the subsegment or the egress that is the parent. A
  caller that only left a segment of its own work did not measure the call; then the called segment tells of it.
- A subsegment of the namespace `aws` or `remote` that no segment came back from stands for a service that sends no
  segments: an inferred segment, with an edge to it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from localaws.xray.documents import subsegments

CLIENT = "client"
REMOTE = "remote"

State = Literal["ok", "error", "throttle", "fault"]

# What a subsegment tells of the resource it called: the key under `aws`, and what it adds to the type of the service.
_RESOURCES = {
    "DynamoDB": ("table_name", "Table"),
    "SQS": ("queue_url", "Queue"),
    "S3": ("bucket_name", "Bucket"),
}
_TOO_MANY, _CLIENT_ERRORS, _SERVER_ERRORS = 429, range(400, 500), range(500, 600)


class Service(NamedTuple):
    """A node of the service graph."""

    name: str
    type: str  # the segment's origin, `CLIENT` or `REMOTE`; "" where the segment has no origin


@dataclass(slots=True, eq=False)
class Part:
    """A segment or a subsegment. Times in seconds since the epoch."""

    document: dict[str, Any]
    id: str
    name: str
    service: Service  # that of the segment, for a subsegment
    start: float
    end: float | None  # None: in progress
    parent_id: str
    is_segment: bool
    inferred: bool = False
    is_root: bool = False

    @property
    def duration(self) -> float | None:
        """Return the seconds that it took, to the microsecond, None while in progress."""
        return None if self.end is None else round(self.end - self.start, 6)

    @property
    def state(self) -> State:
        """Return how it ended: by its flags, or where it has none, as older Envoys, by the status of its response."""
        flags = self.document
        if not ("fault" in flags or "error" in flags or "throttle" in flags):
            return _state_of(self.http("response").get("status"))
        if flags.get("fault") is True:
            return "fault"
        if flags.get("throttle") is True:
            return "throttle"
        return "error" if flags.get("error") is True else "ok"

    @property
    def direction(self) -> object:
        """Return what Envoy says of which way the request went: ingress or egress."""
        return part_of(self.document, "annotations").get("direction")

    def http(self, side: str) -> Mapping[str, Any]:
        """Return what is told of the HTTP request, or response."""
        return part_of(part_of(self.document, "http"), side)


class Call(NamedTuple):
    """An edge of one trace."""

    source: Service
    target: Service
    record: Part  # what tells of the call, as the caller saw it if it looked


@dataclass(slots=True)
class Trace:
    """A trace; its segments are those received and those inferred."""

    id: str
    segments: list[Part] = field(default_factory=list)  # by start
    subsegments: list[Part] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    responses: list[Part] = field(default_factory=list)  # the segments that answer for a service
    parts: list[Part] = field(default_factory=list)  # the segments, then the subsegments
    root: Part | None = None  # the segment that the trace begins with
    orphans: list[dict[str, Any]] = field(default_factory=list)  # subsegments of what was never received


def part_of(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object within a document; an empty one where it is missing, or is something else."""
    found = document.get(key)
    return found if isinstance(found, dict) else {}


def assemble(trace_id: str, documents: Iterable[str]) -> Trace:
    """Put a trace together from the texts of its documents."""
    trace = Trace(trace_id)
    orphans: list[dict[str, Any]] = []
    for text in documents:
        document = json.loads(text)
        if document.get("type") == "subsegment" and "parent_id" in document:
            orphans.append(document)
        else:
            segment = _part(document, Service(document["name"], _origin(document)), document.get("parent_id", ""))
            trace.segments.append(segment)
            trace.subsegments += _below(document, segment.service)
    parts = {part.id: part for part in (*trace.segments, *trace.subsegments)}
    _adopt(trace, orphans, parts)
    _infer(trace)
    trace.segments.sort(key=lambda segment: segment.start)
    trace.parts = [*trace.segments, *trace.subsegments]
    _connect(trace, parts)
    return trace


def _adopt(trace: Trace, orphans: list[dict[str, Any]], parts: dict[str, Part]) -> None:
    """Put the subsegments that came on their own into what they belong to, each once that is known."""
    while orphans:
        waiting = []
        for document in orphans:
            parent = parts.get(document["parent_id"])
            if parent is None:
                waiting.append(document)
                continue
            parent.document["subsegments"] = [*(parent.document.get("subsegments") or ()), document]
            own = [_part(document, parent.service, parent.id, is_segment=False), *_below(document, parent.service)]
            trace.subsegments += own
            parts |= {part.id: part for part in own}
        if len(waiting) == len(orphans):
            trace.orphans = orphans
            return
        orphans = waiting


def _below(document: dict[str, Any], service: Service) -> Iterator[Part]:
    for above, below in subsegments(document):
        yield _part(below, service, above["id"], is_segment=False)


def _part(document: dict[str, Any], service: Service, parent_id: str, *, is_segment: bool = True) -> Part:
    return Part(
        document,
        document["id"],
        document["name"],
        service,
        document["start_time"],
        document.get("end_time"),
        parent_id,
        is_segment,
    )


def _infer(trace: Trace) -> None:
    answered = {segment.parent_id for segment in trace.segments}
    for part in trace.subsegments:
        namespace = part.document.get("namespace")
        if namespace not in ("aws", REMOTE) or part.id in answered:
            continue
        service = _called(part, namespace)
        document: dict[str, Any] = {
            "id": f"{int(part.id, 16) ^ 0xFFFF_FFFF_FFFF_FFFF:016x}",  # always the same for the same subsegment
            "name": service.name,
            "start_time": part.start,
            **{key: part.document[key] for key in ("end_time", "in_progress") if key in part.document},
            "parent_id": part.id,
            "inferred": True,
            **{key: part.document[key] for key in ("http", "aws", "sql") if key in part.document},
            **{key: True for key in ("fault", "error", "throttle") if part.document.get(key) is True},
            "trace_id": trace.id,
            **({"origin": service.type} if service.type != REMOTE else {}),
        }
        inferred = _part(document, service, part.id)
        inferred.inferred = True
        trace.segments.append(inferred)


def _called(part: Part, namespace: str) -> Service:
    if "sql" in part.document:
        return Service(part.name, "Database::SQL")
    if namespace == REMOTE:
        return Service(part.name, REMOTE)
    key, kind = _RESOURCES.get(part.name, ("", ""))
    resource = part_of(part.document, "aws").get(key)
    if isinstance(resource, str):
        return Service(resource, f"AWS::{part.name}::{kind}")
    return Service(part.name, f"AWS::{part.name}")


def _connect(trace: Trace, parts: Mapping[str, Part]) -> None:
    answered = _answered(trace, parts)
    for segment in trace.segments:
        parent = parts.get(segment.parent_id)
        if parent is None or parent is segment:
            segment.is_root = True
            trace.calls.append(Call(Service(segment.name, CLIENT), segment.service, segment))
            # One that names a parent begins the trace only where none begins it truly.
            if trace.root is None or (trace.root.parent_id and not segment.parent_id):
                trace.root = segment
        elif _leaves_by_the_same_envoy(parent, segment):
            if segment.id in answered:
                continue
        else:
            record = parent if not parent.is_segment or parent.direction == "egress" else segment
            trace.calls.append(Call(parent.service, segment.service, record))
        trace.responses.append(segment)


def _answered(trace: Trace, parts: Mapping[str, Part]) -> set[str]:
    """Return the ids of what a segment came back from: its parent, and the segment which that stands in."""
    answered: set[str] = set()
    for segment in trace.segments:
        above = parts.get(segment.parent_id)
        while above and above.id not in answered:
            answered.add(above.id)
            above = None if above.is_segment else parts.get(above.parent_id)
    return answered


def _leaves_by_the_same_envoy(parent: Part, segment: Part) -> bool:
    return parent.service == segment.service and segment.direction == "egress" and parent.direction == "ingress"


def _origin(document: Mapping[str, Any]) -> str:
    origin = document.get("origin")
    return origin if isinstance(origin, str) else ""


def _state_of(status: object) -> State:
    if status == _TOO_MANY:
        return "throttle"
    if status in _CLIENT_ERRORS:
        return "error"
    return "fault" if status in _SERVER_ERRORS else "ok"
