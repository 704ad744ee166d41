"""The tasks of the embedded ECS, run as processes of this machine."""

import os
from pathlib import Path

from localaws import authority
from localaws.ecs.model import Task
from localaws.ecs.runner import SimulatedRunner, TaskRunner
from localaws.errors import LocalAwsError
from localaws.instance import endpoint
from localaws.tasks import addresses
from localaws.tasks.runner import ProcessRunner

SWITCH = "LOCALAWS_TASKS"
# Set when the server starts: the stand-ins of the demo's applications pass X-Amzn-Trace-Id on, unlike the originals.
FORWARDING = "LOCALAWS_FORWARD_TRACE_HEADER"


def runner(folder: Path, port: int) -> TaskRunner:
    """Return what runs tasks: $LOCALAWS_TASKS is `processes` (if unset, where the machine can), or `simulated`.

    Raises:
        LocalAwsError: the variable says something else, or what the machine can't do.

    """
    wanted = os.environ.get(SWITCH, "")
    if wanted not in ("", "processes", "simulated"):
        message = (
            f"{SWITCH} is {wanted!r}; it can be 'processes', 'simulated' or unset. For the default: unset {SWITCH}"
        )
        raise LocalAwsError(message)
    can = addresses.available()
    if wanted == "processes" and not can:
        message = (
            f"{SWITCH} is 'processes', but this machine has no loopback addresses besides 127.0.0.1. "
            f"To have tasks simulated: unset {SWITCH}"
        )
        raise LocalAwsError(message)
    if wanted == "simulated" or not can:
        return SimulatedRunner()

    def environment(task: Task) -> dict[str, str]:
        """Return how a container of a task finds this AWS, and is known there as one of its role."""
        credentials = authority.issue(task.definition.get("taskRoleArn") or "", task.id)
        forwarding = {"FORWARD_TRACE_HEADER": "1"} if os.environ.get(FORWARDING) else {}
        return {"AWS_ENDPOINT_URL": endpoint(port), "AWS_EC2_METADATA_DISABLED": "true", **credentials, **forwarding}

    return ProcessRunner(folder, port, environment)
