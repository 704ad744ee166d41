"""The events of a service, newest first, as DescribeServices lists them."""

import time
import uuid

from localaws.ecs.model import Service

MOST_EVENTS = 100  # as AWS keeps


def note(service: Service, message: str) -> None:
    """Add an event; the text follows the service's name, as in AWS's own."""
    event = {"id": str(uuid.uuid4()), "createdAt": time.time(), "message": f"(service {service.name}) {message}"}
    service.events = [event, *service.events[: MOST_EVENTS - 1]]
