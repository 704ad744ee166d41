"""The platform, value by value (reference, section 2; repairs: docs/differences.md)."""

from typing import Any

from tests.services.world import Deployment, deployed, variables


def platform(**config: str) -> Deployment:
    return deployed("platform", **config)


def test_the_vpc_is_laid_out_as_in_the_workshop() -> None:
    """Public /27 at .0 .32 .64, private at .96 .128 .160, one NAT gateway a zone."""
    assert platform().one("awsx:ec2:Vpc") == {
        "cidrBlock": "10.0.0.0/24",
        "numberOfAvailabilityZones": 3,
        "enableDnsSupport": True,
        "enableDnsHostnames": True,
        "natGateways": {"strategy": "OnePerAz"},
        "subnetStrategy": "Auto",
        "subnetSpecs": [
            {"type": "Public", "cidrBlocks": ["10.0.0.0/27", "10.0.0.32/27", "10.0.0.64/27"]},
            {"type": "Private", "cidrBlocks": ["10.0.0.96/27", "10.0.0.128/27", "10.0.0.160/27"]},
        ],
        "tags": {"Name": "ecsworkshop-base/BaseVPC"},
    }


def test_cluster_namespace_and_mesh() -> None:
    """Names that the workshop's commands use. An empty mesh lets out only what it defines."""
    assert platform().one("ecs/cluster:Cluster") == {
        "name": "container-demo",
        "settings": [{"name": "containerInsights", "value": "enabled"}],
    }
    assert platform().one("servicediscovery/privateDnsNamespace:PrivateDnsNamespace") == {
        "name": "service.local",
        "vpc": "vpc-1",
    }
    assert platform().one("appmesh/mesh:Mesh") == {"name": "ecs-mesh"}


def test_the_virtual_gateway() -> None:
    """One listener, HTTP 3000."""
    assert platform().one("appmesh/virtualGateway:VirtualGateway") == {
        "name": "ecsworkshop-vgw",
        "meshName": "ecs-mesh",
        "spec": {"listeners": [{"portMapping": {"port": 3000, "protocol": "http"}}]},
    }


def test_the_load_balancer() -> None:
    """Internet-facing, TCP 80 to the gateway tasks' addresses, with a security group of its own."""
    balancer = platform().one("lb/loadBalancer:LoadBalancer")
    assert balancer == {
        "loadBalancerType": "network",
        "internal": False,
        "enableDeletionProtection": False,
        "subnets": ["public-a", "public-b", "public-c"],
        "securityGroups": ["platform-network-balancer-id"],
    }
    assert platform().one("lb/targetGroup:TargetGroup") == {
        "protocol": "TCP",
        "port": 80,
        "targetType": "ip",
        "vpcId": "vpc-1",
    }
    listener = platform().one("lb/listener:Listener")
    assert (listener["protocol"], listener["port"]) == ("TCP", 80)
    assert [action["type"] for action in listener["defaultActions"]] == ["forward"]


def test_the_gateways_task() -> None:
    """Envoy alone: no redirection and no user, a port instead; the same size as every other task."""
    definition = dict(platform().one("ecs/taskDefinition:TaskDefinition"))
    assert definition["family"] == "mesh-gw-proxy-taskdef"
    assert (definition["cpu"], definition["memory"]) == ("512", "1024")
    assert definition["requiresCompatibilities"] == ["FARGATE"]
    assert "proxyConfiguration" not in definition
    assert set(platform().containers) == {"envoy"}
    envoy = platform().containers["envoy"]
    assert (envoy["essential"], envoy["memoryReservation"], "user" in envoy) == (True, 256, False)
    assert envoy["portMappings"] == [{"containerPort": 3000, "hostPort": 3000, "protocol": "tcp"}]
    assert envoy["ulimits"] == [{"name": "nofile", "softLimit": 15000, "hardLimit": 15000}]
    assert envoy["logConfiguration"]["options"]["awslogs-stream-prefix"] == "/mesh-gateway"
    assert variables(envoy) == {
        "APPMESH_RESOURCE_ARN": platform().outputs["virtualGatewayArn"],
        "AWS_REGION": "us-east-1",
        "ENABLE_ENVOY_STATS_TAGS": "1",
        "ENVOY_LOG_LEVEL": "info",
    }


def test_the_gateways_ecs_service() -> None:
    """Behind the load balancer with 60 s of grace, in the private subnets without a public address."""
    service = platform().one("ecs/service:Service")
    assert (service["name"], service["desiredCount"], service["healthCheckGracePeriodSeconds"]) == (
        "mesh-gw-proxy",
        1,
        60,
    )
    assert [(b["containerName"], b["containerPort"]) for b in service["loadBalancers"]] == [("envoy", 3000)]
    assert service["networkConfiguration"] == {
        "subnets": ["private-a", "private-b", "private-c"],
        "securityGroups": ["platform-network-gateway-id"],
        "assignPublicIp": False,
    }
    assert service["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert platform().one("servicediscovery/service:Service")["name"] == "mesh-gw-proxy"


def rules(kind: str) -> set[tuple[Any, ...]]:
    return {
        (
            rule.inputs.get("cidrIpv4") or rule.inputs["referencedSecurityGroupId"],
            rule.inputs["securityGroupId"],
            rule.inputs.get("fromPort"),
            rule.inputs.get("toPort"),
        )
        for rule in platform().all(f"vpc/securityGroup{kind}Rule:SecurityGroup{kind}Rule")
    }


def test_only_the_load_balancer_is_open_to_the_world() -> None:
    """World → load balancer → gateway → services ↔ services; each rule once."""
    balancer, gateway, services = (f"platform-network-{name}-id" for name in ("balancer", "gateway", "services"))
    assert rules("Ingress") == {
        ("0.0.0.0/0", balancer, 80, 80),
        (balancer, gateway, 3000, 3000),
        (gateway, services, 3000, 3000),
        (services, services, 3000, 3000),
    }
    assert rules("Egress") == {("0.0.0.0/0", group, None, None) for group in (balancer, gateway, services)}
    assert platform().outputs["securityGroupId"] == services


def test_the_load_test_host_comes_on_demand() -> None:
    """The workshop's machine, in the first private subnet; a new image does not replace it."""
    assert platform().all("ec2/instance:Instance") == []
    assert "loadTestHostId" not in platform().outputs
    with_host = platform(loadTestHost="true")
    (host,) = with_host.all("ec2/instance:Instance")
    assert host.inputs["ami"].endswith("/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2")
    assert host.inputs["instanceType"] == "t3.medium"
    assert host.inputs["subnetId"] == "private-a"
    assert host.inputs["vpcSecurityGroupIds"] == ["platform-network-services-id"]
    assert host.inputs["tags"] == {"Name": "ecsworkshop-base-stresstool"}
    assert "siege" in host.inputs["userData"]
    assert host.ignored == ("ami",)
    assert with_host.outputs["loadTestHostId"] == "platform-load-test-host-id"


def test_the_rest_is_the_same_with_the_load_test_host() -> None:
    """An option adds; it changes nothing else."""
    assert platform().inventory < platform(loadTestHost="true").inventory


def test_what_services_and_automation_read() -> None:
    """The outputs that others are promised."""
    promised = {
        "clusterName", "serviceName", "taskDefinitionArn", "taskRoleName", "tracing", "vpcId", "privateSubnetIds",
        "publicSubnetIds", "namespaceId", "namespaceName", "securityGroupId", "clusterArn", "meshName", "meshArn",
        "virtualGatewayName", "virtualGatewayArn", "gatewayDns",
    }  # fmt: skip
    assert promised <= set(platform().outputs)
    assert all(value not in (None, "") for value in platform().outputs.values())
