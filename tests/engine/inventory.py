"""What exists in AWS beside what Pulumi's state knows: anything in only one of the two was lost or orphaned."""

import json
from collections.abc import Iterator
from typing import Any

from tests.engine.checkout import Checkout


def in_aws(checkout: Checkout) -> set[str]:
    """Identifiers of everything that our stacks could have made. The account's default VPC is AWS's own."""
    ec2, ecs, elb, discovery = (checkout.aws(name) for name in ("ec2", "ecs", "elbv2", "servicediscovery"))
    vpcs = _every(ec2, "describe_vpcs")
    default = {vpc["VpcId"] for vpc in vpcs if vpc["IsDefault"]}

    def own(items: list[Any], key: str) -> set[str]:
        return {item[key] for item in items if item.get("VpcId") not in default}

    found = own(vpcs, "VpcId") | own(_every(ec2, "describe_subnets"), "SubnetId")
    gateways = _every(ec2, "describe_nat_gateways")
    found |= {gateway["NatGatewayId"] for gateway in gateways if gateway["State"] != "deleted"}
    found |= {address["AllocationId"] for address in _every(ec2, "describe_addresses")}
    groups = _every(ec2, "describe_security_groups")
    found |= own([group for group in groups if group["GroupName"] != "default"], "GroupId")
    for gateway in _every(ec2, "describe_internet_gateways"):
        if not {attachment["VpcId"] for attachment in gateway["Attachments"]} & default:
            found.add(gateway["InternetGatewayId"])
    for cluster in _every(ecs, "list_clusters"):
        found |= {cluster, *_every(ecs, "list_services", cluster=cluster)}
    found |= set(_every(ecs, "list_task_definitions", status="ACTIVE"))
    roles = _every(checkout.aws("iam"), "list_roles")
    found |= {role["RoleName"] for role in roles if not role["Path"].startswith("/aws-service-role/")}
    found |= {group["logGroupName"] for group in _every(checkout.aws("logs"), "describe_log_groups")}
    found |= {balancer["LoadBalancerArn"] for balancer in _every(elb, "describe_load_balancers")}
    found |= {group["TargetGroupArn"] for group in _every(elb, "describe_target_groups")}
    found |= {each["Id"] for kind in ("namespaces", "services") for each in _every(discovery, f"list_{kind}")}
    return found | set(_mesh(checkout.aws("appmesh")))


def _every(client: Any, operation: str, **given: Any) -> list[Any]:
    """All items that an operation lists, page after page."""
    paged = client.can_paginate(operation)
    pages = client.get_paginator(operation).paginate(**given) if paged else [getattr(client, operation)(**given)]
    return [item for page in pages for items in page.values() if isinstance(items, list) for item in items]


def _mesh(appmesh: Any) -> Iterator[str]:
    for mesh in _every(appmesh, "list_meshes"):
        yield mesh["arn"]
        for kind in ("virtual_gateways", "virtual_nodes", "virtual_routers", "virtual_services"):
            yield from (item["arn"] for item in _every(appmesh, f"list_{kind}", meshName=mesh["meshName"]))


def in_state(checkout: Checkout) -> set[str]:
    """Ids, ARNs and names of every resource in the stacks' states, and nothing that awaits deletion."""
    known: set[str] = set()
    for stack in (each["name"] for each in json.loads(checkout.pulumi("stack", "ls", "--json").stdout)):
        deployment = json.loads(checkout.pulumi("stack", "export", "--stack", stack).stdout)["deployment"]
        assert not deployment.get("pending_operations"), f"{stack} has pending operations"
        for resource in deployment.get("resources", []):
            outputs = resource.get("outputs") or {}
            known |= {resource.get("id", ""), *(outputs.get(key) or "" for key in ("arn", "allocationId"))}
    return known


def orphans(checkout: Checkout) -> set[str]:
    """What AWS has and Pulumi does not know."""
    return in_aws(checkout) - in_state(checkout)
