"""What all services share, and the mesh's gateway."""

from typing import Any

import pulumi
import pulumi_aws.appmesh
import pulumi_aws.ec2
import pulumi_aws.ecs
import pulumi_aws.iam
import pulumi_aws.lb
import pulumi_aws.servicediscovery
import pulumi_aws.ssm

from services import containers, network
from services.containers import APP_PORT
from services.settings import Settings
from services.task import MeshTask, Placement

aws = pulumi_aws

_GATEWAY = "mesh-gw-proxy"
_GATEWAY_ENVOY_MEMORY_MIB = 256


class Platform(pulumi.ComponentResource):
    """VPC, ECS cluster, Cloud Map namespace, mesh, and the gateway Envoy behind its load balancer."""

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__("ecs-tracing:services:Platform", name)
        child = pulumi.ResourceOptions(parent=self)
        vpc = network.vpc(name, child)
        cluster = aws.ecs.Cluster(
            f"{name}-cluster",
            name="container-demo",
            settings=[{"name": "containerInsights", "value": "enabled"}],
            opts=child,
        )
        namespace = aws.servicediscovery.PrivateDnsNamespace(
            f"{name}-namespace", name="service.local", vpc=vpc.vpc_id, opts=child
        )
        shared = network.security_group(f"{name}-services", "FrontendToBackend", vpc.vpc_id, child)
        gateway_group = network.security_group(f"{name}-gateway", "Mesh gateway", vpc.vpc_id, child)
        network.allow(f"{name}-services-self", shared, child, referenced_security_group_id=shared.id)
        network.allow(f"{name}-services-gateway", shared, child, referenced_security_group_id=gateway_group.id)
        network.allow(f"{name}-gateway-world", gateway_group, child, cidr_ipv4="0.0.0.0/0")
        mesh = aws.appmesh.Mesh(f"{name}-mesh", name="ecs-mesh", opts=child)
        gateway = aws.appmesh.VirtualGateway(
            f"{name}-virtual-gateway",
            name="ecsworkshop-vgw",
            mesh_name=mesh.name,
            spec={"listeners": [{"port_mapping": {"port": APP_PORT, "protocol": "http"}}]},
            opts=child,
        )
        balancer, listener, targets = self._balancer(name, vpc, child)
        task = MeshTask(
            f"{name}-gateway",
            parent=self,
            settings=settings,
            placement=Placement(
                cluster=cluster.arn,
                subnets=vpc.public_subnet_ids,
                security_group=gateway_group.id,
                namespace=namespace.id,
                public_ip=True,
            ),
            ecs_service=_GATEWAY,
            family="mesh-gw-proxy-taskdef",
            mesh_resource=gateway.arn,
            containers=lambda logs: [
                containers.envoy(
                    resource_arn=gateway.arn,
                    region=settings.region,
                    log_level="info",
                    memory_mib=_GATEWAY_ENVOY_MEMORY_MIB,
                    logs=logs("/mesh-gateway"),
                    sidecar=False,
                )
            ],
            proxy=False,
            service_args={
                "desired_count": 1,
                "health_check_grace_period_seconds": 60,
                "load_balancers": [
                    {"target_group_arn": targets.arn, "container_name": "envoy", "container_port": APP_PORT}
                ],
            },
            # ECS refuses a target group that no load balancer uses yet.
            service_opts=pulumi.ResourceOptions(depends_on=[listener]),
        )
        self.outputs: dict[str, Any] = {
            **task.outputs(settings, cluster.name),
            "clusterArn": cluster.arn,
            "vpcId": vpc.vpc_id,
            "publicSubnetIds": vpc.public_subnet_ids,
            "privateSubnetIds": vpc.private_subnet_ids,
            "namespaceId": namespace.id,
            "namespaceName": namespace.name,
            "securityGroupId": shared.id,
            "meshName": mesh.name,
            "meshArn": mesh.arn,
            "virtualGatewayName": gateway.name,
            "virtualGatewayArn": gateway.arn,
            "gatewayDns": balancer.dns_name,
        }
        self.register_outputs(self.outputs)

    def _balancer(self, name: str, vpc: Any, child: pulumi.ResourceOptions) -> tuple[Any, Any, Any]:
        balancer = aws.lb.LoadBalancer(
            f"{name}-nlb",
            load_balancer_type="network",
            internal=False,
            subnets=vpc.public_subnet_ids,
            enable_deletion_protection=False,
            opts=child,
        )
        targets = aws.lb.TargetGroup(
            f"{name}-targets", port=80, protocol="TCP", target_type="ip", vpc_id=vpc.vpc_id, opts=child
        )
        listener = aws.lb.Listener(
            f"{name}-listener",
            load_balancer_arn=balancer.arn,
            port=80,
            protocol="TCP",
            default_actions=[{"type": "forward", "target_group_arn": targets.arn}],
            opts=child,
        )
        return balancer, listener, targets
