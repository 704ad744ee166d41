"""The status of each service: what its configuration says, what AWS runs, and what drifted between the two."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from automation.events import Progress
from automation.forecast import Change
from automation.session import Session
from automation.steps import Step
from automation.verify import Aws, Running, Target, look


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service's status. `running` is None when it is not deployed, `drift` None when nobody looked."""

    configured: bool
    running: Running | None = None
    drift: Sequence[Change] | None = None
    problem: str = ""

    def cells(self) -> dict[str, str]:
        """A table's row: column to word."""
        running = self.running or Running()
        deployed = self.running is not None
        return {
            "configured": _on(self.configured),
            "deployed": _on(running.flag) if deployed else "-",
            "revision": running.revision.rpartition(":")[2] or "-",
            "tasks": f"{running.running}/{running.desired}" if deployed else "-",
            "sidecar": _yes(running.sidecar) if deployed else "-",
            "policy": _yes(running.policy) if deployed else "-",
            "drift": self._drift_cell(),
        }

    @property
    def remarks(self) -> list[str]:
        """What needs a sentence."""
        remarks = [self.problem] if self.problem else []
        remarks += self.running.problems if self.running else ()
        for change in self.drift or ():
            what = "was deleted" if change.op == "delete" else f"was changed: {', '.join(change.properties)}"
            remarks.append(f"{change.short_type} {change.name} {what} behind Pulumi's back")
        return remarks

    def to_json(self) -> dict[str, Any]:
        """The document of ``--json``."""
        running = self.running
        return {
            "deployed": running is not None,
            "flagInConfig": self.configured,
            "flagDeployed": running.flag if running else None,
            "revision": running.revision if running else None,
            "rollout": running.rollout if running else None,
            "runningTasks": running.running if running else None,
            "desiredTasks": running.desired if running else None,
            "sidecar": running.sidecar if running else None,
            "policy": running.policy if running else None,
            "problems": [*((self.problem,) if self.problem else ()), *(running.problems if running else ())],
            "drift": None if self.drift is None else [change.to_json() for change in self.drift],
        }

    def _drift_cell(self) -> str:
        if self.drift is None or self.problem:
            return "-"
        return f"{len(self.drift)} changed" if self.drift else "none"


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The status of the selected services by name, and the URLs of the pages that they serve where anything answers."""

    services: dict[str, Service]
    pages: list[str]


def overview(session: Session, *, with_drift: bool) -> Overview:
    """Look at every selected service, side by side."""
    environment = session.environment
    steps = session.steps
    configured = {
        step.service: environment.files.settings(step.service, {"aws:region": environment.region}).tracing
        for step in steps
    }
    stacks = session.engine.stacks()
    present = [step for step in steps if stacks.get(step.stack)]
    if with_drift and present:
        session.say("Comparing with AWS resource by resource …")
    with ThreadPoolExecutor(max_workers=session.parallel) as pool:
        drifts = {step.service: pool.submit(_drift, session, step) for step in present if with_drift}
        outputs = dict(
            zip(present, pool.map(lambda step: session.engine.deployed(step.stack).outputs, present), strict=True)
        )
        targets = [_target(step, found, configured) for step, found in outputs.items()]
        running = look([target for target in targets if target], Aws(region=environment.region))
    services = {}
    for step in steps:
        drift, problem = drifts[step.service].result() if step.service in drifts else (None, "")
        services[step.service] = Service(
            configured=configured[step.service], running=running.get(step.service), drift=drift, problem=problem
        )
    pages = [environment.page(found["gatewayDns"]) for found in outputs.values() if "gatewayDns" in found]
    return Overview(services=services, pages=[page for page in pages if page])


def _target(step: Step, outputs: Mapping[str, Any], configured: Mapping[str, bool]) -> Target | None:
    try:
        return Target.from_outputs(step.service, outputs, tracing=configured[step.service])
    except KeyError:
        return None  # its first deployment never got to the end


def _drift(session: Session, step: Step) -> tuple[list[Change] | None, str]:
    progress = Progress()
    update = session.engine.drift(step.stack, progress)
    if update.problem is not None:
        return None, f"drift could not be looked for: {update.problem}"
    return list(progress.changes.values()), ""


def _on(value: bool) -> str:  # noqa: FBT001 - a word for a truth value
    return "on" if value else "off"


def _yes(value: bool) -> str:  # noqa: FBT001 - a word for a truth value
    return "yes" if value else "no"
