"""crystal, nodejs and frontend, value by value (reference, section 3; repairs: docs/differences.md)."""

import json
from typing import Any

import pytest

from tests.services.world import Deployment, deployed, variables

BACKENDS = ("crystal", "nodejs")
SERVICES = (*BACKENDS, "frontend")


@pytest.mark.parametrize(
    ("service", "family", "image", "log_level"),
    [
        ("crystal", "ecsworkshopcrystalTaskDefAEA199B7", "ecsdemo-crystal:latest", "debug"),
        ("nodejs", "ecsworkshopnodejsTaskDef2754560E", "ecsdemo-nodejs:c3e96da", "trace"),
        ("frontend", "ecsworkshopfrontendFrontEndTaskDef54183660", "ecsdemo-frontend:776fd50", "critical"),
    ],
)
def test_each_services_own_values(service: str, family: str, image: str, log_level: str) -> None:
    """What distinguishes the three in the reference's table."""
    task = deployed(service)
    app, envoy = task.containers[f"{service}-app"], task.containers["envoy"]
    assert task.one("ecs/taskDefinition:TaskDefinition")["family"] == family
    assert app["image"] == f"public.ecr.aws/aws-containers/{image}"
    assert app["logConfiguration"]["options"]["awslogs-stream-prefix"] == f"/{service}-container"
    assert variables(envoy)["ENVOY_LOG_LEVEL"] == log_level
    assert task.one("ecs/service:Service")["name"] == f"ecsdemo-{service}"
    assert task.one("servicediscovery/service:Service")["name"] == f"ecsdemo-{service}"
    assert task.one("appmesh/virtualNode:VirtualNode")["name"] == service


@pytest.mark.parametrize("service", SERVICES)
def test_the_task(service: str) -> None:
    """Valid on Fargate at 512 CPU units and 1024 MiB, all traffic redirected into Envoy."""
    definition = deployed(service).one("ecs/taskDefinition:TaskDefinition")
    assert (definition["cpu"], definition["memory"], definition["networkMode"]) == ("512", "1024", "awsvpc")
    assert sorted(definition["requiresCompatibilities"]) == ["EC2", "FARGATE"]
    assert definition["proxyConfiguration"] == {
        "type": "APPMESH",
        "containerName": "envoy",
        "properties": {
            "AppPorts": "3000",
            "ProxyIngressPort": "15000",
            "ProxyEgressPort": "15001",
            "EgressIgnoredIPs": "169.254.170.2,169.254.169.254",
            "IgnoredUID": "1337",
        },
    }


@pytest.mark.parametrize("service", SERVICES)
def test_the_application(service: str) -> None:
    """Essential, 128 MiB, port 3000, after Envoy is healthy, told its region, ready once it answers."""
    app = deployed(service).containers[f"{service}-app"]
    assert (app["essential"], app["memoryReservation"]) == (True, 128)
    assert app["portMappings"] == [{"containerPort": 3000, "hostPort": 3000, "protocol": "tcp"}]
    assert app["dependsOn"] == [{"containerName": "envoy", "condition": "HEALTHY"}]
    assert variables(app)["REGION"] == "us-east-1"
    assert app["healthCheck"] == {
        "command": ["CMD-SHELL", "curl -sf http://localhost:3000/health"],
        "interval": 10,
        "timeout": 3,
        "retries": 3,
        "startPeriod": 10,
    }


@pytest.mark.parametrize("service", SERVICES)
def test_its_envoy(service: str) -> None:
    """User 1337, the virtual node's ARN, AWS's recommended health check, an image that knows XRAY_SAMPLING_RATE."""
    task = deployed(service)
    envoy = task.containers["envoy"]
    assert variables(envoy) == {
        "APPMESH_RESOURCE_ARN": f"arn:aws:appmesh:us-east-1:123456789012:{service}",
        "AWS_REGION": "us-east-1",
        "ENABLE_ENVOY_STATS_TAGS": "1",
        "ENVOY_LOG_LEVEL": variables(envoy)["ENVOY_LOG_LEVEL"],
    }
    rest = {key: value for key, value in envoy.items() if key not in ("environment", "logConfiguration")}
    assert rest == {
        "name": "envoy",
        "image": "public.ecr.aws/appmesh/aws-appmesh-envoy:v1.29.12.1-prod",
        "essential": True,
        "user": "1337",
        "memoryReservation": 128,
        "ulimits": [{"name": "nofile", "softLimit": 15000, "hardLimit": 15000}],
        "healthCheck": {
            "command": ["CMD-SHELL", "curl -s http://localhost:9901/server_info | grep state | grep -q LIVE"],
            "interval": 5,
            "timeout": 2,
            "retries": 3,
            "startPeriod": 10,
        },
    }
    assert envoy["logConfiguration"] == {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": task.outputs["logGroupName"],
            "awslogs-region": "us-east-1",
            "awslogs-stream-prefix": "/mesh-envoy-container",
        },
    }


@pytest.mark.parametrize("service", SERVICES)
def test_logs_are_kept_for_a_week(service: str) -> None:
    """One group a task."""
    assert deployed(service).one("cloudwatch/logGroup:LogGroup") == {"retentionInDays": 7}


def statements(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    (statement,) = json.loads(deployment.named(name)["policy"])["Statement"]
    return [statement]


@pytest.mark.parametrize(("service", "prefix"), [("platform", "platform-gateway"), *((s, s) for s in SERVICES)])
def test_roles_may_only_do_what_the_task_does(service: str, prefix: str) -> None:
    """Join the mesh as oneself, write to one's own logs: nothing on ``*``, no CloudWatchFullAccess."""
    deployment = deployed(service)
    resource = variables(deployment.containers["envoy"])["APPMESH_RESOURCE_ARN"]
    group = f"arn:aws:cloudwatch:us-east-1:123456789012:{prefix}-logs-1234567"
    assert statements(deployment, f"{prefix}-join-mesh") == [
        {"Effect": "Allow", "Action": ["appmesh:StreamAggregatedResources"], "Resource": resource}
    ]
    assert statements(deployment, f"{prefix}-write-logs") == [
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{group}:*"}
    ]
    assert deployment.all("iam/rolePolicyAttachment:RolePolicyAttachment") == []
    for role in deployment.all("iam/role:Role"):
        trusted = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Principal"]
        assert trusted == {"Service": "ecs-tasks.amazonaws.com"}


@pytest.mark.parametrize("service", SERVICES)
def test_the_ecs_service(service: str) -> None:
    """One task on Fargate in the private subnets; a failed deployment is rolled back."""
    platform, task = deployed("platform"), deployed(service)
    ecs_service = dict(task.one("ecs/service:Service"))
    ecs_service.pop("serviceRegistries")
    assert ecs_service == {
        "name": f"ecsdemo-{service}",
        "cluster": platform.outputs["clusterArn"],
        "launchType": "FARGATE",
        "taskDefinition": task.outputs["taskDefinitionArn"],
        "desiredCount": 1,
        "deploymentMinimumHealthyPercent": 50,
        "deploymentMaximumPercent": 200,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "networkConfiguration": {
            "subnets": ["private-a", "private-b", "private-c"],
            "securityGroups": [platform.outputs["securityGroupId"]],
            "assignPublicIp": False,
        },
    }


@pytest.mark.parametrize("service", SERVICES)
def test_cloud_map(service: str) -> None:
    """A records of 60 s, all healthy tasks, health as ECS sees it."""
    announced = deployed(service).one("servicediscovery/service:Service")
    assert announced["dnsConfig"] == {
        "namespaceId": deployed("platform").outputs["namespaceId"],
        "routingPolicy": "MULTIVALUE",
        "dnsRecords": [{"type": "A", "ttl": 60}],
    }
    assert announced["healthCheckCustomConfig"] == {"failureThreshold": 1}


@pytest.mark.parametrize("service", SERVICES)
def test_the_virtual_node(service: str) -> None:
    """Listens on HTTP 3000, is found in Cloud Map, writes its access log to standard output."""
    node = deployed(service).one("appmesh/virtualNode:VirtualNode")
    assert node["meshName"] == "ecs-mesh"
    assert node["spec"]["listeners"] == [{"portMapping": {"port": 3000, "protocol": "http"}}]
    assert node["spec"]["serviceDiscovery"] == {
        "awsCloudMap": {"namespaceName": "service.local", "serviceName": f"ecsdemo-{service}"}
    }
    assert node["spec"]["logging"] == {"accessLog": {"file": {"path": "/dev/stdout"}}}


@pytest.mark.parametrize("service", BACKENDS)
def test_a_backend_is_provided_by_its_node_and_calls_nobody(service: str) -> None:
    """No router between name and tasks."""
    assert deployed(service).one("appmesh/virtualService:VirtualService") == {
        "name": f"ecsdemo-{service}.service.local",
        "meshName": "ecs-mesh",
        "spec": {"provider": {"virtualNode": {"virtualNodeName": service}}},
    }
    assert deployed(service).one("appmesh/virtualNode:VirtualNode")["spec"]["backends"] == []
    assert variables(deployed(service).containers[f"{service}-app"]) == {"REGION": "us-east-1"}


def test_the_frontend_may_call_both_backends_and_knows_where() -> None:
    """Names and URLs come from the backends' stacks."""
    frontend = deployed("frontend")
    backends = frontend.one("appmesh/virtualNode:VirtualNode")["spec"]["backends"]
    assert [backend["virtualService"]["virtualServiceName"] for backend in backends] == [
        "ecsdemo-crystal.service.local",
        "ecsdemo-nodejs.service.local",
    ]
    assert variables(frontend.containers["frontend-app"]) == {
        "CRYSTAL_URL": "http://ecsdemo-crystal.service.local:3000/crystal",
        "NODEJS_URL": "http://ecsdemo-nodejs.service.local:3000",
        "REGION": "us-east-1",
    }


def test_the_gateway_leads_to_the_frontend() -> None:
    """Gateway route → virtual service → router → route → node, for every path."""
    frontend = deployed("frontend")
    everything = {"prefix": "/"}
    assert frontend.one("appmesh/gatewayRoute:GatewayRoute") == {
        "name": "frontend-router",
        "meshName": "ecs-mesh",
        "virtualGatewayName": "ecsworkshop-vgw",
        "spec": {
            "httpRoute": {
                "match": everything,
                "action": {
                    "target": {"virtualService": {"virtualServiceName": "ecsdemo-frontend.service.local"}},
                },
            }
        },
    }
    assert frontend.one("appmesh/virtualService:VirtualService")["spec"] == {
        "provider": {"virtualRouter": {"virtualRouterName": "FrontEnd"}}
    }
    assert frontend.one("appmesh/virtualRouter:VirtualRouter")["spec"] == {
        "listeners": [{"portMapping": {"port": 3000, "protocol": "http"}}]
    }
    route = frontend.one("appmesh/route:Route")
    assert (route["name"], route["virtualRouterName"]) == ("MeshFrontEndVRRoute", "FrontEnd")
    assert route["spec"]["httpRoute"] == {
        "match": everything,
        "action": {"weightedTargets": [{"virtualNode": "frontend", "weight": 1}]},
    }


def test_autoscaling_is_the_frontends_and_only_on_demand() -> None:
    """From 3 to 10 tasks at 50 % CPU, 30 s between steps."""
    assert deployed("frontend").all("appautoscaling/target:Target") == []
    assert deployed("crystal", autoscaling="true").all("appautoscaling/target:Target") == []
    frontend = deployed("frontend", autoscaling="true")
    place = {
        "serviceNamespace": "ecs",
        "scalableDimension": "ecs:service:DesiredCount",
        "resourceId": "service/container-demo/ecsdemo-frontend",
    }
    assert frontend.one("appautoscaling/target:Target") == {**place, "minCapacity": 3, "maxCapacity": 10}
    assert frontend.one("appautoscaling/policy:Policy") == {
        **place,
        "policyType": "TargetTrackingScaling",
        "targetTrackingScalingPolicyConfiguration": {
            "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
            "targetValue": 50,
            "scaleInCooldown": 30,
            "scaleOutCooldown": 30,
        },
    }


def test_a_deployment_does_not_fight_autoscaling() -> None:
    """GIVEN autoscaling THEN it starts with the least and leaves the number alone; otherwise one task is one task."""
    (fixed,) = deployed("frontend").all("ecs/service:Service")
    (scaled,) = deployed("frontend", autoscaling="true").all("ecs/service:Service")
    assert (fixed.inputs["desiredCount"], fixed.ignored) == (1, ())
    assert (scaled.inputs["desiredCount"], scaled.ignored) == (3, ("desiredCount",))


@pytest.mark.parametrize("service", SERVICES)
def test_a_task_has_the_size_that_is_set(service: str) -> None:
    """Both values, or the one that is set beside the service's own."""
    task = deployed(service, cpu="1024", memory="2048").one("ecs/taskDefinition:TaskDefinition")
    assert (task["cpu"], task["memory"]) == ("1024", "2048")
    own = deployed(service).one("ecs/taskDefinition:TaskDefinition")
    larger = deployed(service, memory="2048").one("ecs/taskDefinition:TaskDefinition")
    assert (larger["cpu"], larger["memory"]) == (own["cpu"], "2048")


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_but_the_platform_decides_who_may_talk_to_whom(service: str) -> None:
    """The original's stacks each added the same rule to the shared security group."""
    assert [made for made in deployed(service).resources if "ecurityGroup" in made.type] == []
