"""A rule over services: the two ends of a call are traced both or neither."""

from collections.abc import Iterator, Sequence

from checks.model import Finding, Stack, listed, mapped, text
from checks.tracing import Names, bootstrap, tasks

_GATEWAY_ROUTE = "aws:appmesh/gatewayRoute:GatewayRoute"
VIRTUAL_GATEWAY = "aws:appmesh/virtualGateway:VirtualGateway"
VIRTUAL_NODE = "aws:appmesh/virtualNode:VirtualNode"
_ANNOUNCED = "aws:servicediscovery/service:Service"
_VIRTUAL_SERVICE = "aws:appmesh/virtualService:VirtualService"


def tracing_hop(stacks: Sequence[Stack], names: Names) -> Iterator[Finding]:
    """The map of services has a hole where one end of a call is traced and the other is not."""
    traced = {task.stack.service: task for stack in stacks for task in tasks(stack, names)}
    for source, target in dict.fromkeys([*_hops(stacks), *_by_dns(stacks, names)]):
        caller, called = traced.get(source), traced.get(target)
        if caller is None or called is None or caller.traced == called.traced:
            continue
        on, off = (source, called) if caller.traced else (target, caller)
        message = f"{source} calls {target}, but only {on} is traced: the call is not on the service map"
        yield off.finding("tracing-hop", message, f"Trace {off.stack.service}, too, or neither.", "warning")


def _hops(stacks: Sequence[Stack]) -> Iterator[tuple[str, str]]:
    """Caller and called, by service; from backends and from a gateway's routes."""
    providers = _by_name(stacks, _VIRTUAL_SERVICE)
    gateways = _by_name(stacks, VIRTUAL_GATEWAY)
    for stack in stacks:
        for resource in stack.resources:
            spec = mapped(resource.inputs.get("spec"))
            if resource.type == VIRTUAL_NODE:
                for backend in listed(spec.get("backends")):
                    called = mapped(mapped(backend).get("virtualService")).get("virtualServiceName")
                    yield from _hop(stack.service, providers.get(text(called) or ""))
            elif resource.type == _GATEWAY_ROUTE:
                gateway = gateways.get(text(resource.inputs.get("virtualGatewayName")) or "")
                for called in _routed_to(spec):
                    yield from _hop(gateway, providers.get(called))


def _by_dns(stacks: Sequence[Stack], names: Names) -> Iterator[tuple[str, str]]:
    """Caller and called in a mesh of our own: its Envoys are told the names that Cloud Map gives services in DNS."""
    announced = _by_name(stacks, _ANNOUNCED)
    for task in (task for stack in stacks for task in tasks(stack, names)):
        for cluster in map(mapped, listed(bootstrap(task.envoy).get("clusters"))):
            name = (text(cluster.get("name")) or "").partition(".")[0]
            yield from _hop(task.stack.service, announced.get(name))


def _hop(source: str | None, target: str | None) -> Iterator[tuple[str, str]]:
    if source and target and source != target:
        yield source, target


def _by_name(stacks: Sequence[Stack], token: str) -> dict[str, str]:
    """Which service has the resource of a type and a name."""
    return {
        name: stack.service
        for stack in stacks
        for resource in stack.resources
        if resource.type == token and (name := text(resource.inputs.get("name")))
    }


def _routed_to(spec: object) -> Iterator[str]:
    """The virtual services that a gateway's route leads to, whatever its protocol."""
    for kind in ("httpRoute", "http2Route", "grpcRoute"):
        target = mapped(mapped(mapped(mapped(spec).get(kind)).get("action")).get("target"))
        if name := text(mapped(target.get("virtualService")).get("virtualServiceName")):
            yield name
