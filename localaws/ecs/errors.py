"""ECS's errors, with AWS's codes and words.

The codes are those of the ECS service model; the texts are what the service itself answers, as quoted in its
documentation and in public issue threads, since clients match on some of them.
"""

from moto.core.exceptions import ServiceException


class EcsError(ServiceException):
    """An error that ECS answers with: code and message."""


def client_error(message: str) -> EcsError:
    """Return ECS's error for what the client got wrong in a task definition or a reference to one."""
    return EcsError("ClientException", message)


def invalid(message: str) -> EcsError:
    """Return ECS's error for a wrong parameter."""
    return EcsError("InvalidParameterException", message)


def cluster_not_found(message: str = "Cluster not found.") -> EcsError:
    """Return ECS's error for a cluster that is not there or not active."""
    return EcsError("ClusterNotFoundException", message)


def service_not_found() -> EcsError:
    """Return ECS's error for a service that was never there."""
    return EcsError("ServiceNotFoundException", "Service not found.")


def service_not_active() -> EcsError:
    """Return ECS's error for a change to a service that is being, or has been, deleted."""
    return EcsError("ServiceNotActiveException", "Service was not ACTIVE.")
