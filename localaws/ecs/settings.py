"""A service's settings: what CreateService and UpdateService say, the defaults that AWS fills in, what it refuses."""

from typing import Any

from moto.elbv2.models import elbv2_backends
from moto.servicediscovery.models import servicediscovery_backends

from localaws.ecs import launch, network
from localaws.ecs.backend import EcsBackend
from localaws.ecs.errors import invalid
from localaws.ecs.lookup import last_part
from localaws.ecs.model import Document

# Parameters that are echoed as given.
_ECHOED = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "launchType",
    "loadBalancers",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "propagateTags",
    "schedulingStrategy",
    "serviceConnectConfiguration",
    "serviceRegistries",
    "volumeConfigurations",
)
_DEFAULTS: Document = {
    "availabilityZoneRebalancing": "ENABLED",
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "loadBalancers": [],
    "placementConstraints": [],
    "placementStrategy": [],
    "propagateTags": "NONE",
    "schedulingStrategy": "REPLICA",
    "serviceRegistries": [],
}
_DEPLOYMENT_DEFAULTS: Document = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}


def created(backend: EcsBackend, params: Document, definition: Document, default_strategy: list[Any]) -> Document:
    """Return the settings of a new service.

    Args:
        backend: where it is to be.
        params: of CreateService.
        definition: its task definition.
        default_strategy: the cluster's capacity provider strategy.

    Raises:
        EcsError: what AWS would not take.

    """
    settings = _DEFAULTS | _given(params)
    if not settings.get("launchType") and not settings.get("capacityProviderStrategy"):
        settings |= {"capacityProviderStrategy": default_strategy} if default_strategy else {"launchType": "EC2"}
    if launch.can_run(settings):
        settings = {"platformVersion": "LATEST"} | settings | {"platformFamily": launch.PLATFORM_FAMILY}
    settings["deploymentConfiguration"] = _DEPLOYMENT_DEFAULTS | params.get("deploymentConfiguration", {})
    settings["deploymentController"] = params.get("deploymentController", {"type": "ECS"})
    _settle_grace(settings)
    _check(backend, settings, definition)
    return settings


def updated(backend: EcsBackend, old: Document, params: Document, definition: Document) -> Document:
    """Return a service's settings after an update.

    Raises:
        EcsError: what AWS would not take.

    """
    settings = old | _given(params)
    settings["deploymentConfiguration"] = old["deploymentConfiguration"] | params.get("deploymentConfiguration", {})
    if settings.get("capacityProviderStrategy") and "capacityProviderStrategy" in params:
        settings.pop("launchType", None)
    _settle_grace(settings)
    _check(backend, settings, definition)
    return settings


def _given(params: Document) -> Document:
    given = {name: params[name] for name in _ECHOED if params.get(name) is not None}
    if "networkConfiguration" in given:
        defaults = {"securityGroups": [], "assignPublicIp": "DISABLED"}
        given["networkConfiguration"] = {
            name: defaults | value for name, value in given["networkConfiguration"].items()
        }
    return given


def _settle_grace(settings: Document) -> None:
    """Give a service with load balancers its grace period, 0 by default; one without has none."""
    period = settings.pop("healthCheckGracePeriodSeconds", 0)
    if settings["loadBalancers"]:
        settings["healthCheckGracePeriodSeconds"] = period
    elif period:
        message = "Health check grace period is only valid for services configured to use load balancers"
        raise invalid(message)


def _check(backend: EcsBackend, settings: Document, definition: Document) -> None:
    if settings["deploymentController"]["type"] != "ECS":
        message = "The embedded AWS deploys with the deployment controller ECS only."
        raise invalid(message)
    if settings["schedulingStrategy"] == "DAEMON":
        message = "The DAEMON scheduling strategy is not supported for Fargate tasks."
        raise invalid(message)
    launch.check(definition, settings)
    if settings.get("networkConfiguration"):
        network.check(backend, settings["networkConfiguration"]["awsvpcConfiguration"])
    _check_deployment(settings["deploymentConfiguration"])
    for balancer in settings["loadBalancers"]:
        _check_balancer(backend, balancer, definition)
    for registry in settings["serviceRegistries"]:
        _check_registry(backend, registry, definition)


def _check_deployment(shape: Document) -> None:
    lowest, highest = shape["minimumHealthyPercent"], shape["maximumPercent"]
    if lowest == highest == 100:  # noqa: PLR2004 - percent
        message = "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."
        raise invalid(message)
    if highest < max(lowest, 1) or lowest < 0:
        message = f"maximumPercent ({highest}) must be greater than minimumHealthyPercent ({lowest})."
        raise invalid(message)
    if shape["strategy"] != "ROLLING":
        message = f"The embedded AWS has no deployment strategy {shape['strategy']}; it has ROLLING."
        raise invalid(message)


def _check_balancer(backend: EcsBackend, balancer: Document, definition: Document) -> None:
    arn = balancer.get("targetGroupArn")
    group = elbv2_backends[backend.account_id][backend.region_name].target_groups.get(arn) if arn else None
    if group is None:
        message = f"The specified target group {arn} does not exist."
        raise invalid(message)
    if not group.load_balancer_arns:
        message = f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        raise invalid(message)
    if definition["networkMode"] == "awsvpc" and group.target_type != "ip":
        message = (
            f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the "
            "awsvpc network mode specified in the task definition."
        )
        raise invalid(message)
    _check_port(definition, balancer["containerName"], balancer["containerPort"])


def _check_registry(backend: EcsBackend, registry: Document, definition: Document) -> None:
    arn = registry["registryArn"]
    if last_part(arn) not in servicediscovery_backends[backend.account_id][backend.region_name].services:
        message = f"The specified service registry {arn} does not exist."
        raise invalid(message)
    if "containerName" in registry:
        _check_port(definition, registry["containerName"], registry.get("containerPort"))


def _check_port(definition: Document, name: str, port: int | None) -> None:
    container = next((item for item in definition["containerDefinitions"] if item["name"] == name), None)
    if container is None:
        message = f"The container {name} does not exist in the task definition."
        raise invalid(message)
    if port and port not in {mapping.get("containerPort") for mapping in container["portMappings"]}:
        message = f"The container {name} did not have a container port {port} defined."
        raise invalid(message)
