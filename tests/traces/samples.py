"""A map as in the reference picture of the workshop: one minute, a gateway, the frontend and its two backends."""

from traces.model import CLIENT, Bucket, Edge, Histogram, Key, Node, ServiceMap, Statistics

PROXY = "AWS::AppMesh::Proxy"
GATEWAY, FRONTEND, NODEJS, CRYSTAL = (
    Key(f"ecs-mesh/{name}", PROXY) for name in ("ecsworkshop-vgw", "frontend", "nodejs", "crystal")
)
GATEWAY_CLIENT, FRONTEND_CLIENT = Key(GATEWAY.name, CLIENT), Key(FRONTEND.name, CLIENT)
START = 1_774_958_700.0  # 2026-03-31 12:05:00 UTC


def histogram(*buckets: tuple[float, int]) -> Histogram:
    return tuple(Bucket(seconds, count) for seconds, count in buckets)


def stats(total: int, average: float, *, error: int = 0, throttle: int = 0, fault: int = 0) -> Statistics:
    return Statistics(
        ok=total - error - throttle - fault,
        error=error,
        throttle=throttle,
        fault=fault,
        total=total,
        response_time=total * average,
    )


def node(key: Key, statistics: Statistics | None, durations: Histogram = ()) -> Node:
    return Node(key=key, statistics=statistics, durations=durations, root=key.type != CLIENT)


def edge(source: Key, target: Key, statistics: Statistics, responses: Histogram = ()) -> Edge:
    return Edge(source=source, target=target, statistics=statistics, responses=responses)


def service_map(*parts: Node | Edge, start: float = START, seconds: float = 60) -> ServiceMap:
    return ServiceMap(
        start=start,
        end=start + seconds,
        nodes={part.key: part for part in parts if isinstance(part, Node)},
        edges={(part.source, part.target): part for part in parts if isinstance(part, Edge)},
    )


def workshop() -> ServiceMap:
    """The picture, with some trouble at the backends."""
    return service_map(
        node(GATEWAY_CLIENT, None),
        node(FRONTEND_CLIENT, None),
        node(GATEWAY, stats(66, 0.083), histogram((0.04, 33), (0.126, 33))),
        node(FRONTEND, stats(95, 0.037, throttle=5), histogram((0.02, 50), (0.04, 40), (0.2, 5))),
        node(NODEJS, stats(58, 0.007, error=6, fault=12), histogram((0.005, 40), (0.01, 16), (0.04, 2))),
        node(CRYSTAL, stats(4, 0.016), histogram((0.016, 4))),
        edge(GATEWAY_CLIENT, GATEWAY, stats(33, 0.126)),
        edge(GATEWAY, GATEWAY, stats(33, 0.085), histogram((0.085, 33))),
        edge(GATEWAY, FRONTEND, stats(33, 0.08), histogram((0.08, 33))),
        edge(FRONTEND_CLIENT, FRONTEND, stats(62, 0.012)),
        edge(FRONTEND, NODEJS, stats(58, 0.009, error=6, fault=12), histogram((0.006, 40), (0.012, 16), (0.045, 2))),
        edge(FRONTEND, CRYSTAL, stats(4, 0.018), histogram((0.018, 4))),
    )
