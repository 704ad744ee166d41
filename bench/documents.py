"""Segments as the demo's Envoys send them: a request that the gateway receives, passes on, and the frontend answers."""

import json
import random
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

SEGMENTS_OF_A_TRACE = 3
_MESH = "ecs-mesh"
# Node, direction, and how many seconds its segment begins after and lasts less than the one before.
_WAY = (("ecsworkshop-vgw", "ingress", 0.0), ("ecsworkshop-vgw", "egress", 0.0004), ("frontend", "ingress", 0.0011))
_FAULTS = 0.02  # of all requests


def traces(number: int, start: float, end: float) -> Iterator[list[str]]:
    """Yield the documents of so many traces, evenly spread over a range of time."""
    draw = random.Random(1)  # noqa: S311 - the same load each time
    for count in range(number):
        at = start + (end - start) * count / number
        yield _trace(at, draw.lognormvariate(-3, 0.4), 503 if draw.random() < _FAULTS else 200)


def batches(documents: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield the documents, so many at once."""
    for first in range(0, len(documents), size):
        yield documents[first : first + size]


def _trace(at: float, seconds: float, status: int) -> list[str]:
    trace_id, ids = f"1-{int(at):08x}-{secrets.token_hex(12)}", [secrets.token_hex(8) for _ in _WAY]
    return [
        json.dumps(
            {
                "id": ids[number],
                "trace_id": trace_id,
                **({"parent_id": ids[number - 1]} if number else {}),
                "start_time": at + inside,
                "end_time": at + seconds + 2 * _WAY[-1][2] - inside,
                **_told(node, direction, status),
            }
        )
        for number, (node, direction, inside) in enumerate(_WAY)
    ]


def _told(node: str, direction: str, status: int) -> dict[str, Any]:
    return {
        "name": f"{_MESH}/{node}",
        "origin": "AWS::AppMesh::Proxy",
        "aws": {"app_mesh": {"mesh_name": _MESH, "virtual_node_name": node}},
        "http": {
            "request": {
                "method": "GET",
                "url": "http://ecsdemo-frontend.service.local/",
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "client_ip": "10.0.0.57",
                "x_forwarded_for": False,
            },
            "response": {"status": status, "content_length": 1219},
        },
        **({"fault": True} if status >= 500 else {}),  # noqa: PLR2004 - as HTTP has it
        "annotations": {
            "component": "proxy",
            "direction": direction,
            "downstream_cluster": "-",
            "guid:x-request-id": secrets.token_hex(16),
            "http.protocol": "HTTP/1.1",
            "node_id": f"mesh/{_MESH}/virtualNode/{node}",
            "request_size": "0",
            "response_flags": "-",
            "upstream_cluster": f"cds_{direction}_{_MESH}_{node}_3000",
        },
    }
