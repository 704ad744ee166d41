"""The summary of a trace, as GetTraceSummaries gives it: what its segments tell, indexed.

Fault and error are the root segment's, throttling that of any segment, as the API reference says.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from localaws.xray.place import Place
from localaws.xray.store import TraceRow
from localaws.xray.trace import Part, Service, Trace, part_of

_MOST_ANNOTATIONS = 50  # that X-Ray indexes of a trace
_NO_NUMBERS = (float("inf"), float("-inf"))  # what a number too large for JSON's readers becomes
_INDEXED = re.compile(r"[A-Za-z0-9_]+")

_Ids = Mapping[Service, dict[str, Any]]  # as the API names them

# The summary's keys for what is told of the request, and the document's.
_REQUEST = {"HttpURL": "url", "HttpMethod": "method", "UserAgent": "user_agent", "ClientIp": "client_ip"}


def summary(trace: Trace, row: TraceRow, place: Place) -> dict[str, Any]:
    """Return the summary of a trace, with timestamps as the API has them."""
    ids = {service: _service_id(service, place) for service in dict.fromkeys(part.service for part in trace.parts)}
    root = trace.root
    state = root.state if root else "ok"
    answer = {
        "Id": trace.id,
        "StartTime": row.start,
        "Duration": row.duration,
        "HasFault": state == "fault",
        "HasError": state in ("error", "throttle"),
        "HasThrottle": any(part.state == "throttle" for part in trace.parts),
        "IsPartial": is_partial(trace),
        "Http": _http(root) if root else {},
        "Annotations": _annotations(trace, ids),
        "Users": _users(trace, ids),
        "ServiceIds": list(ids.values()),
        "ResourceARNs": [{"ARN": arn} for arn in _unique(of_any(trace, resource_arns))],
        "InstanceIds": [{"Id": instance} for instance in _unique(of_any(trace, instance_ids))],
        "AvailabilityZones": [{"Name": zone} for zone in _unique(of_any(trace, availability_zones))],
        "FaultRootCauses": _root_causes(trace, "fault", ids),
        "ErrorRootCauses": _root_causes(trace, "error", ids),
        "ResponseTimeRootCauses": [],
        "Revision": row.revision,
    }
    if root:
        answer["EntryPoint"] = ids[root.service]
        if root.duration is not None:
            answer["ResponseTime"] = root.duration
    return answer


def is_partial(trace: Trace) -> bool:
    """Return whether something of the trace is still in progress."""
    return any(part.end is None for part in trace.parts)


def annotations(part: Part) -> Iterator[tuple[str, str | float | bool]]:
    """Yield the annotations of a segment that X-Ray indexes."""
    for key, value in part_of(part.document, "annotations").items():
        if isinstance(value, str | int | float | bool) and value not in _NO_NUMBERS and _is_indexed(key):
            yield key, value


@functools.lru_cache(1_000)
def _is_indexed(key: str) -> bool:
    return bool(_INDEXED.fullmatch(key))


def users(part: Part) -> Iterator[str]:
    """Yield the user that a segment names."""
    user = part.document.get("user")
    if isinstance(user, str):
        yield user


def resource_arns(part: Part) -> Iterator[str]:
    """Yield the ARNs of the AWS resources that a segment tells of."""
    for found in (part.document.get("resource_arn"), part_of(part.document, "aws").get("resource_arn")):
        if isinstance(found, str):
            yield found


def instance_ids(part: Part) -> Iterator[str]:
    """Yield the EC2 instance that a segment tells of."""
    yield from _of_ec2(part, "instance_id")


def availability_zones(part: Part) -> Iterator[str]:
    """Yield the availability zone that a segment tells of."""
    yield from _of_ec2(part, "availability_zone")


def of_any(trace: Trace, told: Any) -> Iterator[str]:
    """Yield what is told by any part of a trace."""
    for part in trace.parts:
        yield from told(part)


def _of_ec2(part: Part, key: str) -> Iterator[str]:
    found = part_of(part_of(part.document, "aws"), "ec2").get(key)
    if isinstance(found, str):
        yield found


def _http(root: Part) -> dict[str, Any]:
    request, status = root.http("request"), root.http("response").get("status")
    found: dict[str, Any] = {name: request[key] for name, key in _REQUEST.items() if isinstance(request.get(key), str)}
    if isinstance(status, int):
        found["HttpStatus"] = status
    return found


def _annotations(trace: Trace, ids: _Ids) -> dict[str, list[dict[str, Any]]]:
    # By key, type and value (1, 1.0 and true are equal), the services that give it.
    found: dict[str, dict[tuple[str, str | float | bool], dict[Service, None]]] = {}
    for part in trace.parts:
        for key, value in annotations(part):
            if key in found or len(found) < _MOST_ANNOTATIONS:
                found.setdefault(key, {}).setdefault((_type_of(value), value), {})[part.service] = None
    return {
        key: [
            {"AnnotationValue": {kind: value}, "ServiceIds": [ids[service] for service in services]}
            for (kind, value), services in values.items()
        ]
        for key, values in found.items()
    }


def _type_of(value: str | float | bool) -> str:  # noqa: FBT001 - an annotation's value
    if isinstance(value, bool):
        return "BooleanValue"
    return "StringValue" if isinstance(value, str) else "NumberValue"


def _users(trace: Trace, ids: _Ids) -> list[dict[str, Any]]:
    found: dict[str, dict[Service, None]] = {}
    for part in trace.parts:
        for user in users(part):
            found.setdefault(user, {})[part.service] = None
    return [
        {"UserName": user, "ServiceIds": [ids[service] for service in services]} for user, services in found.items()
    ]


def _root_causes(trace: Trace, state: str, ids: _Ids) -> list[dict[str, Any]]:
    """Return, for each part that went wrong with nothing wrong below it, the services on the way to it."""
    wrong = {part.id: part for part in trace.parts if part.state == state}
    if not wrong:
        return []
    above = {part.parent_id for part in wrong.values()}
    causes = []
    for part in wrong.values():
        if part.id not in above:
            way = [part]
            while (parent := wrong.get(way[-1].parent_id)) and parent not in way:
                way.append(parent)
            impacting = way[-1] is trace.root
            causes.append({"Services": _services_on(way[::-1], ids), "ClientImpacting": impacting})
    return causes


def _services_on(way: Iterable[Part], ids: _Ids) -> list[dict[str, Any]]:
    services: list[dict[str, Any]] = []
    for part in way:
        if part.is_segment or not services:
            services.append({**ids[part.service], "EntityPath": [], "Inferred": part.inferred})
        exceptions = part_of(part.document, "cause").get("exceptions")
        found = [one for one in exceptions if isinstance(one, dict)] if isinstance(exceptions, list) else []
        services[-1]["EntityPath"].append(
            {
                "Name": part.name,
                "Exceptions": [_exception(one) for one in found],
                "Remote": part.document.get("namespace") == "remote",
            }
        )
    return services


def _exception(told: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(told[key]) for name, key in (("Name", "type"), ("Message", "message")) if key in told}


def _service_id(service: Service, place: Place) -> dict[str, Any]:
    kind = {"Type": service.type} if service.type else {}
    return {"Name": service.name, "Names": [service.name], "AccountId": place.account, **kind}


def _unique(values: Iterable[Any]) -> Iterable[Any]:
    return dict.fromkeys(values)
