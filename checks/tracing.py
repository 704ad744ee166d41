"""Rules about tracing: whether a task has all that it takes, and whether neighbours agree.

A rule says nothing about what is not known yet. What the flag adds is named by `services`, which loads Pulumi; so the
names are given by the caller.
"""

import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checks.collectors import PORT, REGION, Collector, read
from checks.model import TASK_DEFINITION, Finding, Severity, Stack, containers, document, is_known, listed, mapped, text

# Source: App Mesh user guide, "Envoy configuration variables", and the source of Envoy's agent.
DAEMON_ADDRESS_VARIABLE = "AWS_XRAY_DAEMON_ADDRESS"
DAEMON_PORT_VARIABLE = "XRAY_DAEMON_PORT"

_ROOT = ("", "0", "root")  # "": as the image says
_SPARED_GROUP = "1338"  # as good as any other

_TRACER = "envoy.tracers.xray"  # Envoy's name of it
_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the tracing flag adds to a task, by name."""

    envoy: str  # container
    sidecar: str  # container
    flag: str  # Envoy's variable that is "1" with tracing on
    rate: str  # Envoy's variable with the sampling rate
    policy_arn: str  # managed policy of the task role
    proxy_user: str  # user id whose traffic the task's redirection leaves alone


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task definition with an Envoy whose flag is known."""

    stack: Stack
    name: str  # of the task definition in the program
    role: str | None  # ARN of the task role, if known
    proxy: Mapping[str, Any]  # its proxy configuration
    envoy: Mapping[str, Any]
    sidecar: Mapping[str, Any] | None
    traced: bool
    names: Names

    def finding(self, rule: str, message: str, fix: str, severity: Severity = "error") -> Finding:
        """What `rule` objects to in this task."""
        service = self.stack.service
        return Finding(rule=rule, service=service, resource=self.name, message=message, fix=fix, severity=severity)


def tasks(stack: Stack, names: Names) -> Iterator[Task]:
    """The tasks of a stack that have an Envoy, as far as they are known."""
    for resource in stack.resources:
        if resource.type != TASK_DEFINITION:
            continue
        by_name = {container.get("name"): container for container in containers(resource)}
        envoy = by_name.get(names.envoy)
        # What such files say is nowhere in the plan.
        if envoy is None or any(container.get("environmentFiles") for container in by_name.values()):
            continue
        flag = variables(envoy).get(names.flag, "0")
        if is_known(flag):
            yield Task(
                stack=stack,
                name=resource.name,
                role=text(resource.inputs.get("taskRoleArn")),
                proxy=mapped(resource.inputs.get("proxyConfiguration")),
                envoy=envoy,
                sidecar=by_name.get(names.sidecar),
                traced=flag == "1",
                names=names,
            )


def bootstrap(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a plain Envoy is told in its command; nothing for App Mesh's, or where it is not known."""
    told = (mapped(document(word)) for word in listed(container.get("command")))
    return next((mapped(each.get("static_resources")) for each in told if "static_resources" in each), {})


def variables(container: Mapping[str, Any]) -> dict[str, Any]:
    """A container's environment; a secret's value is not known: ``...``."""
    plain = {mapped(each).get("name"): mapped(each).get("value") for each in listed(container.get("environment"))}
    secret = {mapped(each).get("name"): ... for each in listed(container.get("secrets"))}
    return {str(name): value for name, value in {**plain, **secret}.items()}


def tracing_pair(task: Task) -> Iterator[Finding]:
    """The flag and the sidecar come and go together."""
    names = task.names
    if task.traced and task.sidecar is None:
        message = f"Envoy traces ({names.flag}=1), but the task has no container '{names.sidecar}': all traces are lost"
        yield task.finding("tracing-pair", message, f"Add the container '{names.sidecar}', or take the flag away.")
    if not task.traced and task.sidecar is not None:
        message = f"the task has a container '{names.sidecar}', but Envoy does not trace"
        yield task.finding("tracing-pair", message, f"Take the container away, or set {names.flag}=1.", "warning")


def tracing_bootstrap(task: Task) -> Iterator[Finding]:
    """A plain Envoy does what its bootstrap says, whatever its environment says."""
    told = bootstrap(task.envoy)
    if told and (_TRACER in json.dumps(told, default=str)) != task.traced:
        flag, does = (f"{task.names.flag}=1", "does not trace") if task.traced else (f"no {task.names.flag}", "traces")
        message = f"Envoy's environment has {flag}, but its bootstrap {does}"
        yield task.finding("tracing-bootstrap", message, "Let both be made of the flag.")


def tracing_order(task: Task) -> Iterator[Finding]:
    """Envoy waits for the sidecar: it never resends what it sent before that listens."""
    sidecar = task.names.sidecar
    waits = sidecar in [mapped(each).get("containerName") for each in listed(task.envoy.get("dependsOn"))]
    if waits and task.sidecar is None:
        message = f"Envoy waits for a container '{sidecar}' that the task has not; ECS refuses the task"
        yield task.finding("tracing-order", message, "Take it out of Envoy's dependsOn.")
    knows = "dependsOn" not in task.envoy or is_known(task.envoy["dependsOn"])
    if task.traced and task.sidecar is not None and not waits and knows:
        message = f"Envoy does not wait for '{sidecar}' to start: the first traces are lost"
        fix = f"Add {sidecar} with condition START to Envoy's dependsOn."
        yield task.finding("tracing-order", message, fix, "warning")


def tracing_policy(task: Task) -> Iterator[Finding]:
    """The task's role may write to X-Ray just when it traces. Only the policy that the flag attaches counts."""
    short = task.names.policy_arn.rpartition("/")[2]
    attachments = [each.inputs for each in task.stack.resources if each.type == _ATTACHMENT]
    matches = [
        _same_role(task.role, each.get("role"))
        for each in attachments
        if each.get("policyArn") == task.names.policy_arn or not is_known(each.get("policyArn"))
    ]
    if task.traced and all(match is False for match in matches):
        message = f"the task traces, but its role has no {short}: X-Ray refuses what the sidecar sends"
        yield task.finding("tracing-policy", message, f"Attach {task.names.policy_arn} to the task role.")
    # An attachment whose policy is not known may be another's: only a known one is told.
    known = [each for each in attachments if each.get("policyArn") == task.names.policy_arn]
    if not task.traced and any(_same_role(task.role, each.get("role")) for each in known):
        message = f"the task does not trace, but its role has {short}"
        yield task.finding("tracing-policy", message, "Detach it.", "warning")


def tracing_user(task: Task) -> Iterator[Finding]:
    """Where a proxy takes all traffic, the sidecar's user or group is left alone: X-Ray is out of the mesh.

    And a collector that only root can start is root.
    """
    if task.sidecar is None or not is_known(user := task.sidecar.get("user", "")):
        return
    uid, _, gid = str(user).partition(":")
    called = f"user {user}" if user else "the user of its image"
    collector = _collector(task)
    needs_root = collector is not None and collector.needs_root
    if needs_root and uid not in _ROOT:
        message = f"'{task.names.sidecar}' runs as {called}, but writes its configuration where only root may, and ends"
        yield task.finding("tracing-user", message, f"Set its user to 0:{_group(task) or _SPARED_GROUP}.")
    properties = mapped(task.proxy.get("properties"))
    spared = properties.get("IgnoredUID", task.names.proxy_user)
    if not task.proxy or not is_known(spared) or uid == str(spared) or (gid and gid == _group(task)):
        return
    if "IgnoredGID" in properties and not is_known(properties["IgnoredGID"]):
        return
    message = f"'{task.names.sidecar}' runs as {called}, so its traffic to X-Ray is redirected into Envoy"
    fix = f"Set its user to {spared}."
    if needs_root:
        fix = f"Set its user to 0:{_group(task) or _SPARED_GROUP}, and IgnoredGID of the proxy to the same group."
    yield task.finding("tracing-user", message, fix)


def tracing_address(task: Task) -> Iterator[Finding]:
    """Envoy sends to where the sidecar listens: on the task's own loopback, on the same port."""
    collector = _collector(task)
    if not task.traced or collector is None:
        return
    given = variables(task.envoy)
    address = given.get(DAEMON_ADDRESS_VARIABLE) or "127.0.0.1"
    told = given.get(DAEMON_PORT_VARIABLE) or PORT
    if not (isinstance(address, str) and isinstance(told, str)):
        return
    host, _, own_port = address.partition(":")
    port = own_port or told
    if collector.unheard:
        message = f"Envoy's UDP {port} is heard by nobody: {collector.unheard}"
        yield task.finding("tracing-address", message, f"Have '{task.names.sidecar}' listen on UDP 127.0.0.1:{port}.")
    elif not _is_loopback(host):
        message = f"Envoy sends traces to {host}, not to the sidecar"
        fix = f"Take {DAEMON_ADDRESS_VARIABLE} away, or set it to 127.0.0.1."
        yield task.finding("tracing-address", message, fix)
    elif collector.port is not None and port != collector.port:
        message = f"Envoy sends traces to port {port}, '{task.names.sidecar}' listens on {collector.port}"
        yield task.finding("tracing-address", message, f"Set {DAEMON_PORT_VARIABLE}={collector.port}.")


def tracing_region(task: Task) -> Iterator[Finding]:
    """The collector is told its region, that of its Envoy: on Fargate most have no other way to know, and exit."""
    collector = _collector(task)
    if collector is None or collector.region is None:
        return
    expected = variables(task.envoy).get(REGION)
    if not collector.region:
        message = f"'{task.names.sidecar}' has no {REGION} and exits at once"
        yield task.finding("tracing-region", message, f"Set {REGION} in its environment.")
    elif is_known(expected) and collector.region != expected:
        message = f"'{task.names.sidecar}' sends to {collector.region}, but Envoy is in {expected}"
        yield task.finding("tracing-region", message, f"Set {collector.region_is_set_by} to {expected}.")


def tracing_rate(task: Task) -> Iterator[Finding]:
    """The sampling rate is one that Envoy takes as it is, and is said only where it counts."""
    variable = task.names.rate
    given = variables(task.envoy).get(variable)
    if not isinstance(given, str) or not is_known(given) or not given:
        return
    if not _is_rate(given):
        message = f"{variable} is '{given}', not a number from 0 to 1 with at most two decimals"
        yield task.finding("tracing-rate", message, f"Set {variable} to a value such as 0.05.")
    elif not task.traced:
        message = f"{variable} is set, but Envoy does not trace"
        yield task.finding("tracing-rate", message, "Take it away.", "warning")


TASK_RULES: Sequence[Callable[[Task], Iterator[Finding]]] = (
    tracing_pair,
    tracing_bootstrap,
    tracing_order,
    tracing_policy,
    tracing_user,
    tracing_address,
    tracing_region,
    tracing_rate,
)


def _same_role(arn: str | None, role: Any) -> bool | None:
    """Whether an attachment's role is that of the ARN; None where one of them is not known."""
    name = text(role)
    return None if arn is None or name is None else arn.endswith((f"/{name}", f":{name}"))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def _is_rate(given: str) -> bool:
    try:
        rate = float(given)
    except ValueError:
        return False
    return 0 <= rate <= 1 and round(rate, 2) == rate


def _collector(task: Task) -> Collector | None:
    return read(task.sidecar, variables(task.sidecar)) if task.sidecar is not None else None


def _group(task: Task) -> str:
    """The group whose traffic the redirection leaves alone; "" without."""
    return text(mapped(task.proxy.get("properties")).get("IgnoredGID")) or ""
