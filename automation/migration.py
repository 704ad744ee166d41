"""migrate: move all stacks from one mesh to the other while requests go on.

Both meshes first work side by side in every stack; what the old one has is taken away once AWS runs nothing in it.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from rich.rule import Rule

from automation import display, runtrace, verify
from automation.cli import Shared, finish
from automation.errors import ExitCode, UsageError
from automation.events import summarise
from automation.flip import confirm, flip, look_before
from automation.foresee import foresee_rows
from automation.removal import forget
from automation.report import Report
from automation.run import Row
from automation.session import GRAPH, Session, opened
from automation.stackfiles import NAMESPACE
from automation.steps import Step, for_destruction, select
from automation.wish import Wish
from services.settings import DNS_TTL

MESHES = {"appmesh": "App Mesh", "envoy": "Envoys of our own"}

# Where a stack is on the way from App Mesh to Envoys of our own.
State = tuple[str, bool]  # its mesh, and whether what tasks in the other one need is there, too
WAY: Sequence[State] = (("appmesh", False), ("appmesh", True), ("envoy", True), ("envoy", False))


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One step of the way: these stacks are brought to a state, in this order, and verified."""

    state: State
    words: str
    steps: Sequence[Step]
    repeated: bool = False  # whether some of them were brought there before, but AWS does not run them so

    @property
    def settings(self) -> dict[str, str]:
        """The state as configuration."""
        return {"mesh": self.state[0], "bothMeshes": str(self.state[1]).lower()}


# What becomes of a stack in each state, on the way to a mesh. Tasks are replaced once.
_WORDS: Mapping[str, Mapping[State, str]] = {
    "envoy": {
        WAY[1]: "open our Envoys' port, have names kept for seconds",
        WAY[2]: "replace tasks in App Mesh by tasks with Envoys of our own",
        WAY[3]: "delete App Mesh's objects",
    },
    "appmesh": {
        WAY[2]: "create App Mesh's objects",
        WAY[1]: "replace tasks with Envoys of our own by tasks in App Mesh",
        WAY[0]: "close our Envoys' port",
    },
}


def phases(
    to: str, states: Mapping[str, State], environment: str, unverified: Collection[str] = frozenset()
) -> list[Phase]:
    """What is left of the way to a mesh, from the state of each service's stack.

    Tasks are replaced layer by layer. App Mesh finds a task in either mesh, by Cloud Map's API; DNS tells Envoys of our
    own too late that a task in App Mesh has ended. So they only ever call their like: who is called moves to them
    before its callers do, and back after them. Where a run was interrupted some stacks are further than others; none is
    sent back. Those that are `unverified` do their last step again: ECS may have rolled it back.
    """
    way = list(WAY) if to == "envoy" else list(reversed(WAY))
    done = {service: way.index(now) for service, now in states.items()}
    done = {service: max(0, index - (service in unverified)) for service, index in done.items()}
    found = []
    for reached, state in enumerate(way[1:], 1):
        behind = {service for service, index in done.items() if index < reached}
        layers = [tuple(GRAPH)]
        if state[1] and state != way[1]:
            layers = _layers() if to == "envoy" else _layers()[::-1]
        for layer in layers:
            chosen = [service for service in layer if service in behind]
            if not chosen:
                continue
            steps = select(GRAPH, chosen, environment)
            if state == WAY[3]:  # the mesh itself goes last, when nothing is in it
                steps = for_destruction(steps, GRAPH, (), environment)
            repeated = any(service in unverified and states[service] == state for service in chosen)
            found.append(Phase(state=state, words=_WORDS[to][state], steps=steps, repeated=repeated))
    return found


def _layers() -> list[tuple[str, ...]]:
    """The services, those that are called before their callers: what a service needs, but for the gateway's stack."""
    gateway = [service for service, needs in GRAPH.items() if not needs]
    layers: list[tuple[str, ...]] = []
    placed = set(gateway)
    while placed != set(GRAPH):
        layers.append(tuple(name for name, needs in GRAPH.items() if name not in placed and placed.issuperset(needs)))
        placed.update(layers[-1])
    return [*layers, tuple(gateway)]


@dataclass(frozen=True, kw_only=True)
class Journey:
    """What the user asked for."""

    to: str  # a mesh
    only_shown: bool = False
    skip_preview: bool = False
    forget_app_mesh: bool = False


@dataclass(kw_only=True)
class Migration:
    """What a migration did."""

    to: str
    environment: str
    reports: list[Report] = field(default_factory=list)  # of the phases that were begun
    wanted: int = 0  # how many phases there were to do
    declined: bool = False
    interrupted: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """That of the phase that it ended with."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        return self.reports[-1].exit_code if self.reports else ExitCode.DONE

    def summary(self) -> str:
        """The sentence that ends it."""
        where = f"environment {self.environment}"
        if self.declined:
            return "Nothing was changed."
        if not self.wanted:
            return f"Nothing to change: {where} is in {MESHES[self.to]} already."
        if self.exit_code is not ExitCode.DONE:
            return f"Step {len(self.reports)} of {self.wanted}: {self.reports[-1].summary()}"
        changes = summarise(sum((report.applied for report in self.reports), Counter()))
        return f"Moved: {where} is in {MESHES[self.to]} now ({changes})."

    def to_json(self) -> dict[str, Any]:
        """The document of ``--json``."""
        return {
            "command": "migrate",
            "environment": self.environment,
            "to": self.to,
            "exitCode": int(self.exit_code),
            "changed": any(report.applied for report in self.reports),
            "summary": self.summary(),
            "steps": [report.to_json() for report in self.reports],
        }


def run(shared: Shared, journey: Journey, wish: Wish) -> None:
    """The command: open a session, move, tell, exit. `wish` has what the flips of all phases share."""
    with opened(shared, changes=not journey.only_shown) as session:
        migration = _migrate(session, journey, wish)
        session.record("run-ended", exitCode=migration.exit_code, summary=migration.summary())
    for report in migration.reports[-1:]:
        shared.console.print(display.diagnostics(report.rows))
    shared.console.print(migration.summary(), style="bold", soft_wrap=True)
    runtrace.publish(session, migration.reports, migration.to_json())
    finish(shared, migration.to_json(), migration.exit_code)


def _migrate(session: Session, journey: Journey, wish: Wish) -> Migration:
    to = journey.to
    for service in GRAPH:
        session.environment.files.contradicted(service, {f"{NAMESPACE}:mesh": to})
    outputs = _outputs(session, to)
    states = _states(outputs, to)
    begun = any(state != (WAY[0] if to == "envoy" else WAY[-1]) for state in states.values())
    unverified = _unverified(session, outputs) if begun else set[str]()
    todo = phases(to, states, session.environment.name, unverified)
    migration = Migration(to=to, environment=session.environment.name, wanted=len(todo))
    if todo and not _agreed(session, todo, journey, wish):
        migration.declined, migration.interrupted = True, session.cancelled.is_set()
        return migration
    wish = replace(wish, in_app_mesh=not journey.forget_app_mesh)
    if todo:  # once, and before anything is forgotten
        files, wanted = session.environment.files, replace(wish, settings=todo[0].settings)
        config = wanted.config(session.environment.region)
        look_before(session, {step.service: files.settings(step.service, config) for step in todo[0].steps}, wish)
    for number, phase in enumerate(todo, 1):
        if journey.forget_app_mesh and phase.state == WAY[3]:
            forget(session, [step.service for step in phase.steps])
        session.console.print(Rule(f"step {number} of {len(todo)}: {phase.words}", align="left", characters="─"))
        last = number == len(todo)
        asked = replace(
            wish,
            settings=phase.settings,
            skip_preflight=True,
            refresh=phase.repeated and not journey.forget_app_mesh,  # brings AWS back to what was deployed
            traffic=None if last else 0,
        )
        migration.reports.append(flip(replace(session, steps=tuple(phase.steps)), asked))
        if migration.exit_code is not ExitCode.DONE:
            break
        if to == "envoy" and phase.state == WAY[1] and not session.environment.is_local:
            session.say(f"Waiting {DNS_TTL} s: for so long may names be kept that were asked for until now.")
            session.cancelled.wait(DNS_TTL)
    return migration


def _outputs(session: Session, to: str) -> dict[str, Mapping[str, Any]]:
    """The outputs of all stacks, by service. Raises `UsageError` where not all are deployed."""
    deployed = session.deployed(session.engine.stacks())
    if missing := [service for service in GRAPH if service not in deployed]:
        environment = session.environment
        message = f"Only what is deployed can move: {', '.join(missing)} is not, in environment '{environment.name}'."
        command = f"python automation/enable.py --mesh {to}{environment.option}"
        raise UsageError(message, next_command=command)
    with ThreadPoolExecutor(max_workers=session.parallel) as pool:
        names = [f"{session.environment.name}-{service}" for service in GRAPH]
        return dict(zip(GRAPH, (each.outputs for each in pool.map(session.engine.deployed, names)), strict=True))


def _states(outputs: Mapping[str, Mapping[str, Any]], to: str) -> dict[str, State]:
    """Where each service's stack is; at the beginning where a deployment never got to its end."""
    begun = WAY[0] if to == "envoy" else WAY[-1]
    return {
        service: (str(found.get("mesh", begun[0])), bool(found.get("bothMeshes", begun[1])))
        for service, found in outputs.items()
    }


def _unverified(session: Session, outputs: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The services that AWS does not run as Pulumi deployed them, or not yet."""
    targets = [
        verify.Target.from_outputs(service, found, tracing=bool(found["tracing"]))
        for service, found in outputs.items()
        if "taskDefinitionArn" in found
    ]
    running = verify.look(targets, verify.Aws(region=session.environment.region))
    return {service for service in GRAPH if service not in running or running[service].problems}


def _agreed(session: Session, todo: Sequence[Phase], journey: Journey, wish: Wish) -> bool:
    """Show the way and the plan of its first step; ask."""
    session.say("The way, each step verified in AWS before the next begins:")
    for number, phase in enumerate(todo, 1):
        services = ", ".join(step.service for step in phase.steps)
        session.say(f"  {number}. {phase.words} ({services})")
    if not journey.skip_preview:
        wanted = replace(wish, settings=todo[0].settings).config(session.environment.region)
        rows = [Row(step=step) for step in todo[0].steps]
        session.console.print(display.plan("Plan of step 1", foresee_rows(session, rows, wanted)))
    if journey.only_shown or session.cancelled.is_set():
        return False
    return wish.yes or confirm(session, "Go this way?")
