"""Application Auto Scaling's hold on a service: the desired count stays within the bounds of its scalable target.

Without metrics nothing else scales. The bounds are kept at once, where AWS takes until the target is registered or its
alarms are next evaluated. A service scaled to 0 by hand stays there, as it does on AWS for want of metrics.
"""

from moto.applicationautoscaling.models import applicationautoscaling_backends

from localaws.ecs.backend import EcsBackend
from localaws.ecs.model import Service


def heed_bounds(backend: EcsBackend, service: Service) -> None:
    """Bring the desired count within the bounds, if the service has a scalable target."""
    targets = applicationautoscaling_backends[backend.account_id][backend.region_name].targets
    target = targets.get("ecs:service:DesiredCount", {}).get(f"service/{service.cluster}/{service.name}")
    if target is None or service.desired == 0:
        return
    lowest = target.min_capacity if target.min_capacity is not None else service.desired
    highest = target.max_capacity if target.max_capacity is not None else service.desired
    service.desired = max(lowest, min(service.desired, highest))
