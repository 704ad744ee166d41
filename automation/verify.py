"""What really runs, asked of AWS and not of Pulumi's state: Pulumi reports success even when ECS rolled back.

Sources: ECS DescribeServices, ListTasks, DescribeTasks, DescribeTaskDefinition and IAM ListAttachedRolePolicies.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from services import tracing

_T = TypeVar("_T")

DESCRIBE_SERVICES_LIMIT = 10  # services a call, by AWS
DESCRIBE_TASKS_LIMIT = 100  # tasks a call, by AWS
FEW_SERVICES = 10  # of a cluster; its tasks are listed by service up to here
SIDE_BY_SIDE = 16  # services that are examined at a time


@dataclass(frozen=True, kw_only=True)
class Target:
    """One ECS service and what it should be running; made from its stack's outputs."""

    service: str
    cluster: str
    ecs_service: str
    task_definition: str  # ARN with revision
    role: str
    tracing: bool

    @classmethod
    def from_outputs(cls, service: str, outputs: Mapping[str, Any], *, tracing: bool) -> "Target":
        """From a stack's outputs; `KeyError` when the stack is not (fully) deployed."""
        return cls(
            service=service,
            cluster=outputs["clusterName"],
            ecs_service=outputs["serviceName"],
            task_definition=outputs["taskDefinitionArn"],
            role=outputs["taskRoleName"],
            tracing=tracing,
        )


@dataclass(frozen=True, kw_only=True)
class Running:
    """What AWS says of one ECS service."""

    task_definition: str = ""  # ARN of the primary deployment
    rollout: str = ""  # IN_PROGRESS, COMPLETED or FAILED
    running: int = 0
    desired: int = 0
    flag: bool = False
    sidecar: bool = False
    policy: bool = False
    problems: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        """``family:7``."""
        return self.task_definition.rpartition("/")[2]


@dataclass(kw_only=True)
class Aws:
    """The calls that a verification makes, in one region with the ordinary credential chain."""

    region: str
    timeout: float = 15.0  # seconds for one answer
    _config: Config = field(init=False)

    def __post_init__(self) -> None:
        self._config = Config(
            connect_timeout=5,
            read_timeout=self.timeout,
            retries={"mode": "standard", "total_max_attempts": 4},
            max_pool_connections=SIDE_BY_SIDE,
        )

    @cached_property
    def ecs(self) -> Any:
        """The ECS client."""
        return boto3.client("ecs", region_name=self.region, config=self._config)

    @cached_property
    def logs(self) -> Any:
        """The CloudWatch Logs client."""
        return boto3.client("logs", region_name=self.region, config=self._config)

    @cached_property
    def iam(self) -> Any:
        """The IAM client."""
        return boto3.client("iam", region_name=self.region, config=self._config)

    def connect(self) -> None:
        """Make the clients that every verification needs: half a second of reading models."""
        _ = self.ecs, self.iam

    def services(self, targets: Iterable[Target]) -> dict[str, Mapping[str, Any]]:
        """DescribeServices by our service name; a service that AWS does not have is absent."""
        found: dict[str, Mapping[str, Any]] = {}
        for cluster, members in _by_cluster(targets).items():
            for chunk in _chunks(members, DESCRIBE_SERVICES_LIMIT):
                answer = self.ecs.describe_services(cluster=cluster, services=[target.ecs_service for target in chunk])
                by_name = {service["serviceName"]: service for service in answer["services"]}
                for target in chunk:
                    if by_name.get(target.ecs_service, {}).get("status") == "ACTIVE":
                        found[target.service] = by_name[target.ecs_service]
        return found

    def tasks(self, targets: Sequence[Target]) -> dict[str, list[Mapping[str, Any]]]:
        """DescribeTasks of those that run, by our service name.

        They are listed service by service; for many services of a cluster, all of the cluster's in a page each hundred.
        """
        found: dict[str, list[Mapping[str, Any]]] = {target.service: [] for target in targets}
        for cluster, members in _by_cluster(targets).items():
            names = [{"serviceName": target.ecs_service} for target in members]
            pages = self.ecs.get_paginator("list_tasks").paginate
            asked = names if len(names) <= FEW_SERVICES else [{}]
            answers = [page for given in asked for page in pages(cluster=cluster, desiredStatus="RUNNING", **given)]
            services = {f"service:{target.ecs_service}": target.service for target in members}
            for chunk in _chunks([arn for answer in answers for arn in answer["taskArns"]], DESCRIBE_TASKS_LIMIT):
                for task in self.ecs.describe_tasks(cluster=cluster, tasks=list(chunk))["tasks"]:
                    if service := services.get(task.get("group", "")):
                        found[service].append(task)
        return found

    def task_problems(self, target: Target, tasks: Sequence[Mapping[str, Any]]) -> list[str]:
        """Running tasks that are of another revision, or whose sidecar does not run."""
        problems = []
        for task in tasks:
            name = task["taskArn"].rpartition("/")[2]
            if task["taskDefinitionArn"] != target.task_definition:
                problems.append(f"task {name} runs {task['taskDefinitionArn'].rpartition('/')[2]}")
            stopped = [c["name"] for c in task["containers"] if c["lastStatus"] == "STOPPED"]
            problems += [f"container '{container}' of task {name} is not running" for container in stopped]
        return problems

    def log_lines(self, group: str, prefix: str, since: float, pattern: str) -> list[str]:
        """FilterLogEvents' first page: lines under a stream prefix since a time (seconds since the epoch)."""
        answer = self.logs.filter_log_events(
            logGroupName=group, logStreamNamePrefix=prefix, startTime=int(1000 * since), filterPattern=pattern
        )
        return [str(event["message"]).strip() for event in answer["events"]]

    def containers(self, task_definition: str) -> Sequence[Mapping[str, Any]]:
        """The container definitions of a revision."""
        definition = self.ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
        return list(definition["containerDefinitions"])

    def policies(self, role: str) -> set[str]:
        """ARNs of the managed policies attached to a role."""
        pages = self.iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
        return {policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]}


def is_deployed(target: Target, running: Running) -> bool:
    """Whether ECS runs what was deployed, or is about to."""
    is_as_wanted = {running.flag, running.sidecar, running.policy} == {target.tracing}
    return is_as_wanted and running.task_definition == target.task_definition


def look(targets: Sequence[Target], aws: Aws) -> dict[str, Running]:
    """What runs now, without waiting; by service."""
    try:
        services = aws.services(targets)
    except (BotoCoreError, ClientError) as error:
        return {target.service: Running(problems=(f"AWS does not answer: {error}",)) for target in targets}
    return _examined(targets, services, aws)


def wait(  # noqa: PLR0913 - all but two are keywords
    targets: Sequence[Target],
    aws: Aws,
    *,
    timeout: float,
    poll: float,
    cancelled: threading.Event,
    say: Callable[[str, Running], None],
    waiting: Callable[[Mapping[str, str]], None],
) -> dict[str, Running]:
    """Wait (seconds) until every rollout has ended one way or the other, then examine what runs; by service.

    `say` is called once for each service, as soon as its answer is final; `waiting` after each look that leaves some
    open, with the reason by service.
    """
    results: dict[str, Running] = {}
    deadline = time.monotonic() + timeout
    pending = list(targets)
    while pending:
        try:
            services = aws.services(pending)
        except (BotoCoreError, ClientError) as error:
            services = {}
            for target in pending:
                results[target.service] = Running(problems=(f"AWS does not answer: {error}",))
        last_look = cancelled.is_set() or time.monotonic() >= deadline
        settled = [
            target
            for target in pending
            if target.service not in results
            and (last_look or target.service not in services or _has_settled(target, services[target.service]))
        ]
        results |= _examined(settled, services, aws)
        for target in pending:
            if target.service in results:
                say(target.service, results[target.service])
        pending = [target for target in pending if target.service not in results]
        if pending:
            waiting({target.service: _movement(services[target.service]) for target in pending})
            cancelled.wait(poll)
    return results


def _movement(service: Mapping[str, Any]) -> str:
    return f"{service['runningCount']} of {service['desiredCount']} tasks, {service['pendingCount']} starting"


def _has_settled(target: Target, service: Mapping[str, Any]) -> bool:
    primary = _primary(service)
    if primary["taskDefinition"] != target.task_definition or primary.get("rolloutState") == "FAILED":
        return True
    return primary.get("rolloutState") == "COMPLETED" and service["runningCount"] >= service["desiredCount"]


def _examined(targets: Sequence[Target], services: Mapping[str, Mapping[str, Any]], aws: Aws) -> dict[str, Running]:
    """Examine services side by side, given what DescribeServices says of them."""
    if not targets:
        return {}
    aws.connect()  # clients are made by one thread
    try:
        tasks = aws.tasks([target for target in targets if target.service in services])
    except (BotoCoreError, ClientError) as error:
        return {target.service: Running(problems=(f"AWS does not answer: {error}",)) for target in targets}

    def examine(target: Target) -> Running:
        return _examine(target, services.get(target.service), tasks.get(target.service, ()), aws)

    with ThreadPoolExecutor(max_workers=min(SIDE_BY_SIDE, len(targets))) as pool:
        return dict(zip((target.service for target in targets), pool.map(examine, targets), strict=True))


def _examine(
    target: Target, service: Mapping[str, Any] | None, tasks: Sequence[Mapping[str, Any]], aws: Aws
) -> Running:
    if service is None:
        gone = f"AWS has no active ECS service '{target.ecs_service}' in cluster '{target.cluster}'"
        return Running(problems=(gone,))
    primary = _primary(service)
    problems = _rollout_problems(target, service, primary)
    try:
        containers = aws.containers(primary["taskDefinition"])
        policies = aws.policies(target.role)
        problems += tracing.findings(containers, policies, tracing=target.tracing)
        if not problems:
            problems += aws.task_problems(target, tasks)
    except (BotoCoreError, ClientError) as error:
        containers, policies = [], set()
        problems.append(f"AWS does not answer: {error}")
    envoy = next((c for c in containers if c["name"] == tracing.ENVOY_NAME), {})
    variables = {variable["name"]: variable["value"] for variable in envoy.get("environment", [])}
    return Running(
        task_definition=primary["taskDefinition"],
        rollout=primary.get("rolloutState", ""),
        running=service["runningCount"],
        desired=service["desiredCount"],
        flag=variables.get(tracing.FLAG_VARIABLE) == "1",
        sidecar=any(container["name"] == tracing.SIDECAR_NAME for container in containers),
        policy=tracing.POLICY_ARN in policies,
        problems=tuple(problems),
    )


def _rollout_problems(target: Target, service: Mapping[str, Any], primary: Mapping[str, Any]) -> list[str]:
    wanted, actual = (arn.rpartition("/")[2] for arn in (target.task_definition, primary["taskDefinition"]))
    reason = primary.get("rolloutStateReason", "")
    if wanted != actual:
        failed = [d for d in service["deployments"] if d["taskDefinition"] == target.task_definition]
        why = failed[0].get("rolloutStateReason", reason) if failed else reason
        return [f"ECS runs {actual} instead of {wanted}: {why or 'it was changed after the deployment'}"]
    if primary.get("rolloutState") == "FAILED":
        return [f"the rollout of {wanted} failed: {reason}"]
    if primary.get("rolloutState") != "COMPLETED" or service["runningCount"] < service["desiredCount"]:
        latest = service["events"][0]["message"] if service.get("events") else reason
        tasks = f"{service['runningCount']} of {service['desiredCount']} tasks"
        return [f"the rollout of {wanted} has not ended ({tasks}): {latest}"]
    return []


def _primary(service: Mapping[str, Any]) -> Mapping[str, Any]:
    deployments: Sequence[Mapping[str, Any]] = service["deployments"]
    return next(deployment for deployment in deployments if deployment["status"] == "PRIMARY")


def _by_cluster(targets: Iterable[Target]) -> dict[str, list[Target]]:
    found: dict[str, list[Target]] = {}
    for target in targets:
        found.setdefault(target.cluster, []).append(target)
    return found


def _chunks(items: Sequence[_T], size: int) -> Iterable[Sequence[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
