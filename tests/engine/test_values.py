"""What AWS holds after a deployment, value by value (reference, sections 2 and 3; repairs: docs/differences.md)."""

import ipaddress
from typing import Any

import pytest

from tests.engine.checkout import Checkout

CLUSTER = "container-demo"
MESH = "ecs-mesh"
LISTENERS = [{"portMapping": {"port": 3000, "protocol": "http"}}]
EVERYWHERE = "0.0.0.0/0"
SERVICES = ("crystal", "nodejs", "frontend")
ECS_SERVICES = ("mesh-gw-proxy", "ecsdemo-crystal", "ecsdemo-nodejs", "ecsdemo-frontend")
ENVOY_CHECK = "curl -s http://localhost:9901/server_info | grep state | grep -q LIVE"

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def vpc(deployed: Checkout) -> dict[str, Any]:
    """The platform's VPC, found as the workshop's stacks find it: by its name."""
    named = [{"Name": "tag:Name", "Values": ["ecsworkshop-base/BaseVPC"]}]
    (found,) = deployed.aws("ec2").describe_vpcs(Filters=named)["Vpcs"]
    return dict(found)


@pytest.fixture(scope="module")
def subnets(deployed: Checkout, vpc: dict[str, Any]) -> list[dict[str, Any]]:
    """The VPC's subnets by address."""
    within = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    found = deployed.aws("ec2").describe_subnets(Filters=within)["Subnets"]
    return sorted(found, key=lambda subnet: ipaddress.ip_network(subnet["CidrBlock"]))


@pytest.fixture(scope="module")
def ecs_services(deployed: Checkout) -> dict[str, dict[str, Any]]:
    """The four ECS services by name."""
    described = deployed.aws("ecs").describe_services(cluster=CLUSTER, services=list(ECS_SERVICES))
    assert described["failures"] == []
    return {service["serviceName"]: service for service in described["services"]}


@pytest.fixture(scope="module")
def definitions(deployed: Checkout, ecs_services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The task definition of each ECS service."""
    ecs = deployed.aws("ecs")
    return {
        name: ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        for name, service in ecs_services.items()
    }


def nat_gateways(checkout: Checkout, vpc: dict[str, Any]) -> list[dict[str, Any]]:
    within = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "state", "Values": ["available"]}]
    return list(checkout.aws("ec2").describe_nat_gateways(Filters=within)["NatGateways"])


def container(definition: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in definition["containerDefinitions"] if each["name"] == name)
    return dict(found)


def variables(definition: dict[str, Any], name: str) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container(definition, name)["environment"]}


def test_the_vpc(deployed: Checkout, vpc: dict[str, Any]) -> None:
    """256 addresses, names resolved and given."""
    assert (vpc["CidrBlock"], vpc["InstanceTenancy"]) == ("10.0.0.0/24", "default")
    ec2 = deployed.aws("ec2")
    for attribute, key in (("enableDnsSupport", "EnableDnsSupport"), ("enableDnsHostnames", "EnableDnsHostnames")):
        assert ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=attribute)[key] == {"Value": True}


def test_three_public_then_three_private_subnets(subnets: list[dict[str, Any]]) -> None:
    """One of each in each of three zones; the last quarter of the addresses stays unused."""
    assert [subnet["CidrBlock"] for subnet in subnets] == [f"10.0.0.{first}/27" for first in (0, 32, 64, 96, 128, 160)]
    assert [subnet["MapPublicIpOnLaunch"] for subnet in subnets] == [True] * 3 + [False] * 3
    public, private = ([subnet["AvailabilityZone"] for subnet in half] for half in (subnets[:3], subnets[3:]))
    assert public == private
    assert len(set(public)) == 3


def test_each_zone_has_its_nat_gateway(deployed: Checkout, vpc: dict[str, Any], subnets: list[dict[str, Any]]) -> None:
    """One in each public subnet, each with an elastic address."""
    gateways = nat_gateways(deployed, vpc)
    assert {gateway["SubnetId"] for gateway in gateways} == {subnet["SubnetId"] for subnet in subnets[:3]}
    addresses = {gateway["NatGatewayAddresses"][0]["AllocationId"] for gateway in gateways}
    assert len(gateways) == len(addresses) == 3


def test_each_subnet_has_its_way_out(deployed: Checkout, vpc: dict[str, Any], subnets: list[dict[str, Any]]) -> None:
    """A table a subnet: the public ones lead to the internet gateway, the private ones to their own zone's NAT."""
    ec2 = deployed.aws("ec2")
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
    (internet,) = ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    within = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets}
    nats = {nat["NatGatewayId"]: zones[nat["SubnetId"]] for nat in nat_gateways(deployed, vpc)}
    ways: dict[str, dict[str, Any]] = {}
    for table in ec2.describe_route_tables(Filters=within)["RouteTables"]:
        for association in table["Associations"]:
            if "SubnetId" in association:
                (way,) = (route for route in table["Routes"] if route.get("DestinationCidrBlock") == EVERYWHERE)
                ways[association["SubnetId"]] = {**way, "table": table["RouteTableId"]}
    assert len({way["table"] for way in ways.values()}) == 6
    for subnet in subnets[:3]:
        assert ways[subnet["SubnetId"]]["GatewayId"] == internet["InternetGatewayId"]
    for subnet in subnets[3:]:
        assert nats[ways[subnet["SubnetId"]]["NatGatewayId"]] == subnet["AvailabilityZone"]


def test_the_cluster(deployed: Checkout) -> None:
    """Container Insights on, no capacity providers."""
    (cluster,) = deployed.aws("ecs").describe_clusters(clusters=[CLUSTER], include=["SETTINGS"])["clusters"]
    assert (cluster["clusterName"], cluster["status"]) == ("container-demo", "ACTIVE")
    assert cluster["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert cluster.get("capacityProviders", []) == []


def test_the_namespace(deployed: Checkout) -> None:
    """Private DNS under service.local."""
    (namespace,) = deployed.aws("servicediscovery").list_namespaces()["Namespaces"]
    assert (namespace["Name"], namespace["Type"]) == ("service.local", "DNS_PRIVATE")


def test_cloud_map_announces_the_four(deployed: Checkout) -> None:
    """A records of 60 s for every healthy task; ECS reports their health."""
    discovery = deployed.aws("servicediscovery")
    (namespace,) = discovery.list_namespaces()["Namespaces"]
    found = [discovery.get_service(Id=service["Id"])["Service"] for service in discovery.list_services()["Services"]]
    assert {service["Name"] for service in found} == set(ECS_SERVICES)
    for service in found:
        assert service["DnsConfig"]["RoutingPolicy"] == "MULTIVALUE"
        assert service["DnsConfig"]["DnsRecords"] == [{"Type": "A", "TTL": 60}]
        assert service["DnsConfig"].get("NamespaceId", service.get("NamespaceId")) == namespace["Id"]
        assert service["HealthCheckCustomConfig"] == {"FailureThreshold": 1}


def test_the_load_balancer(deployed: Checkout, subnets: list[dict[str, Any]]) -> None:
    """Internet-facing in the three public subnets, TCP 80 to addresses, without deletion protection."""
    elb = deployed.aws("elbv2")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    assert (balancer["Type"], balancer["Scheme"]) == ("network", "internet-facing")
    placed = {zone["SubnetId"] for zone in balancer["AvailabilityZones"]}
    assert placed == {subnet["SubnetId"] for subnet in subnets[:3]}
    arn = balancer["LoadBalancerArn"]
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert {"Key": "deletion_protection.enabled", "Value": "false"} in attributes
    (group,) = elb.describe_target_groups()["TargetGroups"]
    assert (group["Protocol"], group["Port"], group["TargetType"]) == ("TCP", 80, "ip")
    assert (group["HealthCheckProtocol"], group["HealthCheckPort"]) == ("TCP", "traffic-port")
    (listener,) = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    assert (listener["Protocol"], listener["Port"]) == ("TCP", 80)
    (action,) = listener["DefaultActions"]
    assert (action["Type"], action["TargetGroupArn"]) == ("forward", group["TargetGroupArn"])


@pytest.mark.parametrize("name", ECS_SERVICES)
def test_an_ecs_service(ecs_services: dict[str, dict[str, Any]], name: str) -> None:
    """One task on Fargate, replaced without a gap, announced in Cloud Map."""
    service = ecs_services[name]
    assert (service["launchType"], service["desiredCount"], service["runningCount"]) == ("FARGATE", 1, 1)
    deployment = service["deploymentConfiguration"]
    assert (deployment["minimumHealthyPercent"], deployment["maximumPercent"]) == (50, 200)
    assert len(service["serviceRegistries"]) == 1


def test_services_run_in_the_private_subnets(
    ecs_services: dict[str, dict[str, Any]], subnets: list[dict[str, Any]]
) -> None:
    """Without public addresses, all three in one shared security group, behind no load balancer."""
    private = {subnet["SubnetId"] for subnet in subnets[3:]}
    groups = set()
    for service in SERVICES:
        described = ecs_services[f"ecsdemo-{service}"]
        network = described["networkConfiguration"]["awsvpcConfiguration"]
        assert (set(network["subnets"]), network["assignPublicIp"]) == (private, "DISABLED")
        assert described["loadBalancers"] == []
        groups |= set(network["securityGroups"])
    assert len(groups) == 1


def test_the_gateway_serves_the_load_balancer(deployed: Checkout, ecs_services: dict[str, dict[str, Any]]) -> None:
    """Its Envoy's port 3000 is the target, after a grace of 60 s."""
    (group,) = deployed.aws("elbv2").describe_target_groups()["TargetGroups"]
    gateway = ecs_services["mesh-gw-proxy"]
    assert gateway["loadBalancers"] == [
        {"targetGroupArn": group["TargetGroupArn"], "containerName": "envoy", "containerPort": 3000}
    ]
    assert gateway["healthCheckGracePeriodSeconds"] == 60


def test_services_may_talk_to_each_other_on_port_3000(
    deployed: Checkout, ecs_services: dict[str, dict[str, Any]]
) -> None:
    """The shared security group admits itself and lets everything out."""
    (shared,) = ecs_services["ecsdemo-crystal"]["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]
    (group,) = deployed.aws("ec2").describe_security_groups(GroupIds=[shared])["SecurityGroups"]
    assert group["Description"] == "FrontendToBackend"
    own = [
        (rule["IpProtocol"], rule["FromPort"], rule["ToPort"])
        for rule in group["IpPermissions"]
        if shared in {pair["GroupId"] for pair in rule["UserIdGroupPairs"]}
    ]
    assert own == [("tcp", 3000, 3000)]
    (out,) = group["IpPermissionsEgress"]
    assert (out["IpProtocol"], [each["CidrIp"] for each in out["IpRanges"]]) == ("-1", [EVERYWHERE])


@pytest.mark.parametrize(
    ("name", "family", "compatibilities"),
    [
        ("mesh-gw-proxy", "mesh-gw-proxy-taskdef", {"FARGATE"}),
        ("ecsdemo-crystal", "ecsworkshopcrystalTaskDefAEA199B7", {"EC2", "FARGATE"}),
        ("ecsdemo-nodejs", "ecsworkshopnodejsTaskDef2754560E", {"EC2", "FARGATE"}),
        ("ecsdemo-frontend", "ecsworkshopfrontendFrontEndTaskDef54183660", {"EC2", "FARGATE"}),
    ],
)
def test_families(definitions: dict[str, dict[str, Any]], name: str, family: str, compatibilities: set[str]) -> None:
    """The names seen in the workshop's screenshots."""
    definition = definitions[name]
    assert (definition["family"], definition["networkMode"]) == (family, "awsvpc")
    assert set(definition["requiresCompatibilities"]) == compatibilities


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_traffic_goes_through_envoy(definitions: dict[str, dict[str, Any]], service: str) -> None:
    """All but Envoy's own, and that to ECS's and EC2's metadata."""
    proxy = definitions[f"ecsdemo-{service}"]["proxyConfiguration"]
    assert (proxy["type"], proxy["containerName"]) == ("APPMESH", "envoy")
    assert {each["name"]: each["value"] for each in proxy["properties"]} == {
        "AppPorts": "3000",
        "ProxyIngressPort": "15000",
        "ProxyEgressPort": "15001",
        "EgressIgnoredIPs": "169.254.170.2,169.254.169.254",
        "IgnoredUID": "1337",
    }
    assert container(definitions[f"ecsdemo-{service}"], "envoy")["user"] == "1337"


def test_the_gateways_traffic_is_not_redirected(definitions: dict[str, dict[str, Any]]) -> None:
    """AWS wants neither proxy configuration nor user there; its Envoy has a port instead."""
    gateway = definitions["mesh-gw-proxy"]
    envoy = container(gateway, "envoy")
    assert [each["name"] for each in gateway["containerDefinitions"]] == ["envoy"]
    assert "proxyConfiguration" not in gateway
    assert "user" not in envoy
    assert [(port["containerPort"], port["protocol"]) for port in envoy["portMappings"]] == [(3000, "tcp")]


@pytest.mark.parametrize(
    ("name", "level", "reservation", "prefix"),
    [
        ("mesh-gw-proxy", "info", 256, "/mesh-gateway"),
        ("ecsdemo-crystal", "debug", 128, "/mesh-envoy-container"),
        ("ecsdemo-nodejs", "trace", 128, "/mesh-envoy-container"),
        ("ecsdemo-frontend", "critical", 128, "/mesh-envoy-container"),
    ],
)
def test_envoys(definitions: dict[str, dict[str, Any]], name: str, level: str, reservation: int, prefix: str) -> None:
    """Log level, memory, open files, health command and log streams of each."""
    envoy = container(definitions[name], "envoy")
    assert (envoy["essential"], envoy["memoryReservation"]) == (True, reservation)
    assert "memory" not in envoy
    told = variables(definitions[name], "envoy")
    assert (told["ENVOY_LOG_LEVEL"], told["ENABLE_ENVOY_STATS_TAGS"]) == (level, "1")
    assert envoy["healthCheck"]["command"] == ["CMD-SHELL", ENVOY_CHECK]
    assert envoy["ulimits"] == [{"name": "nofile", "softLimit": 15000, "hardLimit": 15000}]
    logs = envoy["logConfiguration"]
    assert (logs["logDriver"], logs["options"]["awslogs-stream-prefix"]) == ("awslogs", prefix)


@pytest.mark.parametrize("service", SERVICES)
def test_applications(definitions: dict[str, dict[str, Any]], service: str) -> None:
    """Each starts once its Envoy is healthy, listens on 3000 and knows its region."""
    definition = definitions[f"ecsdemo-{service}"]
    app = container(definition, f"{service}-app")
    assert app["image"].partition(":")[0] == f"public.ecr.aws/aws-containers/ecsdemo-{service}"
    assert (app["essential"], app["memoryReservation"]) == (True, 128)
    assert [(port["containerPort"], port["protocol"]) for port in app["portMappings"]] == [(3000, "tcp")]
    assert app["dependsOn"] == [{"containerName": "envoy", "condition": "HEALTHY"}]
    assert app["logConfiguration"]["options"]["awslogs-stream-prefix"] == f"/{service}-container"
    assert app["healthCheck"]["command"] == ["CMD-SHELL", "curl -sf http://localhost:3000/health"]
    urls = {
        "CRYSTAL_URL": "http://ecsdemo-crystal.service.local:3000/crystal",
        "NODEJS_URL": "http://ecsdemo-nodejs.service.local:3000",
    }
    told = variables(definition, f"{service}-app")
    assert told == {"REGION": "us-east-1", **(urls if service == "frontend" else {})}


def test_logs_are_kept_for_a_week(deployed: Checkout, definitions: dict[str, dict[str, Any]]) -> None:
    """Each task writes to a group of its own."""
    kept = {
        group["logGroupName"]: group["retentionInDays"]
        for group in deployed.aws("logs").describe_log_groups()["logGroups"]
    }
    used = [
        {each["logConfiguration"]["options"]["awslogs-group"] for each in definition["containerDefinitions"]}
        for definition in definitions.values()
    ]
    assert [len(groups) for groups in used] == [1] * 4
    assert len(set.union(*used)) == 4
    assert {kept[group] for groups in used for group in groups} == {7}


@pytest.fixture(scope="module")
def appmesh(deployed: Checkout) -> Any:
    """A client of App Mesh with everything deployed."""
    return deployed.aws("appmesh")


def test_the_mesh(appmesh: Any) -> None:
    """It lets out only what it defines: AWS's default."""
    assert [mesh["meshName"] for mesh in appmesh.list_meshes()["meshes"]] == [MESH]
    spec = appmesh.describe_mesh(meshName=MESH)["mesh"]["spec"]
    assert spec.get("egressFilter", {"type": "DROP_ALL"}) == {"type": "DROP_ALL"}


def test_the_virtual_gateway(appmesh: Any) -> None:
    """One listener, no access log, no TLS, no health check."""
    gateway = appmesh.describe_virtual_gateway(meshName=MESH, virtualGatewayName="ecsworkshop-vgw")["virtualGateway"]
    assert gateway["spec"]["listeners"] == LISTENERS
    assert not gateway["spec"].get("logging")
    assert not gateway["spec"].get("backendDefaults")


@pytest.mark.parametrize("service", ["crystal", "nodejs", "frontend"])
def test_a_virtual_node(appmesh: Any, service: str) -> None:
    """HTTP 3000, found in Cloud Map, access log to standard output; only the frontend calls others."""
    spec = appmesh.describe_virtual_node(meshName=MESH, virtualNodeName=service)["virtualNode"]["spec"]
    assert spec["listeners"] == LISTENERS
    assert spec["serviceDiscovery"] == {
        "awsCloudMap": {"namespaceName": "service.local", "serviceName": f"ecsdemo-{service}"}
    }
    assert spec["logging"] == {"accessLog": {"file": {"path": "/dev/stdout"}}}
    backends = {each["virtualService"]["virtualServiceName"] for each in spec.get("backends", [])}
    called = {"ecsdemo-crystal.service.local", "ecsdemo-nodejs.service.local"}
    assert backends == (called if service == "frontend" else set())


@pytest.mark.parametrize(
    ("service", "provider"),
    [
        ("crystal", {"virtualNode": {"virtualNodeName": "crystal"}}),
        ("nodejs", {"virtualNode": {"virtualNodeName": "nodejs"}}),
        ("frontend", {"virtualRouter": {"virtualRouterName": "FrontEnd"}}),
    ],
)
def test_a_virtual_service(appmesh: Any, service: str, provider: dict[str, Any]) -> None:
    """The backends lead straight to their nodes, the frontend to a router."""
    name = f"ecsdemo-{service}.service.local"
    found = appmesh.describe_virtual_service(meshName=MESH, virtualServiceName=name)["virtualService"]
    assert found["spec"]["provider"] == provider


def test_the_frontends_router_and_route(appmesh: Any) -> None:
    """One route, the whole of the traffic to one node; its name is the one CDK really gave (defect 9)."""
    router = appmesh.describe_virtual_router(meshName=MESH, virtualRouterName="FrontEnd")["virtualRouter"]
    assert router["spec"]["listeners"] == LISTENERS
    (listed,) = appmesh.list_routes(meshName=MESH, virtualRouterName="FrontEnd")["routes"]
    assert listed["routeName"] == "MeshFrontEndVRRoute"
    found = appmesh.describe_route(meshName=MESH, virtualRouterName="FrontEnd", routeName="MeshFrontEndVRRoute")
    http = found["route"]["spec"]["httpRoute"]
    assert http["match"]["prefix"] == "/"
    (target,) = http["action"]["weightedTargets"]
    assert (target["virtualNode"], target["weight"]) == ("frontend", 1)


def test_the_gateway_route(appmesh: Any) -> None:
    """Everything that enters goes to the frontend."""
    found = appmesh.describe_gateway_route(
        meshName=MESH, virtualGatewayName="ecsworkshop-vgw", gatewayRouteName="frontend-router"
    )
    http = found["gatewayRoute"]["spec"]["httpRoute"]
    assert http["match"]["prefix"] == "/"
    assert http["action"]["target"]["virtualService"] == {"virtualServiceName": "ecsdemo-frontend.service.local"}
