"""The building block of every service in the mesh: an application and its Envoy, placed, announced and routed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi import Output

from services import own_mesh, routing
from services.aws import appmesh
from services.containers import MESH_PORT, Application, Envoy
from services.fargate import Placement, Scaling, run_on_fargate
from services.neighbours import Neighbour
from services.routing import Entrance
from services.settings import Settings
from services.sizes import TASK_CPU, TASK_MEMORY
from services.task import AppMeshSeat, Seat, TaskPlan, register_task


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A service that another one calls."""

    host: pulumi.Input[str]  # its name in DNS, which is that of its virtual service
    variable: str  # that tells the application where it is
    path: str = ""  # of the URL in it
    port: int = MESH_PORT  # TCP; of its application


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
    port: int = MESH_PORT  # TCP, likewise
    backends: Sequence[Backend] = ()  # the services that it calls
    entrance: Entrance | None = None  # for the service that the gateway leads to
    scaling: Scaling | None = None  # None: one task
    cpu: int = TASK_CPU  # units of the whole task, 1024 a vCPU
    memory: int = TASK_MEMORY  # MiB, likewise

    def __post_init__(self) -> None:
        self.task_plan()

    def task_plan(self, addresses: Mapping[str, pulumi.Input[str]] | None = None) -> TaskPlan:
        """The task that runs it; `addresses` are where it finds its backends, by variable."""
        application = Application(
            name=f"{self.node}-app",
            image=self.image,
            log_prefix=f"/{self.node}-container",
            variables={**self.variables, **(addresses or {})},
            health_path=self.health_path,
            port=self.port,
        )
        envoy = Envoy(log_level=self.envoy_log_level, log_prefix="/mesh-envoy-container")
        return TaskPlan(family=self.family, application=application, envoy=envoy, cpu=self.cpu, memory=self.memory)


class MeshService(pulumi.ComponentResource):
    """A service of the mesh with all it needs beside the platform. Each is a subclass, so that it has its own type."""

    outputs: Mapping[str, Any]

    def __init__(  # noqa: PLR0913 - all but one are keywords
        self,
        name: str,
        *,
        workload: Workload,
        platform: Neighbour,
        settings: Settings,
        mesh_name: str = own_mesh.MESH_NAME,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        own_mesh.check_backends(workload.node, len(workload.backends), settings)
        # The children wait for their parent, so nothing is created where the platform is missing.
        after_platform = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[platform.deployed]))
        super().__init__(f"ecs-tracing:services:{type(self).__name__}", name, {}, after_platform)
        hosts = [backend.host for backend in workload.backends]
        node = self._node(name, workload, platform, hosts) if settings.has_app_mesh else None
        seat: Seat
        found: Sequence[pulumi.Input[str]]
        if node is not None and settings.mesh == "appmesh":
            seat, found = (
                AppMeshSeat(arn=node.arn),
                [Output.concat("http://", backend.host, f":{backend.port}") for backend in workload.backends],
            )
        else:
            kept = node.arn if node else None
            seat = own_mesh.beside_application(
                workload.node, hosts, settings, kept, mesh_name=mesh_name, port=workload.port
            )
            found = own_mesh.addresses(len(hosts))
        addresses = {
            backend.variable: Output.concat(address, backend.path)
            for backend, address in zip(workload.backends, found, strict=True)
        }
        task = register_task(self, name, workload.task_plan(addresses), seat=seat, settings=settings)
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
            dns_ttl=settings.dns_ttl,
        )
        self.outputs = {
            "clusterName": platform.output("clusterName"),
            "serviceName": service.name,
            "taskDefinitionArn": task.definition.arn,
            "taskRoleName": task.role.name,
            "tracing": settings.tracing,
            "mesh": settings.mesh,
            "bothMeshes": settings.both_meshes,
            "samplingRate": settings.sampling_rate,
            "meshName": platform.output("meshName"),
            "backends": hosts,
            "entrance": workload.entrance is not None,
            **self._names(name, workload, platform, node),
            "logGroupName": task.logs.name,
        }
        self.register_outputs(dict(self.outputs))

    def _node(
        self, name: str, workload: Workload, platform: Neighbour, hosts: Sequence[pulumi.Input[str]]
    ) -> appmesh.VirtualNode:
        return routing.virtual_node(
            self,
            name,
            node=workload.node,
            service_name=workload.service_name,
            port=workload.port,
            mesh_name=platform.output("meshName"),
            namespace_name=platform.output("namespaceName"),
            backends=hosts,
        )

    def _names(
        self, name: str, workload: Workload, platform: Neighbour, node: appmesh.VirtualNode | None
    ) -> Mapping[str, pulumi.Input[str]]:
        """What the service is called in the mesh, its name in DNS among it; made in App Mesh where it is there."""
        namespace = platform.output("namespaceName")
        if node is None:
            host = Output.concat(workload.service_name, ".", namespace)
            return {"virtualNodeName": workload.node, "virtualServiceName": host}
        service = routing.virtual_service(
            self,
            name,
            service_name=workload.service_name,
            namespace_name=namespace,
            node=node,
            port=workload.port,
            entrance=workload.entrance,
        )
        return {"virtualNodeName": node.name, "virtualNodeArn": node.arn, "virtualServiceName": service.name}
