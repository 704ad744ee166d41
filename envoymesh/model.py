"""What one Envoy does in a mesh. Durations are seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["http", "http2", "tcp"]  # gRPC is http2 to Envoy
CheckProtocol = Literal[Protocol, "grpc"]  # but has health checks of its own

# App Mesh user guide, "Timeouts".
REQUEST_TIMEOUT, IDLE_TIMEOUT, TCP_IDLE_TIMEOUT = 15.0, 300.0, 3600.0


@dataclass(frozen=True, kw_only=True, order=True)
class Endpoint:
    """An IP address (for a destination found by DNS: a name) and a port."""

    address: str
    port: int


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """How callers test whether an endpoint lives."""

    protocol: CheckProtocol
    interval: float
    timeout: float
    healthy_after: int
    unhealthy_after: int
    path: str = "/"


@dataclass(frozen=True, kw_only=True)
class OutlierDetection:
    """When an endpoint that fails is left out for a while."""

    errors: int  # 5xx in a row
    interval: float
    base_ejection: float
    most_ejected: int  # percent


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where requests go: the tasks behind a virtual node, or the application beside this very Envoy."""

    name: str
    protocol: Protocol = "http"
    endpoints: Sequence[Endpoint] = ()
    by_dns: bool = False  # the one endpoint is a name, which is resolved again and again
    health_check: HealthCheck | None = None
    outliers: OutlierDetection | None = None


@dataclass(frozen=True, kw_only=True)
class Retry:
    """What is tried again."""

    times: int
    on: Sequence[str]  # Envoy's words: connect-failure, refused-stream, reset, gateway-error, 5xx …
    statuses: Sequence[int] = ()
    per_try: float | None = None


# What App Mesh gives a route that says nothing: user guide, "Retry policies".
DEFAULT_RETRY = Retry(times=2, on=("connect-failure", "refused-stream", "reset"), statuses=(503,))


@dataclass(frozen=True, kw_only=True)
class ValueMatch:
    """What the value of a header or a query parameter has to be; all None: it has to be there."""

    name: str
    exact: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    regex: str | None = None
    span: tuple[int, int] | None = None  # from, to (to not included)
    invert: bool = False


@dataclass(frozen=True, kw_only=True)
class Match:
    """Which requests a route is for; the first of prefix, path and regex that is given counts."""

    prefix: str | None = None
    path: str | None = None
    regex: str | None = None
    headers: Sequence[ValueMatch] = ()  # a method or scheme to match is the header :method or :scheme
    parameters: Sequence[ValueMatch] = ()


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where requests that match go, and how patiently."""

    match: Match
    targets: Mapping[str, int]  # weight by the name of the destination; where no weight is above 0, the answer is 503
    host: str | None = None  # what the Host header becomes
    prefix: str | None = None  # what the matched prefix becomes; no slash is doubled by that
    path: str | None = None  # what the whole path becomes
    retry: Retry | None = None
    timeout: float = REQUEST_TIMEOUT
    idle_timeout: float = IDLE_TIMEOUT


@dataclass(frozen=True, kw_only=True)
class VirtualHost:
    """The routes of requests to some host names, the port left aside."""

    name: str
    domains: Sequence[str]
    routes: Sequence[Route]


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Where the Envoy accepts connections."""

    name: str
    endpoint: Endpoint
    direction: Literal["inbound", "outbound"]
    hosts: Sequence[VirtualHost] = ()
    tcp: str | None = None  # for a listener that looks into nothing: its one destination
    edge: bool = False  # the first Envoy that a request meets


@dataclass(frozen=True, kw_only=True)
class Tracing:
    """Segments for X-Ray, sent to a daemon over UDP."""

    segment_name: str
    daemon: Endpoint  # by IP address: Envoy crashes on a name
    mesh: str
    node: str
    sampling_rate: float = 0.05  # of the requests beyond the first of each second; 0 to 1
    manifest: str | None = None  # sampling rules as JSON, version 2, in place of the rate


@dataclass(frozen=True, kw_only=True)
class AccessLog:
    """One line a request; the format None is Envoy's own."""

    path: str
    text: str | None = None
    json: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """One Envoy."""

    id: str
    cluster: str  # its own name in metrics and traces
    admin: Endpoint
    listeners: Sequence[Listener]
    destinations: Sequence[Destination]
    tracing: Tracing | None = None
    access_log: AccessLog | None = None
    tags: Mapping[str, str] = field(default_factory=dict)  # on all its metrics
