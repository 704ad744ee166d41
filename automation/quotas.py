"""The quotas of an account that a first deployment may run into. Source: Service Quotas, documents of ECS and VPC."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services import SERVICES, ServiceEntry
from services.settings import Settings

ZONES = 3  # of the network; each has a NAT gateway and its Elastic IP

_TASKS = 1  # of a service; an entrance that scales has more
_SCALED = 3

Client = Callable[[str], Any]  # a client of the SDK by the service's name


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One quota of a region."""

    service: str
    code: str
    what: str
    needed: Callable[[Mapping[str, Settings]], float]  # by the stacks that are still to be made
    used: Callable[[Client], float]


def limit(client: Any, quota: Quota) -> float:
    """The account's value, or AWS's own where the account has none."""
    asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        found: float = client.get_service_quota(**asked)["Quota"]["Value"]
    except client.exceptions.NoSuchResourceException:
        found = client.get_aws_default_service_quota(**asked)["Quota"]["Value"]
    return found


def _network(number: int) -> Callable[[Mapping[str, Settings]], float]:
    """What each platform needs."""
    return lambda new: number * sum(SERVICES[name].is_platform for name in new)


def _vcpus(new: Mapping[str, Settings]) -> float:
    return sum(_of_service(SERVICES[name], given) for name, given in new.items())


def _of_service(entry: ServiceEntry, settings: Settings) -> float:
    tasks = _SCALED if settings.autoscaling and entry.is_entrance else _TASKS
    return tasks * (settings.cpu or entry.cpu) / 1024


def _fargate_used(client: Client) -> float:
    """The latest that CloudWatch has counted; 0 where nothing runs, or nobody has counted yet."""
    now = datetime.now(UTC)
    names = {"Service": "Fargate", "Type": "Resource", "Resource": "vCPU", "Class": "Standard/OnDemand"}
    points = client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Usage",
        MetricName="ResourceCount",
        Dimensions=[{"Name": name, "Value": value} for name, value in names.items()],
        StartTime=now - timedelta(minutes=30),
        EndTime=now,
        Period=300,
        Statistics=["Maximum"],
    )["Datapoints"]
    return float(max(points, key=lambda point: point["Timestamp"])["Maximum"]) if points else 0.0


def _nat_gateways_used(client: Client) -> float:
    """The most that there are in one zone: the quota is one of zones."""
    pages = client("ec2").get_paginator("describe_nat_gateways").paginate(
        Filters=[{"Name": "state", "Values": ["pending", "available"]}]
    )  # fmt: skip
    # A regional one has no subnet, and its zones a quota of their own.
    subnets = [each["SubnetId"] for page in pages for each in page["NatGateways"] if "SubnetId" in each]
    if not subnets:
        return 0
    pages = client("ec2").get_paginator("describe_subnets").paginate(SubnetIds=sorted(set(subnets)))
    zones = {subnet["SubnetId"]: subnet["AvailabilityZoneId"] for page in pages for subnet in page["Subnets"]}
    found = [zones[subnet] for subnet in subnets]
    return max(found.count(zone) for zone in set(found))


QUOTAS = (
    Quota(
        service="ec2",
        code="L-0263D0A3",
        what="Elastic IP addresses",
        needed=_network(ZONES),
        used=lambda client: len(client("ec2").describe_addresses()["Addresses"]),
    ),
    Quota(
        service="vpc",
        code="L-FE5A380F",
        what="NAT gateways in a zone",
        needed=_network(1),
        used=_nat_gateways_used,
    ),
    Quota(
        service="vpc",
        code="L-F678F1CE",
        what="VPCs",
        needed=_network(1),
        used=lambda client: sum(len(page["Vpcs"]) for page in client("ec2").get_paginator("describe_vpcs").paginate()),
    ),
    Quota(
        service="fargate",
        code="L-3032A538",
        what="vCPUs of Fargate",
        needed=_vcpus,
        used=_fargate_used,
    ),
)
