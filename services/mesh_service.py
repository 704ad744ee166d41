"""The building block of every service in the mesh: an application and its Envoy, placed, announced and routed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from services import routing
from services.containers import Application, Envoy
from services.fargate import Placement, Scaling, run_on_fargate
from services.neighbours import Neighbour
from services.routing import Entrance
from services.settings import Settings
from services.task import TASK_CPU, TASK_MEMORY, TaskPlan, register_task


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What distinguishes one service from the next.

    Raises:
        ValueError: the names or sizes do not fit into one task (see `TaskPlan`).
    """

    node: str  # name of the virtual node; also the application's container (<node>-app) and its log streams
    service_name: str  # of the ECS service and in Cloud Map
    family: str  # of the task definition
    image: str
    envoy_log_level: str = "info"
    variables: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)  # for the application
    health_path: str = "/health"  # of the application
    backends: Sequence[pulumi.Input[str]] = ()  # names of the virtual services that it calls
    entrance: Entrance | None = None  # for the service that the gateway leads to
    scaling: Scaling | None = None  # None: one task
    cpu: int = TASK_CPU  # units of the whole task, 1024 a vCPU
    memory: int = TASK_MEMORY  # MiB, likewise

    def __post_init__(self) -> None:
        self.task_plan()

    def task_plan(self) -> TaskPlan:
        """The task that runs it."""
        application = Application(
            name=f"{self.node}-app",
            image=self.image,
            log_prefix=f"/{self.node}-container",
            variables=self.variables,
            health_path=self.health_path,
        )
        envoy = Envoy(log_level=self.envoy_log_level, log_prefix="/mesh-envoy-container")
        return TaskPlan(family=self.family, application=application, envoy=envoy, cpu=self.cpu, memory=self.memory)


class MeshService(pulumi.ComponentResource):
    """A service of the mesh with all it needs beside the platform. Each is a subclass, so that it has its own type."""

    outputs: Mapping[str, Any]

    def __init__(
        self,
        name: str,
        *,
        workload: Workload,
        platform: Neighbour,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # The children wait for their parent, so nothing is created where the platform is missing.
        after_platform = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[platform.deployed]))
        super().__init__(f"ecs-tracing:services:{type(self).__name__}", name, {}, after_platform)
        namespace_name = platform.output("namespaceName")
        node = routing.virtual_node(
            self,
            name,
            node=workload.node,
            service_name=workload.service_name,
            mesh_name=platform.output("meshName"),
            namespace_name=namespace_name,
            backends=workload.backends,
        )
        task = register_task(self, name, workload.task_plan(), mesh_resource_arn=node.arn, settings=settings)
        service = run_on_fargate(
            self,
            name,
            service_name=workload.service_name,
            task=task,
            placement=Placement(
                cluster_arn=platform.output("clusterArn"),
                cluster_name=platform.output("clusterName"),
                subnet_ids=platform.output("privateSubnetIds"),
                security_group_id=platform.output("securityGroupId"),
                namespace_id=platform.output("namespaceId"),
            ),
            scaling=workload.scaling,
        )
        virtual_service = routing.virtual_service(
            self,
            name,
            service_name=workload.service_name,
            namespace_name=namespace_name,
            node=node,
            entrance=workload.entrance,
        )
        self.outputs = {
            "clusterName": platform.output("clusterName"),
            "serviceName": service.name,
            "taskDefinitionArn": task.definition.arn,
            "taskRoleName": task.role.name,
            "tracing": settings.tracing,
            "samplingRate": settings.sampling_rate,
            "meshName": platform.output("meshName"),
            "backends": list(workload.backends),
            "entrance": workload.entrance is not None,
            "virtualNodeName": node.name,
            "virtualNodeArn": node.arn,
            "virtualServiceName": virtual_service.name,
            "logGroupName": task.logs.name,
        }
        self.register_outputs(dict(self.outputs))
