"""Elastic Load Balancing: network load balancers are named, and their target groups set, as AWS does it."""

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeLoadBalancer, FakeTargetGroup

from localaws.xtras.patching import wrap

# Route 53's zone of the network load balancers in us-east-1. AWS General Reference, "Elastic Load Balancing endpoints".
_NLB_ZONES = {"us-east-1": "Z26RNL4JYFTOTI"}
_ENCRYPTED = ("HTTPS", "TLS")
_LAYER_4 = ("TCP", "UDP", "TCP_UDP", "TLS")
# AWS API reference, TargetGroupAttribute, the attributes of network load balancers.
_LAYER_4_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "deregistration_delay.connection_termination.enabled": "false",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "preserve_client_ip.enabled": "true",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.enabled": "false",
    "stickiness.type": "source_ip",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}


class _ElbError(ServiceException):
    """An error that Elastic Load Balancing answers with: code and message."""


def install() -> None:
    """Mend moto's service."""
    wrap(ELBv2Backend, "create_load_balancer", _create_load_balancer)
    wrap(ELBv2Backend, "create_listener", _create_listener)
    wrap(FakeTargetGroup, "__init__", _init_target_group)


def _create_load_balancer(
    create: Callable[..., FakeLoadBalancer], backend: ELBv2Backend, name: str, *args: Any, **kwargs: Any
) -> FakeLoadBalancer:
    """Refuse a name that is taken, which moto forgets, and name a network load balancer as one."""
    if any(balancer.name == name for balancer in backend.load_balancers.values()):
        raise _ElbError("DuplicateLoadBalancerName", f"A load balancer with the same name '{name}' exists.")
    balancer = create(backend, name, *args, **kwargs)
    if balancer.type == "network":
        arn = balancer.arn
        balancer.arn = arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
        backend.load_balancers[balancer.arn] = backend.load_balancers.pop(arn)
        tags = backend.tagging_service.tags
        if arn in tags:
            tags[balancer.arn] = tags.pop(arn)
        identity = arn.rpartition("/")[2]
        balancer.dns_name = f"{name}-{identity}.elb.{backend.region_name}.amazonaws.com"
        zone = balancer.canonical_hosted_zone_id
        balancer.canonical_hosted_zone_id = _NLB_ZONES.get(backend.region_name, zone)
    return balancer


def _create_listener(
    create: Callable[..., FakeListener], backend: ELBv2Backend, *args: Any, **kwargs: Any
) -> FakeListener:
    """Leave out the security policy where nothing is encrypted."""
    listener = create(backend, *args, **kwargs)
    if listener.protocol not in _ENCRYPTED:
        listener.ssl_policy = None  # type: ignore[assignment]  # moto's answers leave it out then
    return listener


def _init_target_group(init: Callable[..., None], group: FakeTargetGroup, *args: Any, **kwargs: Any) -> None:
    """Give a group of a network load balancer its own attributes, rather than those of an application's."""
    init(group, *args, **kwargs)
    if group.protocol in _LAYER_4:
        group.attributes = dict(_LAYER_4_ATTRIBUTES)
        if group.target_type == "ip" and group.protocol in ("TCP", "TLS"):
            group.attributes["preserve_client_ip.enabled"] = "false"
