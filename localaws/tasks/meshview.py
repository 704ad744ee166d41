"""What one Envoy is to do, read from the embedded App Mesh and Cloud Map: what App Mesh's control plane sends it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from moto.servicediscovery.models import Service, servicediscovery_backends

from envoymesh import (
    AccessLog,
    Destination,
    Endpoint,
    HealthCheck,
    Listener,
    OutlierDetection,
    Proxy,
    Route,
    Tracing,
    VirtualHost,
)
from envoymesh.model import Protocol
from localaws.appmesh.kinds import (
    GATEWAY_ROUTE,
    ROUTE,
    VIRTUAL_GATEWAY,
    VIRTUAL_NODE,
    VIRTUAL_ROUTER,
    VIRTUAL_SERVICE,
)
from localaws.appmesh.models import MeshBackend
from localaws.appmesh.resources import Resource
from localaws.tasks import gateway_routes, routes
from localaws.tasks.envoy_image import EnvoySettings

Spec = dict[str, Any]
# From the private address and port of a task to where it really listens; None where it does not run here.
Locate = Callable[[str, int], Endpoint | None]

# The ports of an Envoy beside an application, unless the task's proxy configuration says otherwise.
INGRESS_PORT, EGRESS_PORT = 15000, 15001


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Where an Envoy sits: its task's address, and the ports that its task's traffic is redirected to."""

    address: str
    ingress_port: int = INGRESS_PORT
    egress_port: int = EGRESS_PORT


def proxy(mesh: MeshBackend, settings: EnvoySettings, seat: Seat, locate: Locate) -> Proxy | None:
    """Return what the Envoy of a container is to do; None where App Mesh does not know its node or gateway."""
    resource = mesh.find_by_arn(settings.resource_arn)
    if resource is None or resource.kind not in (VIRTUAL_NODE, VIRTUAL_GATEWAY):
        return None
    view = _View(mesh, resource, locate)
    listeners = list(view.gateway(seat) if resource.kind == VIRTUAL_GATEWAY else view.node(seat))
    name = resource.names[-1]
    return Proxy(
        id=resource.arn.rpartition(":")[2],
        cluster=settings.cluster or name,
        admin=Endpoint(address=seat.address, port=settings.admin_port),
        listeners=listeners,
        destinations=sorted(view.destinations.values(), key=lambda destination: destination.name),
        tracing=_tracing(resource, settings, seat),
        access_log=_access_log(resource.spec),
        tags={"appmesh.mesh": resource.names[0], f"appmesh.{resource.kind.words.replace(' ', '_')}": name}
        if settings.stats_tags
        else {},
    )


class _View:
    """The mesh as one of its nodes or gateways sees it."""

    def __init__(self, mesh: MeshBackend, resource: Resource, locate: Locate) -> None:
        self._mesh, self._resource, self._locate = mesh, resource, locate
        self._name = resource.names[0]  # the mesh's
        self.destinations: dict[str, Destination] = {}

    def node(self, seat: Seat) -> Iterator[Listener]:
        spec = self._resource.spec
        # In the order given, each once: Envoy refuses a second virtual host of a name.
        backends = dict.fromkeys(each["virtualService"]["virtualServiceName"] for each in spec.get("backends", []))
        for number, each in enumerate(spec.get("listeners", [])):
            port, protocol = each["portMapping"]["port"], _protocol(each["portMapping"]["protocol"])
            name = f"cds_ingress_{self._name}_{self._resource.names[-1]}_{port}"
            beside = [Endpoint(address=seat.address, port=port)]
            self._add(Destination(name=name, protocol=protocol, endpoints=beside))
            endpoint = Endpoint(address=seat.address, port=ingress_port(seat.ingress_port, number))
            yield self._listener("lds_ingress", endpoint, protocol, name, each)
        yield Listener(
            name=f"lds_egress_{seat.address}_{seat.egress_port}",
            endpoint=Endpoint(address=seat.address, port=seat.egress_port),
            direction="outbound",
            hosts=[self._backend(each) for each in backends],
        )

    def gateway(self, seat: Seat) -> Iterator[Listener]:
        found = [
            each.spec for each in self._mesh.inside(GATEWAY_ROUTE, *self._resource.names) if routes.body(each.spec)
        ]
        found.sort(key=routes.precedence)
        for each in self._resource.spec["listeners"]:
            port = each["portMapping"]["port"]
            hosts: dict[tuple[str, ...], list[Route]] = {}
            for spec in found:
                if gateway_routes.is_heard_at(spec, port):
                    hosts.setdefault(gateway_routes.domains(spec), []).extend(self._routes_through(spec))
            yield Listener(
                name=f"lds_ingress_{seat.address}_{port}",
                endpoint=Endpoint(address=seat.address, port=port),
                direction="inbound",
                hosts=[VirtualHost(name=names[0], domains=names, routes=way) for names, way in hosts.items()],
                edge=True,
            )

    def _routes_through(self, spec: Spec) -> list[Route]:
        service = routes.body(spec)["action"]["target"]["virtualService"]["virtualServiceName"]
        return gateway_routes.through(spec, self._routes_to(service), service)

    def _listener(self, kind: str, endpoint: Endpoint, protocol: Protocol, target: str, spec: Spec) -> Listener:
        name = f"{kind}_{endpoint.address}_{endpoint.port}"
        if protocol == "tcp":
            return Listener(name=name, endpoint=endpoint, direction="inbound", tcp=target)
        timeout: Spec = next(iter(spec.get("timeout", {}).values()), {})
        # 0: none. What a request may take is for the caller to say, unless the listener says it.
        route = Route(
            match=routes.everything_to(target).match,
            targets={target: 1},
            timeout=routes.seconds(timeout.get("perRequest"), 0),
            idle_timeout=routes.seconds(timeout.get("idle"), 0),
        )
        host = VirtualHost(name=target, domains=["*"], routes=[route])
        return Listener(name=name, endpoint=endpoint, direction="inbound", hosts=[host])

    def _backend(self, service: str) -> VirtualHost:
        return VirtualHost(name=service, domains=[service], routes=self._routes_to(service))

    def _routes_to(self, service: str) -> list[Route]:
        """Return the routes that a virtual service stands for, and note where they lead."""
        found = self._mesh.find(VIRTUAL_SERVICE, self._name, service)
        provider = found.spec.get("provider", {}) if found else {}
        if "virtualNode" in provider:
            name = self._destination(provider["virtualNode"]["virtualNodeName"])
            return [routes.everything_to(name)] if name else []
        if "virtualRouter" not in provider:
            return []
        router = (self._name, provider["virtualRouter"]["virtualRouterName"])
        if self._mesh.find(VIRTUAL_ROUTER, *router) is None:
            return []
        specs = [route.spec for route in self._mesh.inside(ROUTE, *router)]
        nodes = {target["virtualNode"] for spec in specs for target in _targets(spec)}
        names = {node: name for node in sorted(nodes) if (name := self._destination(node))}
        return [route for route in routes.of_router(specs, names) if route.targets]

    def _destination(self, node: str) -> str | None:
        """Return the name of the destination that a virtual node is; None where it is not there or hears nothing."""
        found = self._mesh.find(VIRTUAL_NODE, self._name, node)
        if found is None or not found.spec.get("listeners"):
            return None
        listener = found.spec["listeners"][0]
        port, protocol = listener["portMapping"]["port"], _protocol(listener["portMapping"]["protocol"])
        name = f"cds_egress_{self._name}_{node}_{port}"
        discovery = found.spec.get("serviceDiscovery", {})
        host = self._foreign_host(discovery)
        self._add(
            Destination(
                name=name,
                protocol=protocol,
                endpoints=[Endpoint(address=host, port=port)] if host else sorted(self._endpoints(discovery, port)),
                by_dns=host is not None,
                health_check=_health_check(listener.get("healthCheck")),
                outliers=_outliers(listener.get("outlierDetection")),
            )
        )
        return name

    def _endpoints(self, discovery: Spec, port: int) -> Iterator[Endpoint]:
        """Yield where the healthy tasks behind a virtual node listen, as Cloud Map knows them."""
        wanted = discovery.get("awsCloudMap") or _names_of(discovery)
        attributes = {each["key"]: each["value"] for each in wanted.get("attributes", [])}
        for service in self._announced(wanted):
            for instance in service.instances:
                told = instance.attributes
                if instance.health_status == "UNHEALTHY" or not attributes.items() <= told.items():
                    continue
                at = self._locate(told.get("AWS_INSTANCE_IPV4", ""), int(told.get("AWS_INSTANCE_PORT", port)))
                if at:
                    yield at

    def _announced(self, wanted: Spec) -> list[Service]:
        cloud_map = servicediscovery_backends[self._mesh.account_id][self._mesh.region_name]
        spaces = {space.id for space in cloud_map.namespaces.values() if space.name == wanted.get("namespaceName")}
        services = cloud_map.services.values()
        return [each for each in services if each.name == wanted.get("serviceName") and each.namespace_id in spaces]

    def _foreign_host(self, discovery: Spec) -> str | None:
        """Return the name by which a virtual node is found in DNS, unless it is one of Cloud Map's."""
        if "dns" not in discovery or self._announced(_names_of(discovery)):
            return None
        return str(discovery["dns"]["hostname"])

    def _add(self, destination: Destination) -> None:
        self.destinations[destination.name] = destination


def ingress_port(first: int, number: int) -> int:
    """Return where an Envoy hears what is meant for the application's port of this number (0: the first).

    One port does on AWS, since the redirection keeps the port that was meant; here each needs one of its own.
    """
    return first if number == 0 else first + 100 + number


def _names_of(discovery: Spec) -> Spec:
    """Return what Cloud Map would call a host name of DNS."""
    service, _, namespace = discovery.get("dns", {}).get("hostname", "").partition(".")
    return {"serviceName": service, "namespaceName": namespace}


def _targets(spec: Spec) -> Iterator[Spec]:
    for value in spec.values():
        if isinstance(value, dict):
            yield from value.get("action", {}).get("weightedTargets", [])


def _tracing(resource: Resource, settings: EnvoySettings, seat: Seat) -> Tracing | None:
    xray = settings.xray
    if xray is None:
        return None
    mesh, node = resource.names[0], resource.names[-1]
    return Tracing(
        segment_name=xray.segment_name or f"{mesh}/{settings.cluster or node}",
        daemon=Endpoint(address=at_home(xray.daemon.address, seat.address), port=xray.daemon.port),
        mesh=mesh,
        node=node,
        sampling_rate=xray.sampling_rate,
        manifest=xray.manifest,
    )


def at_home(address: str, own: str) -> str:
    """Return an address as seen from within a task: the task's own loopback is the address that stands for it."""
    return own if address in ("127.0.0.1", "0.0.0.0", "localhost") else address  # noqa: S104 - nothing is bound


def _access_log(spec: Spec) -> AccessLog | None:
    file = spec.get("logging", {}).get("accessLog", {}).get("file")
    if not file:
        return None
    form = file.get("format", {})
    fields = {each["key"]: each["value"] for each in form.get("json", [])}
    return AccessLog(path=file["path"], text=form.get("text"), json=fields or None)


def _health_check(check: Spec | None) -> HealthCheck | None:
    if not check:
        return None
    return HealthCheck(
        protocol="grpc" if check["protocol"] == "grpc" else _protocol(check["protocol"]),
        interval=check["intervalMillis"] / 1000,
        timeout=check["timeoutMillis"] / 1000,
        healthy_after=check["healthyThreshold"],
        unhealthy_after=check["unhealthyThreshold"],
        path=check.get("path", "/"),
    )


def _outliers(detection: Spec | None) -> OutlierDetection | None:
    if not detection:
        return None
    return OutlierDetection(
        errors=detection["maxServerErrors"],
        interval=routes.seconds(detection["interval"], 0),
        base_ejection=routes.seconds(detection["baseEjectionDuration"], 0),
        most_ejected=detection["maxEjectionPercent"],
    )


def _protocol(given: str) -> Protocol:
    return {"http": "http", "http2": "http2", "grpc": "http2"}.get(given, "tcp")  # type: ignore[return-value]
