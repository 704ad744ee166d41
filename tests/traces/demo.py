"""Reviews as the workshop's demo gives them: gateway → frontend → nodejs and crystal, each an Envoy that traces.

The apps don't pass the trace on, so one page view gives up to three traces: gateway and frontend, frontend and nodejs,
frontend and crystal. Crystal is rare: nodejs, called first, takes what the sampling of one second allows.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from traces.model import (
    CLIENT,
    Bucket,
    Edge,
    Histogram,
    Key,
    Node,
    Segment,
    ServiceMap,
    State,
    Statistics,
    Trace,
    TraceSummary,
)
from traces.page.timings import timings
from traces.report import Review

PROXY = "AWS::AppMesh::Proxy"
GATEWAY, FRONTEND, NODEJS, CRYSTAL = (
    Key(f"ecs-mesh/{name}", PROXY) for name in ("ecsworkshop-vgw", "frontend", "nodejs", "crystal")
)
START = 1_795_000_000.0
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "curl/8.5.0")


class Chain(NamedTuple):
    """One sort of trace: who calls, who answers, what is asked for."""

    services: tuple[Key, ...]
    url: str
    seconds: float  # what the last of them needs
    weight: int  # of all traces
    agent: str


PAGE = Chain((GATEWAY, GATEWAY, FRONTEND), "http://ecsdemo-frontend.service.local/", 0.062, 36, _AGENTS[0])
HELLO = Chain((FRONTEND, NODEJS), "http://ecsdemo-nodejs.service.local:3000/", 0.0052, 61, "Ruby")
CRYSTALS = Chain((FRONTEND, CRYSTAL), "http://ecsdemo-crystal.service.local:3000/crystal", 0.0127, 6, "Ruby")
HEALTH = Chain((GATEWAY, GATEWAY, FRONTEND), "http://ecsdemo-frontend.service.local/health", 0.004, 9, _AGENTS[1])
UNKNOWN = Chain(
    (GATEWAY, GATEWAY, FRONTEND), "http://ecsdemo-frontend.service.local/wp-login.php", 0.009, 3, _AGENTS[1]
)


@dataclass
class Demo:
    """Draws traces, always the same for one seed."""

    chains: Sequence[Chain] = (PAGE, HELLO, CRYSTALS, HEALTH, UNKNOWN)
    minutes: float = 30
    seed: int = 1
    slower: float = 1  # times
    title: str = "production"
    draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)  # noqa: S311 - examples

    def review(self, count: int, *, notes: Sequence[str] = (), before: Review | None = None) -> Review:
        """Return a review of so many traces, details and all, the newest first."""
        weights = [chain.weight for chain in self.chains]
        chains = self.draw.choices(self.chains, weights, k=count)
        starts = sorted((START + self.draw.random() * self.minutes * 60 for _ in range(count)), reverse=True)
        both = [self._trace(chain, start) for chain, start in zip(chains, starts, strict=True)]
        return Review(
            title=self.title,
            map=map_of([trace for trace, _ in both], START, START + self.minutes * 60),
            traces=[summary for _, summary in both],
            details={trace.id: trace for trace, _ in both},
            notes=notes,
            before=before,
        )

    def _trace(self, chain: Chain, start: float) -> tuple[Trace, TraceSummary]:
        trace_id = f"1-{int(start):08x}-{self.draw.getrandbits(96):024x}"
        state, status = self._end(chain)
        seconds = chain.seconds * self.slower * self.draw.lognormvariate(0, 0.35)
        if self.draw.random() < 0.012:
            seconds *= self.draw.uniform(4, 9)
        if state == "throttle":
            seconds *= 0.2
        address = f"10.0.{self.draw.randint(0, 3)}.{self.draw.randint(4, 250)}"
        root = self._segments(chain, trace_id, "", start, seconds, state, status, address)
        assert root.end is not None
        trace = Trace(id=trace_id, start=start, duration=root.end - start, roots=(root,))
        summary = TraceSummary(
            id=trace_id,
            start=start,
            duration=trace.duration,
            response_time=trace.duration,
            state=state,
            method="GET",
            url=chain.url,
            status=status,
            user_agent=chain.agent,
            client_ip=address,
            services=tuple(dict.fromkeys((Key(chain.services[0].name, CLIENT), *chain.services))),
            annotations={
                "component": ("proxy",),
                "response_flags": ("-",),
                "upstream_cluster": (f"cds_egress_{chain.url[7:22]}",),
            },
        )
        return trace, summary

    def _end(self, chain: Chain) -> tuple[State, int]:
        drawn = self.draw.random()
        if chain is UNKNOWN:
            return "error", 404
        if chain is CRYSTALS and drawn < 0.09:
            return "fault", 503
        if chain is PAGE and drawn < 0.02:
            return "throttle", 429
        return ("fault", 503) if drawn > 0.996 else ("ok", 200)

    def _segments(  # noqa: PLR0913, PLR0917 - what a segment tells
        self,
        chain: Chain,
        trace_id: str,
        parent: str,
        start: float,
        seconds: float,
        state: State,
        status: int,
        address: str,
    ) -> Segment:
        """Return the segment of the first service of a chain, with those it calls below it."""
        key, others = chain.services[0], chain.services[1:]
        segment_id = f"{self.draw.getrandbits(64):016x}"
        children: tuple[Segment, ...] = ()
        end = start + seconds
        if others:
            way = self.draw.uniform(0.0003, 0.0012)
            below = self._segments(
                chain._replace(services=others), trace_id, segment_id, start + way, seconds, state, status, address
            )
            assert below.end is not None
            children, end = (below,), below.end + way * 0.8
        direction = "egress" if others else "ingress"
        document: dict[str, object] = {
            "id": segment_id,
            "trace_id": trace_id,
            **({"parent_id": parent} if parent else {}),
            "name": key.name,
            "start_time": start,
            "end_time": end,
            "origin": PROXY,
            "aws": {"app_mesh": {"mesh_name": "ecs-mesh", "virtual_node_name": key.name.partition("/")[2]}},
            "http": {
                "request": {
                    "method": "GET",
                    "url": chain.url,
                    "user_agent": chain.agent,
                    "client_ip": address,
                    "x_forwarded_for": False,
                },
                "response": {"status": status, "content_length": self.draw.randint(40, 2400)},
            },
            "annotations": {
                "component": "proxy",
                "direction": direction,
                "node_id": f"mesh/ecs-mesh/virtualNode/{key.name.partition('/')[2]}",
                "request_size": "0",
                "response_flags": "UF" if state == "fault" else "-",
                "upstream_cluster": f"cds_{direction}_ecs-mesh_{key.name.partition('/')[2]}_http_3000",
            },
        }
        if state != "ok":
            document[state] = True
        return Segment(
            id=segment_id,
            parent=parent,
            name=key.name,
            type=key.type,
            start=start,
            end=end,
            state=state,
            method="GET",
            url=chain.url,
            status=status,
            children=children,
            document=document,
        )


def map_of(traces: Iterable[Trace], start: float, end: float) -> ServiceMap:
    """Return the map that X-Ray makes of traces; times are rounded to what its histograms tell."""
    everything = _Everything()
    nodes: dict[Key, list[tuple[float, State]]] = defaultdict(list)
    edges: dict[tuple[Key, Key], list[tuple[float, State]]] = defaultdict(list)
    for trace in traces:
        for item, measured in timings(trace, everything).items():
            seen = [(seconds, trace.roots[0].state) for seconds in measured]
            if isinstance(item, Key):
                nodes[item] += seen
            else:
                edges[item] += seen
    services = [Node(key=key, statistics=_statistics(seen), durations=_histogram(seen)) for key, seen in nodes.items()]
    callers = [Node(key=key, statistics=None, root=True) for key, _ in edges if key.type == CLIENT]
    return ServiceMap(
        start=start,
        end=end,
        nodes={node.key: node for node in (*callers, *services)},
        edges={
            (source, target): Edge(
                source=source, target=target, statistics=_statistics(seen), responses=_histogram(seen)
            )
            for (source, target), seen in edges.items()
        },
    )


class _Everything:
    """Holds whatever it is asked for."""

    def __contains__(self, item: object) -> bool:
        return True


def _statistics(seen: Sequence[tuple[float, State]]) -> Statistics:
    states: Mapping[str, int] = Counter(state for _, state in seen)
    return Statistics(**states, total=len(seen), response_time=sum(seconds for seconds, _ in seen))


def _histogram(seen: Sequence[tuple[float, State]]) -> Histogram:
    counts = Counter(float(f"{seconds:.2g}") for seconds, _ in seen)
    return tuple(Bucket(seconds, counts[seconds]) for seconds in sorted(counts))
