"""ECS's API: which operation is answered where."""

from collections.abc import Callable, Mapping
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.ecs.models import ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse

from localaws.ecs import alarm, clusters, definitions, deployments, services, tagging, tasks
from localaws.ecs.backend import EcsBackend
from localaws.ecs.errors import EcsError
from localaws.ecs.model import Document

Handler = Callable[[EcsBackend, Document], Document]

OPERATIONS: Mapping[str, Handler] = {
    "CreateCluster": clusters.create_cluster,
    "CreateService": services.create_service,
    "DeleteCluster": clusters.delete_cluster,
    "DeleteService": services.delete_service,
    "DeleteTaskDefinitions": definitions.delete_task_definitions,
    "DeregisterTaskDefinition": definitions.deregister_task_definition,
    "DescribeClusters": clusters.describe_clusters,
    "DescribeServiceDeployments": deployments.describe_service_deployments,
    "DescribeServiceRevisions": deployments.describe_service_revisions,
    "DescribeServices": services.describe_services,
    "DescribeTaskDefinition": definitions.describe_task_definition,
    "DescribeTasks": tasks.describe_tasks,
    "ListClusters": clusters.list_clusters,
    "ListServiceDeployments": deployments.list_service_deployments,
    "ListServices": services.list_services,
    "ListTagsForResource": tagging.list_tags_for_resource,
    "ListTaskDefinitionFamilies": definitions.list_task_definition_families,
    "ListTaskDefinitions": definitions.list_task_definitions,
    "ListTasks": tasks.list_tasks,
    "PutClusterCapacityProviders": clusters.put_cluster_capacity_providers,
    "RegisterTaskDefinition": definitions.register_task_definition,
    "RunTask": tasks.run_task,
    "StopTask": tasks.stop_task,
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
    "UpdateCluster": clusters.update_cluster,
    "UpdateClusterSettings": clusters.update_cluster,
    "UpdateService": services.update_service,
}
# Answered by moto from what it keeps itself, and right for what is there: no container instances run anything.
MOTOS = frozenset(
    {
        "CreateCapacityProvider",
        "DeleteAccountSetting",
        "DeleteAttributes",
        "DeleteCapacityProvider",
        "DeregisterContainerInstance",
        "DescribeCapacityProviders",
        "DescribeContainerInstances",
        "DiscoverPollEndpoint",
        "ListAccountSettings",
        "ListAttributes",
        "ListContainerInstances",
        "PutAccountSetting",
        "PutAttributes",
        "RegisterContainerInstance",
        "UpdateCapacityProvider",
        "UpdateContainerInstancesState",
    }
)


class EcsResponse(EC2ContainerServiceResponse):
    """Answers one request."""

    def call_action(self) -> TYPE_RESPONSE:
        """Answer from the handler of the operation.

        Raises:
            NotImplementedError: nobody has it; the server says so to the client.

        """
        action = self._get_action()
        if action in MOTOS:
            return super().call_action()
        handler = OPERATIONS.get(action)
        if handler is None:
            raise NotImplementedError(action)
        backend = ecs_backends[self.current_account][self.region]
        assert isinstance(backend, EcsBackend)  # noqa: S101 - for the type checker; `install` sees to it
        result: object
        try:
            result = handler(backend, _plain(self.params))
        except EcsError as error:
            result = error
        if not action.startswith(("Describe", "List")):
            alarm.wake()
        return self.serialized(ActionResult(result))


def _plain(value: Any) -> Any:
    """Return parameters as dictionaries and lists of their own, so that nothing kept is shared with a request."""
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items() if member is not None}
    return [_plain(item) for item in value] if isinstance(value, list) else value
