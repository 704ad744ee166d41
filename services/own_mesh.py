"""A mesh of our own: plain Envoys, each with all it has to know in its task definition.

What App Mesh's control plane would tell an Envoy is a static bootstrap here: where requests come in, where the backends
are. Nothing is redirected: an application calls its own Envoy on the task's loopback, one port a backend, and callers
find a service in Cloud Map's DNS at the port of its Envoy. Timeouts, retries, names in traces and access log are App
Mesh's, so that traces look the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi

from envoymesh import AccessLog, Destination, Endpoint, HealthCheck, Listener, Match, Proxy, Route, VirtualHost
from envoymesh import bootstrap as rendered
from envoymesh.model import DEFAULT_RETRY
from envoymesh.render import text
from services import images, tracing
from services.containers import INGRESS_PORT, MESH_PORT, Container, Envoy, Logs
from services.settings import Settings, SettingsError

MESH_NAME = "ecs-mesh"
GATEWAY_NAME = "ecsworkshop-vgw"
FIRST_EGRESS_PORT = 3101  # TCP, on the task's loopback; one for each backend
ADMIN_PORT = 9901  # likewise
# All that an Envoy is told is in its task definition, which may have 64 KiB: each backend takes up to 2.9 of them.
MOST_BACKENDS = 20

_LOOPBACK = "127.0.0.1"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - within the task's own network, behind its security group
_ALL = Match(prefix="/")
# By DNS alone a task that has ended would be asked for as long as its address may be kept. Seconds, but for the counts.
_CHECK = HealthCheck(protocol="tcp", interval=1, timeout=1, healthy_after=1, unhealthy_after=1)

Make = Callable[[Sequence[str]], Proxy]


@dataclass(frozen=True, kw_only=True)
class OwnSeat:
    """An Envoy's place in this mesh: its task is not redirected, and needs no right to join."""

    hosts: Sequence[pulumi.Input[str]]  # the services that it calls, by their names in DNS
    make: Make  # its configuration, from the names once they are known
    # While stacks move, tasks of the same role are in App Mesh, and a deployment that fails is rolled back to them.
    arn: pulumi.Input[str] | None = None
    redirected: bool = False

    def container(self, envoy: Envoy, logs: Logs) -> Container:
        """The Envoy's container definition."""
        bootstrap = pulumi.Output.all(*self.hosts).apply(lambda hosts: text(rendered(self.make(hosts))))
        return envoy.own_container(images.PLAIN_ENVOY, bootstrap, logs)


def check_backends(node: str, number: int, settings: Settings) -> None:
    """Raise `SettingsError` where a service has more backends than its Envoy in this mesh can be told of."""
    if settings.has_own_mesh and number > MOST_BACKENDS:
        named = "bothMeshes is 'true'" if settings.both_meshes else "mesh is 'envoy'"
        raise SettingsError(
            f"{named}, but '{node}' has {number} backends: a task definition has room for {MOST_BACKENDS} of them. "
            f"Next: pulumi config set mesh appmesh   (or have fewer backends)"
        )


def beside_application(  # noqa: PLR0913 - the last two are keywords
    node: str,
    hosts: Sequence[pulumi.Input[str]],
    settings: Settings,
    kept: pulumi.Input[str] | None = None,
    *,
    mesh_name: str = MESH_NAME,
    port: int = MESH_PORT,
) -> OwnSeat:
    """The seat of a service's Envoy; `hosts` are its backends, `kept` is its virtual node while it has one."""

    def make(names: Sequence[str]) -> Proxy:
        application = Destination(name="application", endpoints=[Endpoint(address=_LOOPBACK, port=port)])
        # 0: none. What a request may take is for the caller to say.
        inward = Route(match=_ALL, targets={application.name: 1}, timeout=0, idle_timeout=0)
        listeners = [_listener("ingress", Endpoint(address=_EVERYWHERE, port=INGRESS_PORT), inward)]
        for number, name in enumerate(names):
            endpoint = Endpoint(address=_LOOPBACK, port=FIRST_EGRESS_PORT + number)
            listeners.append(_listener("egress", endpoint, _to(name)))
        destinations = [application, *(_service(name) for name in names)]
        return _proxy(mesh_name, node, listeners, destinations, settings)

    return OwnSeat(hosts=hosts, make=make, arn=kept)


def gateway(
    host: pulumi.Input[str] | None,
    settings: Settings,
    kept: pulumi.Input[str] | None = None,
    *,
    mesh_name: str = MESH_NAME,
    name: str = GATEWAY_NAME,
) -> OwnSeat:
    """The seat of the gateway's Envoy, which leads to the service `host`; `kept` is its virtual gateway, if any.

    Without a `host` it answers 404 to all.
    """

    def make(names: Sequence[str]) -> Proxy:
        endpoint = Endpoint(address=_EVERYWHERE, port=MESH_PORT)
        listener = _listener("ingress", endpoint, *map(_to, names), edge=True)
        return _proxy(mesh_name, name, [listener], [_service(each) for each in names], settings)

    return OwnSeat(hosts=[] if host is None else [host], make=make, arn=kept)


def addresses(number: int) -> list[str]:
    """Where an application finds its backends, so many of them."""
    return [f"http://{_LOOPBACK}:{FIRST_EGRESS_PORT + each}" for each in range(number)]


def _proxy(
    mesh: str, node: str, listeners: Sequence[Listener], destinations: Sequence[Destination], settings: Settings
) -> Proxy:
    return Proxy(
        id=f"mesh/{mesh}/virtualNode/{node}",
        cluster=node,
        admin=Endpoint(address=_LOOPBACK, port=ADMIN_PORT),
        listeners=listeners,
        destinations=destinations,
        tracing=tracing.tracer(mesh, node, settings),
        access_log=AccessLog(path="/dev/stdout"),
    )


def _listener(kind: str, endpoint: Endpoint, *routes: Route, edge: bool = False) -> Listener:
    return Listener(
        name=f"{kind}_{endpoint.port}",
        endpoint=endpoint,
        direction="inbound" if kind == "ingress" else "outbound",
        hosts=[VirtualHost(name="all", domains=["*"], routes=routes)],
        edge=edge,
    )


def _to(name: str) -> Route:
    return Route(match=_ALL, targets={name: 1}, host=name, retry=DEFAULT_RETRY)


def _service(name: str) -> Destination:
    """The tasks of a service."""
    endpoint = Endpoint(address=name, port=INGRESS_PORT)
    return Destination(name=name, endpoints=[endpoint], by_dns=True, health_check=_CHECK)
