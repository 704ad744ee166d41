"""What would make a deployment to an account fail, looked for before anything is changed; each with its remedy.

All checks run side by side and cost a few seconds. Everything that is in the way is told at once. What can't be found
out is a remark: nobody is kept from deploying by a right to look that they lack. In the local environment there is
nothing to look for.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from threading import Lock
from typing import Any

from automation import locks, permissions, quotas
from automation.engine import PROJECT, Engine
from automation.environment import Environment
from automation.errors import EngineError, UsageError
from automation.stackfiles import NAMESPACE
from services import SERVICES
from services.settings import Settings

ENDED = "2026-09-30"  # App Mesh. Source: AWS's announcement of 2024-09-24

_TIMEOUT = 5  # seconds to connect, and to be answered
_NAMED = 6  # denied actions that are told by name; the rest is counted


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is in the way, and the command that clears it."""

    message: str
    remedy: str


Finding = Problem | str  # a text is a remark


@dataclass(kw_only=True)
class Preflight:
    """A look at an account; `settings` are those of the stacks that are to be deployed, by service."""

    environment: Environment
    settings: Mapping[str, Settings]
    engine: Engine
    test_segment: bool = False  # whether to write one to X-Ray
    _clients: dict[str, Any] = field(default_factory=dict)
    _making: Lock = field(default_factory=Lock)

    def check(self, say: Callable[[str], None]) -> None:
        """Look before a change, and tell of it.

        Raises:
            UsageError: something is in the way; nothing was changed.

        """
        if self.environment.is_local:
            return
        looks: list[Callable[[], Iterator[Finding]]] = [self._caller, self._permissions, self._quotas, self._backend]
        if any(given.has_app_mesh for given in self.settings.values()):
            looks.append(self._app_mesh)
        if self.test_segment:
            looks.append(self._segment)
        with ThreadPoolExecutor(max_workers=len(looks)) as pool:
            found = [finding for told in pool.map(lambda look: list(look()), looks) for finding in told]
        for remark in found:
            if isinstance(remark, str):
                say(remark)
        problems = [finding for finding in found if isinstance(finding, Problem)]
        if len(problems) == 1:
            raise UsageError(problems[0].message, next_command=problems[0].remedy)
        if problems:
            told = "".join(f"\n  - {each.message}\n    {each.remedy}" for each in problems)
            raise UsageError(f"{len(problems)} things are in the way of a deployment, and nothing was changed:{told}")

    @cached_property
    def _identity(self) -> Mapping[str, str]:
        identity: Mapping[str, str] = self._client("sts").get_caller_identity()
        return identity

    def _caller(self) -> Iterator[Finding]:
        """Who deploys, and where to."""
        try:
            identity = self._identity
        except _errors() as error:
            yield Problem(message=f"AWS does not know who is asking ({error}).", remedy="aws sts get-caller-identity")
            return
        yield f"Account {identity['Account']}, region {self.environment.region}, as {identity['Arn']}."
        wanted = self.environment.account
        if wanted not in (None, identity["Account"]):
            place = self.environment.files.common.place
            yield Problem(
                message=f"These are credentials of account {identity['Account']}, but {place} says account {wanted}.",
                remedy="export AWS_PROFILE=…   (aws configure list-profiles shows those that there are)",
            )

    def _app_mesh(self) -> Iterator[Finding]:
        """Whether App Mesh is still there."""
        service = next(name for name, given in self.settings.items() if given.has_app_mesh)
        stack = f"{self.environment.name}-{service}"
        try:
            self._client("appmesh").list_meshes(limit=1)
        except _errors() as error:
            if _is_passing(error):
                yield f"Whether App Mesh is still there was not found out ({_reason(error)})."
                return
            message = f"'{stack}' is in App Mesh, which AWS ended on {ENDED}: it can't be deployed there ({error})."
            yield Problem(message=message, remedy=self._way_out(service))

    def _way_out(self, service: str) -> str:
        """The one setting to change; what is deployed has to move."""
        option, common = self.environment.option, self.environment.files.common
        if service in self._deployed():
            return f"python automation/migrate.py --to envoy --forget-app-mesh{option}"
        if f"{NAMESPACE}:mesh" in common.of(service):
            return f"set `mesh: envoy` in {common.place}"
        return f"python automation/enable.py --mesh envoy{option}"

    def _permissions(self) -> Iterator[Finding]:
        """Whether the caller may do what the stacks take."""
        try:
            arn, account = self._identity["Arn"], self._identity["Account"]
        except _errors():
            return  # told by who asks for the caller
        principal = self._principal(arn)
        if principal is None:
            yield f"Whether {arn} has the rights to deploy can't be asked for."
            return
        rights = list(self._rights())
        try:
            with ThreadPoolExecutor(max_workers=len(rights)) as pool:
                answers = list(pool.map(partial(self._denied, principal, account), rights))
        except _errors() as error:
            yield f"Whether the caller has the rights to deploy was not found out ({_reason(error)})."
            return
        found = zip(rights, answers, strict=True)
        missing: dict[bool, list[str]] = {True: [], False: []}
        for right, denied in found:
            missing[right.needed] += sorted(denied)
        if missing[False]:
            yield f"{arn} may not do {_some(missing[False])}: what they tell is done without."
        if missing[True]:
            yield Problem(
                message=f"{arn} may not do {_some(missing[True])}.",
                remedy=f"aws iam create-policy --policy-name {permissions.NAME} --policy-document "
                f"file://{permissions.FILE}   (and attach it; --skip-preflight where IAM is mistaken)",
            )

    def _principal(self, arn: str) -> str | None:
        """The ARN of the user or role whose policies count; None where IAM does not simulate it."""
        head, _, what = arn.rpartition(":")
        kind, _, name = what.partition("/")
        if kind == "user":
            return arn
        if kind != "assumed-role":
            return None
        role = name.partition("/")[0]
        try:
            # A role may have a path, which its sessions do not tell.
            found: str = self._client("iam").get_role(RoleName=role)["Role"]["Arn"]
        except _errors():
            return f"{head.replace(':sts:', ':iam:')}:role/{role}"
        return found

    def _rights(self) -> Iterator[permissions.Right]:
        """Those that the stacks need."""
        has_platform = any(SERVICES[service].is_platform for service in self.settings)
        absent = {
            "AppMesh": not any(given.has_app_mesh for given in self.settings.values()),
            "Scaling": not any(given.autoscaling for given in self.settings.values()),
            "Network": not has_platform,
            "LoadBalancer": not has_platform,
        }
        has_host = any(given.load_test_host for given in self.settings.values())
        for right in permissions.rights():
            if not absent.get(right.sid, not right.by_default and not has_host):
                yield right

    def _denied(self, principal: str, account: str, right: permissions.Right) -> set[str]:
        """Those of its actions that are denied for each kind of resource, whatever the conditions."""
        pages = self._client("iam").get_paginator("simulate_principal_policy")
        possible = {
            result["EvalActionName"]
            for question in permissions.questions(right, account, self.environment.region)
            for page in pages.paginate(PolicySourceArn=principal, **question)
            for result in page["EvaluationResults"]
            if result["EvalDecision"] == "allowed" or result.get("MissingContextValues")
        }
        return set(right.actions) - possible

    def _quotas(self) -> Iterator[Finding]:
        """Whether the account's quotas have room for what is still to be made."""
        deployed = self._deployed()
        new = [service for service in self.settings if service not in deployed]
        with ThreadPoolExecutor(max_workers=len(quotas.QUOTAS)) as pool:
            looks = pool.map(partial(self._quota, new=new), quotas.QUOTAS)
            yield from (finding for found in looks for finding in found)

    def _quota(self, quota: quotas.Quota, *, new: Sequence[str]) -> list[Finding]:
        needed = quota.needed({service: self.settings[service] for service in new})
        if not needed:
            return []
        try:
            limit, used = quotas.limit(self._client("service-quotas"), quota), quota.used(self._client)
        except _errors() as error:
            return [f"Whether there is room for {needed:g} {quota.what} was not found out ({_reason(error)})."]
        if used + needed <= limit:
            return []
        region = self.environment.region
        message = f"{needed:g} {quota.what} are needed; the account may have {limit:g} in {region} and has {used:g}."
        remedy = (
            f"aws service-quotas request-service-quota-increase --service-code {quota.service} "
            f"--quota-code {quota.code} --desired-value {used + needed:g} --region {region}   (or delete what is idle)"
        )
        return [Problem(message=message, remedy=remedy)]

    def _backend(self) -> Iterator[Finding]:
        """Where the state is, and whether another update holds a stack."""
        try:
            (backend, user), updating = self.engine.backend(), self.engine.updating()
        except EngineError as error:
            yield Problem(message=str(error), remedy="pulumi login URL   (or `backend:` in the environment's file)")
            return
        yield f"Pulumi's state is in {backend}, seen as {user}."
        if not backend.startswith(("file:", "s3:", "http:", "https:")):
            yield "Whether a stack is locked can't be seen there."
        for service in self.settings:
            stack = f"{self.environment.name}-{service}"
            try:
                holder = locks.held(backend, PROJECT, stack, self._client) or ("somebody" if stack in updating else "")
            except _errors(OSError, ValueError) as error:
                yield f"Whether '{stack}' is locked was not found out ({_reason(error)})."
                continue
            if holder:
                yield Problem(
                    message=f"'{stack}' is locked by an update that is running, or that was killed: {holder}.",
                    remedy=f"pulumi cancel --stack {stack}   (once you know that none is running)",
                )

    def _segment(self) -> Iterator[Finding]:
        """Whether X-Ray takes a segment; one without a parent, which expires with the others after 30 days."""
        now = time.time()
        segment = {
            "name": "ecs-tracing-preflight",
            "id": uuid.uuid4().hex[:16],
            "trace_id": f"1-{int(now):08x}-{uuid.uuid4().hex[:24]}",
            "start_time": now,
            "end_time": now,
        }
        try:
            answer = self._client("xray").put_trace_segments(TraceSegmentDocuments=[json.dumps(segment)])
            refused = [each.get("Message", each.get("ErrorCode", "")) for each in answer["UnprocessedTraceSegments"]]
        except _errors() as error:
            refused = [_reason(error)]
        if refused:
            yield Problem(
                message=f"X-Ray does not take a segment ({refused[0]}).",
                remedy=f"aws xray put-trace-segments --trace-segment-documents '{json.dumps(segment)}' "
                f"--region {self.environment.region}",
            )
        else:
            yield f"X-Ray took a test segment: trace {segment['trace_id']}."

    def _deployed(self) -> set[str]:
        """The services whose stacks hold resources already."""
        try:
            found = self.engine.stacks()
        except EngineError:
            return set(self.settings)  # nobody knows; told by who looks at the backend
        return {service for service in self.settings if found.get(f"{self.environment.name}-{service}")}

    def _client(self, service: str) -> Any:
        # Here, because the SDK takes a second to load, which commands that stay at home need not wait for.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        with self._making:  # clients may be used by many threads, but not made by them
            if service not in self._clients:
                make: Any = boto3.client
                patience = Config(connect_timeout=_TIMEOUT, read_timeout=_TIMEOUT, retries={"total_max_attempts": 2})
                self._clients[service] = make(service, region_name=self.environment.region, config=patience)
            return self._clients[service]


def _errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """What the SDK raises, and others."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see _client

    return BotoCoreError, ClientError, *others


def _is_passing(error: Exception) -> bool:
    """Whether asking again might help: a service that is gone refuses, or is no longer found in DNS."""
    from botocore.exceptions import EndpointConnectionError  # noqa: PLC0415 - see _client

    response = getattr(error, "response", None)
    if response is None:
        return not isinstance(error, EndpointConnectionError)
    gone = ("AccessDenied", "Forbidden", "NotFound", "OptInRequired", "SubscriptionRequired", "Unknown")
    return not str(response["Error"]["Code"]).startswith(gone)


def _some(actions: Sequence[str]) -> str:
    named = sorted(actions)
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"{', '.join(named[:_NAMED])}{more}"


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())
