"""The state of ECS in one account and region.

Clusters, container instances, capacity providers, attributes and account settings stay moto's. Its services, tasks and
task definitions are not used: nothing runs there, and fields are lost.
"""

from types import SimpleNamespace
from typing import Any

from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.urls import url_bases
from moto.utilities.utils import get_partition

from localaws.ecs import alarm
from localaws.ecs.model import ENDED, Document, Service, Task


class EcsBackend(EC2ContainerServiceBackend):
    """What one account has in one region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.definitions: dict[str, dict[int, Document]] = {}  # by family and revision
        self.last_revision: dict[str, int] = {}  # by family; never goes back
        self.services_by_name: dict[tuple[str, str], Service] = {}  # by cluster and name
        self.tasks_by_id: dict[str, Task] = {}
        self.tags: dict[str, list[dict[str, str]]] = {}  # by ARN

    @property
    def _url_module(self) -> SimpleNamespace:
        """Tell moto who answers the requests for ECS."""
        from localaws.ecs.api import EcsResponse  # noqa: PLC0415 - which needs this module

        return SimpleNamespace(url_bases=url_bases, url_paths={"{0}/$": EcsResponse.dispatch})

    def arn(self, resource: str) -> str:
        """Return the ARN of `service/cluster/name` and the like."""
        return f"arn:{get_partition(self.region_name)}:ecs:{self.region_name}:{self.account_id}:{resource}"

    @property
    def principal(self) -> str:
        """Return the ARN of who calls: the embedded AWS knows but one."""
        return f"arn:{get_partition(self.region_name)}:iam::{self.account_id}:root"

    def tasks_of(self, service: Service) -> list[Task]:
        """Return the tasks of a service that have not ended, oldest first."""
        return [
            task
            for task in self.tasks_by_id.values()
            if (task.cluster, task.service) == (service.cluster, service.name) and task.status != ENDED
        ]

    def describe_services(self, cluster_str: str, service_names: list[str]) -> tuple[list[Any], list[Any]]:
        """Return the active services of these names, and a None for each that is not.

        Moto's Application Auto Scaling asks this when it is given a service to scale, so there may be news.
        """
        alarm.wake()
        cluster = cluster_str.rpartition("/")[2]
        names = [name.rpartition("/")[2] for name in service_names]
        known = [self.services_by_name.get((cluster, name)) for name in names]
        active = [service for service in known if service and service.status == "ACTIVE"]
        return active, [None] * (len(known) - len(active))
