"""Segments as a test needs them, sent to X-Ray in a region of the test's own, and short ways to read them back."""

import json
import secrets
import time
from typing import Any

PROXY = "AWS::AppMesh::Proxy"
AGO_SECONDS = 100  # when a test's traces begin, so that whole seconds around them are past


class Site:
    """The X-Ray of one region, and one trace after another in it. Times are seconds after `begin`."""

    def __init__(self, xray: Any) -> None:
        self.xray = xray
        self.begin = int(time.time()) - AGO_SECONDS
        self.window: dict[str, Any] = {"StartTime": self.begin, "EndTime": self.begin + AGO_SECONDS + 1}

    def trace_id(self) -> str:
        return f"1-{self.begin:08x}-{secrets.token_hex(12)}"

    def segment(
        self, name: str, at: float = 0, took: float | None = 0.1, parent: str | None = None, **fields: Any
    ) -> dict[str, Any]:
        """A segment of an Envoy; `took` None: in progress. Without a trace it is one of its own."""
        start = self.begin + at
        return {
            "name": name,
            "id": secrets.token_hex(8),
            "trace_id": self.trace_id(),
            "start_time": start,
            "origin": PROXY,
            **({"in_progress": True} if took is None else {"end_time": start + took}),
            **({"parent_id": parent} if parent else {}),
            **fields,
        }

    def below(
        self, parent: dict[str, Any], name: str, at: float = 0.01, took: float | None = 0.05, **fields: Any
    ) -> dict[str, Any]:
        """A segment of the same trace that another one called."""
        return self.segment(name, at, took, parent["id"], trace_id=parent["trace_id"], **fields)

    def put(self, *documents: dict[str, Any] | str) -> list[dict[str, Any]]:
        """Send documents; return what X-Ray did not take."""
        texts = [one if isinstance(one, str) else json.dumps(one) for one in documents]
        answer = self.xray.put_trace_segments(TraceSegmentDocuments=texts)
        unprocessed: list[dict[str, Any]] = answer["UnprocessedTraceSegments"]
        return unprocessed

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """The documents of a trace as X-Ray gives them back."""
        answer = self.xray.batch_get_traces(TraceIds=[trace_id])
        return [json.loads(part["Document"]) for trace in answer["Traces"] for part in trace["Segments"]]

    def summaries(self, expression: str = "", **given: Any) -> list[dict[str, Any]]:
        """All summaries of the test's time, newest first."""
        pages = self.xray.get_paginator("get_trace_summaries").paginate(
            **{**self.window, "FilterExpression": expression, **given}
        )
        return [summary for page in pages for summary in page["TraceSummaries"]]

    def found(self, expression: str) -> set[str]:
        """The ids of the traces that a filter expression finds."""
        return {summary["Id"] for summary in self.summaries(expression)}

    def graph(self, **given: Any) -> "Graph":
        return Graph(self.xray.get_service_graph(**{**self.window, **given})["Services"])


class Graph:
    """A service graph by names; a client goes by the name "client of X"."""

    def __init__(self, services: list[dict[str, Any]]) -> None:
        names = {service["ReferenceId"]: _name(service) for service in services}
        self.services = {_name(service): service for service in services}
        self.edges = {
            (_name(service), names[edge["ReferenceId"]]): edge for service in services for edge in service["Edges"]
        }

    def count(self, *place: str) -> int:
        """How many responses were counted at a service, or on the edge between two."""
        found = self.edges[place[0], place[1]] if len(place) > 1 else self.services[place[0]]
        count: int = found["SummaryStatistics"]["TotalCount"]
        return count


def _name(service: dict[str, Any]) -> str:
    name: str = service["Name"]
    return f"client of {name}" if service["Type"] == "client" else name


def ingress(**more: Any) -> dict[str, Any]:
    """The annotations of a request that came into an Envoy."""
    return {"direction": "ingress", **more}


def egress(**more: Any) -> dict[str, Any]:
    """The annotations of a request that left an Envoy."""
    return {"direction": "egress", **more}
