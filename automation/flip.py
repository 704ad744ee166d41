"""enable, disable, deploy: deploy with tracing on, off or as configured, then verify in AWS that it is so.

The steps, in order: select → plan → ask → deploy → verify → report.
"""

import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import click

from automation import display, plan, verify
from automation.cli import Shared, finish
from automation.engine import load_program
from automation.errors import ExitCode, UsageError
from automation.foresee import foresee_rows
from automation.plan import Step
from automation.preflight import Preflight
from automation.report import Report
from automation.review import review
from automation.run import Action, Outcome, Row, State, execute
from automation.session import GRAPH, Session, opened
from automation.stackfiles import NAMESPACE
from checks.moves import mesh_in_one_go
from services.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the user asked for."""

    tracing: bool | None  # None: of each stack what its configuration says
    settings: Mapping[str, str] = field(default_factory=dict)  # beside the flag, by key of the project's namespace
    in_app_mesh: bool = True  # whether what is configured to be in App Mesh needs App Mesh
    yes: bool = False
    skip_preview: bool = False
    skip_preflight: bool = False
    test_segment: bool = False
    refresh: bool = False
    verify_timeout: float = 600.0  # seconds
    traffic: int | None = None  # requests to send afterwards; None: as many as the environment is used to

    def config(self, region: str) -> dict[str, str]:
        """The configuration every selected stack must have."""
        wanted = {"aws:region": region}
        if self.tracing is not None:
            wanted[f"{NAMESPACE}:tracing"] = str(self.tracing).lower()
        return {**wanted, **{f"{NAMESPACE}:{key}": value for key, value in self.settings.items()}}

    @property
    def words(self) -> str:
        """``tracing on``."""
        return {True: "tracing on", False: "tracing off", None: "as configured"}[self.tracing]

    @property
    def command(self) -> str:
        """The command that asks for it."""
        return {True: "enable", False: "disable", None: "deploy"}[self.tracing]


def flip_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options that enable, disable and deploy share."""
    skip = click.option("--skip-preview", is_flag=True, help="Deploy at once, without working out the plan first.")
    refresh = click.option("--refresh", is_flag=True, help="Read what AWS really has first: repairs drift.")
    return skip(refresh(deployment_options(function)))


def deployment_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that deploys."""
    ready = click.option(
        "--skip-preflight", is_flag=True, help="Do not look first whether the account can be used as it is meant to."
    )
    wait = click.option(
        "--verify-timeout",
        type=click.FloatRange(min=0),
        default=600.0,
        show_default=True,
        metavar="SECONDS",
        help="How long the rollouts may take before verification fails.",
    )
    segment = click.option(
        "--test-segment", is_flag=True, help="Also look whether X-Ray takes a segment, by writing one."
    )
    return ready(segment(wait(function)))


def run(shared: Shared, wish: Wish) -> None:
    """The command: open a session, flip, tell, exit."""
    console = shared.console
    with opened(shared, changes=True) as session:
        for step in session.steps:
            session.environment.files.contradicted(step.service, wish.config(session.environment.region))
        report = flip(session, wish)
        session.record("run-ended", exitCode=report.exit_code, summary=report.summary())
    console.print(display.diagnostics(report.rows))
    console.print(report.summary(), style="bold", soft_wrap=True)
    if not report.declined:
        console.print(display.next_steps(report, session.environment.option), soft_wrap=True)
    finish(shared, report.to_json(), report.exit_code)


def flip(session: Session, wish: Wish) -> Report:
    """Do what `wish` says; the report holds everything that happened."""
    environment = session.environment
    steps = session.steps
    wanted = wish.config(environment.region)
    settings = {step.service: environment.files.settings(step.service, wanted) for step in steps}
    aws = verify.Aws(region=environment.region)
    loading = session.meanwhile(load_program, aws.connect)
    look_before(session, settings, wish)
    stacks = session.engine.stacks()
    plan.require_prerequisites(steps, GRAPH, session.deployed(stacks), environment.name)

    traced = [service for service, given in settings.items() if given.tracing]
    report = Report(command=wish.command, environment=environment.name, traced=traced)
    report.rows = [Row(step=step) for step in steps]
    created = _create_missing(session, steps, stacks)
    if not wish.skip_preview:
        agreed = False
        try:
            report.plan = foresee_rows(session, report.rows, wanted, refresh=wish.refresh)
            agreed = not session.cancelled.is_set() and _agreed(session, report, wish)
        finally:
            if not agreed:
                for stack in created:
                    session.engine.remove_empty(stack)
        if not agreed:
            report.declined, report.interrupted = True, session.cancelled.is_set()
            return report
    _deploy(session, report, wish, wanted)
    if not session.cancelled.is_set():
        loading.join()
        _verify(session, report, wish, aws)
    if traced and report.exit_code is ExitCode.DONE and not session.cancelled.is_set():
        review(session, report, wish.traffic)
    report.interrupted = session.cancelled.is_set()
    return report


def look_before(session: Session, settings: Mapping[str, Settings], wish: Wish) -> None:
    """Preflight, unless it is not wanted. Raises `UsageError` for what is in the way."""
    if not wish.skip_preflight:
        needed = settings if wish.in_app_mesh else {name: _moved(given) for name, given in settings.items()}
        look = Preflight(
            environment=session.environment, settings=needed, engine=session.engine, test_segment=wish.test_segment
        )
        look.check(session.say)


def _moved(settings: Settings) -> Settings:
    """The same without App Mesh."""
    return replace(settings, mesh="envoy", both_meshes=False)


def _create_missing(session: Session, steps: Sequence[Step], stacks: Mapping[str, int]) -> list[str]:
    """Empty stacks for those that do not exist: a plan needs something to be a plan of."""
    missing = [step.stack for step in steps if step.stack not in stacks]
    with ThreadPoolExecutor(max_workers=session.parallel) as pool:
        list(pool.map(session.engine.create, missing))
    return missing


def _agreed(session: Session, report: Report, wish: Wish) -> bool:
    """Show the plan and ask, unless there is nothing to ask or the answer was given with --yes."""
    session.console.print(display.plan(f"Plan for environment {report.environment}, {wish.words}", report.plan))
    for service, changes in report.plan.items():
        for finding in mesh_in_one_go(service, changes):
            raise UsageError(f"'{service}': {finding.message}.", next_command=finding.fix.rpartition(": ")[2])
    session.record("planned", changes={s: [c.to_json() for c in cs] for s, cs in report.plan.items()})
    if wish.yes or not any(report.plan.values()):
        return True
    return confirm(session, "Deploy these changes?")


def confirm(session: Session, question: str) -> bool:
    """Ask on the terminal; anything but yes is no."""
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # a question ends at the first Ctrl-C
    try:
        return session.console.input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except (KeyboardInterrupt, EOFError):
        session.cancelled.set()
        return False
    finally:
        signal.signal(signal.SIGINT, ours)


def _deploy(session: Session, report: Report, wish: Wish, wanted: Mapping[str, str]) -> None:
    changing = {service for service, changes in report.plan.items() if changes}

    def deploy(row: Row) -> Outcome:
        service, stack = row.step.service, row.step.stack
        todo = session.environment.files.missing(service, wanted)
        # A stack without changes of its own still has to follow a prerequisite that changes.
        if report.plan and service not in changing and not changing & set(GRAPH[service]):
            if todo:
                session.engine.configure(stack, todo)
            return Outcome(state=State.UNCHANGED)
        session.record("stack-started", stack=stack)
        update = session.engine.up(stack, row.progress, configured=todo, refresh=wish.refresh)
        session.record("stack-ended", stack=stack, problem=update.problem, applied=row.progress.applied)
        if update.problem is not None:
            return Outcome(state=State.CANCELLED if session.cancelled.is_set() else State.FAILED, reason=update.problem)
        return Outcome(state=State.DONE if row.progress.applied else State.UNCHANGED)

    run_rows(session, report, deploy)


def run_rows(session: Session, report: Report, action: Action) -> None:
    """Execute the report's rows with the board shown."""
    shown = display.Board(session.console, report.rows)
    with shown.shown():
        execute(
            report.rows,
            action,
            parallel=session.parallel,
            observe=shown.changed,
            cancelled=session.cancelled,
        )


def _verify(session: Session, report: Report, wish: Wish, aws: verify.Aws) -> None:
    """Hold every deployed stack against what AWS runs."""
    rows = [row for row in report.rows if row.state.is_good]
    if not rows:
        return
    with ThreadPoolExecutor(max_workers=session.parallel) as pool:
        deployed = list(
            pool.map(lambda row: row.progress.outputs or session.engine.deployed(row.step.stack).outputs, rows)
        )
    targets = [
        verify.Target.from_outputs(row.step.service, outputs, tracing=row.step.service in report.traced)
        for row, outputs in zip(rows, deployed, strict=True)
    ]
    session.say("Verifying in AWS that the tasks run what was deployed …")
    with display.waiting(session.console) as waiting:
        report.verification = verify.wait(
            targets,
            aws,
            timeout=wish.verify_timeout,
            poll=session.environment.poll_seconds,
            cancelled=session.cancelled,
            say=lambda service, running: session.console.print(display.verdict(service, running), soft_wrap=True),
            waiting=waiting,
        )
    session.record("verified", problems={name: running.problems for name, running in report.verification.items()})
