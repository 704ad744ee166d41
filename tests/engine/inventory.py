"""What exists in AWS beside what Pulumi's state knows: anything in only one of the two was lost or orphaned."""

import json
from collections.abc import Iterator
from typing import Any

from tests.engine.checkout import Checkout

STACKS = ("local-platform", "local-crystal", "local-nodejs", "local-frontend")


def in_aws(checkout: Checkout) -> set[str]:
    """Identifiers of everything that our stacks could have made. The account's default VPC is AWS's own."""
    ec2, ecs, iam = (checkout.aws(name) for name in ("ec2", "ecs", "iam"))
    default = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if vpc["IsDefault"]}

    def own(items: list[dict[str, Any]], key: str) -> Iterator[str]:
        return (item[key] for item in items if item.get("VpcId") not in default)

    found = set(own(ec2.describe_vpcs()["Vpcs"], "VpcId"))
    found |= set(own(ec2.describe_subnets()["Subnets"], "SubnetId"))
    found |= {
        gateway["NatGatewayId"]
        for gateway in ec2.describe_nat_gateways()["NatGateways"]
        if gateway["State"] != "deleted"
    }
    found |= {address["AllocationId"] for address in ec2.describe_addresses()["Addresses"]}
    groups = ec2.describe_security_groups()["SecurityGroups"]
    found |= set(own([group for group in groups if group["GroupName"] != "default"], "GroupId"))
    for gateway in ec2.describe_internet_gateways()["InternetGateways"]:
        if not {attachment["VpcId"] for attachment in gateway["Attachments"]} & default:
            found.add(gateway["InternetGatewayId"])
    for cluster in ecs.list_clusters()["clusterArns"]:
        found.add(cluster)
        found |= set(ecs.list_services(cluster=cluster, maxResults=100)["serviceArns"])
    found |= set(ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"])
    found |= {
        role["RoleName"] for role in iam.list_roles()["Roles"] if not role["Path"].startswith("/aws-service-role/")
    }
    found |= {group["logGroupName"] for group in checkout.aws("logs").describe_log_groups()["logGroups"]}
    found |= {
        balancer["LoadBalancerArn"] for balancer in checkout.aws("elbv2").describe_load_balancers()["LoadBalancers"]
    }
    found |= {group["TargetGroupArn"] for group in checkout.aws("elbv2").describe_target_groups()["TargetGroups"]}
    discovery = checkout.aws("servicediscovery")
    found |= {namespace["Id"] for namespace in discovery.list_namespaces()["Namespaces"]}
    found |= {service["Id"] for service in discovery.list_services()["Services"]}
    return found | set(_mesh(checkout.aws("appmesh")))


def _mesh(appmesh: Any) -> Iterator[str]:
    for mesh in appmesh.list_meshes()["meshes"]:
        yield mesh["arn"]
        name = mesh["meshName"]
        for kind in ("virtual_gateways", "virtual_nodes", "virtual_routers", "virtual_services"):
            for page in appmesh.get_paginator(f"list_{kind}").paginate(meshName=name):
                yield from (item["arn"] for items in page.values() if isinstance(items, list) for item in items)


def in_state(checkout: Checkout) -> set[str]:
    """Ids, ARNs and names of every resource in the four stacks' states, and nothing that awaits deletion."""
    known: set[str] = set()
    for stack in STACKS:
        deployment = json.loads(checkout.pulumi("stack", "export", "--stack", stack).stdout)["deployment"]
        assert not deployment.get("pending_operations"), f"{stack} has pending operations"
        for resource in deployment.get("resources", []):
            outputs = resource.get("outputs") or {}
            known |= {resource.get("id", ""), *(outputs.get(key) or "" for key in ("arn", "allocationId"))}
    return known


def orphans(checkout: Checkout) -> set[str]:
    """What AWS has and Pulumi does not know."""
    return in_aws(checkout) - in_state(checkout)
