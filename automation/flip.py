"""enable, disable, deploy: deploy with tracing on, off or as configured, then verify in AWS that it is so.

The steps, in order: select → plan → ask → deploy → verify → report.
"""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from importlib.util import find_spec

from automation import display, resume, runtrace, verify
from automation.cli import Shared, finish
from automation.deployment import bring, verified_as
from automation.engine import load_program
from automation.errors import ExitCode, UsageError
from automation.forecast import Change
from automation.foresee import foresee_rows
from automation.journal import folder_of
from automation.preflight import Preflight
from automation.report import Report
from automation.review import outputs, provable, review
from automation.rollback import roll_back
from automation.run import Action, Outcome, Row, State, execute
from automation.session import GRAPH, Session, opened
from automation.steps import Step, require_prerequisites
from automation.timings import Timed
from automation.waves import divide
from automation.wish import Wish
from checks.model import TASK_DEFINITION
from checks.moves import mesh_in_one_go
from services.settings import Settings

Verified = Callable[[Report, Sequence[Row]], None]  # holds the rows against what AWS runs, and reports it


def run(shared: Shared, wish: Wish) -> None:
    """The command: open a session, flip, tell, exit."""
    console = shared.console
    if wish.resume:
        shared, wish = _continued(shared, wish)
    with opened(shared, changes=True) as session, _beyond(session, shared, wish):
        if not wish.resume:
            resume.hint(session)
        for step in session.steps:
            session.environment.files.contradicted(step.service, wish.config(session.environment.region))
        services = [step.service for step in session.steps]
        session.record("wished", command=wish.command, services=services, settings=dict(wish.settings), waves=wish.wave)
        report = flip(session, wish)
        summary = report.summary()
        session.record("run-ended", exitCode=report.exit_code, summary=summary, declined=report.declined)
    console.print(display.diagnostics(report.rows))
    console.print(report.summary(), style="bold", soft_wrap=True)
    document = {**report.to_json(), "run": session.run}
    if not report.declined:
        runtrace.publish(session, [report], document, wish.run_traces)
        console.print(display.next_steps(report, session.environment.option), soft_wrap=True)
    finish(shared, document, report.exit_code)


def _beyond(session: Session, shared: Shared, wish: Wish) -> AbstractContextManager[None]:
    """The cluster, if engines are to run on one."""
    if not wish.scheduler:
        return nullcontext()
    if find_spec("distributed") is None:
        message = "--scheduler needs the package 'distributed', here and where the workers are."
        raise UsageError(message, next_command=".venv/bin/python -m pip install -r requirements-dask.txt")
    from automation.scheduler import joined  # noqa: PLC0415 - loads Dask

    return joined(session, wish.scheduler, shared.parallel)


def _continued(shared: Shared, wish: Wish) -> tuple[Shared, Wish]:
    """The services and settings of the run that is continued."""
    given = [*shared.services, *wish.settings]
    if given:
        message = f"--resume takes services and settings from the run that it continues, not {', '.join(given)}."
        raise UsageError(message, next_command=f"python automation/{wish.command}.py --resume")
    earlier = resume.earlier(folder_of(shared.environment), wish.command, shared.environment)
    shared = replace(shared, services=tuple(earlier.services))
    return shared, replace(wish, settings=earlier.settings, wave=wish.wave or earlier.waves, earlier=earlier)


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
    require_prerequisites(steps, GRAPH, session.deployed(stacks), environment.name)

    traced = [service for service, given in settings.items() if given.tracing]
    report = Report(command=wish.command, environment=environment.name, traced=traced)
    report.rows = [Row(step=step) for step in steps]
    if wish.earlier is not None:
        resume.take_over(session, report, wanted, wish.earlier, aws)
    created = _create_missing(session, steps, stacks)
    if not wish.skip_preview:
        agreed = False
        try:
            left = [row for row in report.rows if not row.state.is_final]
            report.plan = foresee_rows(session, left, wanted, refresh=wish.how.refresh) if left else {}
            agreed = not session.cancelled.is_set() and _agreed(session, report, wish)
        finally:
            if not agreed:
                for stack in created:
                    session.engine.remove_empty(stack)
        if not agreed:
            report.declined, report.interrupted = True, session.cancelled.is_set()
            return report

    def verified(of: Report, rows: Sequence[Row]) -> None:
        loading.join()
        _verify(session, of, rows, wish, aws)

    _waves(session, report, wish, wanted, verified)
    if wish.on_failure == "rollback" and report.exit_code is not ExitCode.DONE and not session.cancelled.is_set():
        report.rolled_back = roll_back(session, report.rows, frozenset(session.deployed(stacks)), wish.how)
        _verify_rollback(session, report, verified)
    if traced and report.exit_code is ExitCode.DONE and not session.cancelled.is_set():
        review(session, report, wish.traffic)
    report.interrupted = session.cancelled.is_set()
    return report


def _waves(session: Session, report: Report, wish: Wish, wanted: Mapping[str, str], verified: Verified) -> None:
    """Deploy and verify wave after wave, one without --wave, until one is not good."""
    waves = divide(report.rows, wish.wave)
    begun: list[Row] = []
    for number, rows in enumerate(waves, 1):
        named = ", ".join(row.step.service for row in rows)
        if len(waves) > 1:
            session.say(f"Wave {number} of {len(waves)}: {named}")
        begun += rows
        so_far = replace(report, rows=begun, traced=[row.step.service for row in begun if _is_traced(row, report)])
        _deploy(session, so_far, wish, wanted)
        if not session.cancelled.is_set():
            verified(so_far, rows)
        report.verification = so_far.verification
        if number == len(waves) or session.cancelled.is_set():
            break
        if so_far.traced and so_far.exit_code is ExitCode.DONE and provable(outputs(session), so_far):
            review(session, so_far, wish.traffic)
        if so_far.exit_code is not ExitCode.DONE:
            report.traffic, report.proof, report.review_problem = so_far.traffic, so_far.proof, so_far.review_problem
            report.held = f"Wave {number} of {len(waves)} ({named}) is not good"
            break
    for row in report.rows:
        if row.state is State.WAITING:
            row.state = State.CANCELLED if session.cancelled.is_set() else State.BLOCKED
            row.reason = report.held or "the run was ended before its turn"


def _verify_rollback(session: Session, report: Report, verified: Verified) -> None:
    """Hold what was taken back against what AWS runs, too; what is not so was not rolled back."""
    environment, back = session.environment, [row for row in report.rolled_back if row.state.is_good]
    wanted = {"aws:region": environment.region}
    traced = [row.step.service for row in back if environment.files.settings(row.step.service, wanted).tracing]
    found = replace(report, rows=back, traced=traced, verification={})
    verified(found, back)
    for row in back:
        if running := found.verification.get(row.step.service):
            row.state = State.FAILED if running.problems else row.state
            row.reason = "; ".join(running.problems)


def _is_traced(row: Row, report: Report) -> bool:
    return row.step.service in report.traced


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
        service = row.step.service
        # A stack without changes of its own still has to follow a prerequisite that changes.
        engine = not report.plan or service in changing or bool(changing & set(GRAPH[service]))
        values = session.environment.files.missing(service, wanted)
        renewed = any(map(_renews, report.plan[service])) if service in report.plan else bool(values)
        how = replace(wish.how, run=session.run if renewed else "")
        return bring(session, row, values, how, engine=engine)

    # Not ahead where engines read into the state what AWS has: they do so at once.
    run_rows(session, report.rows, deploy, stop=wish.on_failure != "continue", ahead=not wish.how.refresh)


def _renews(change: Change) -> bool:
    """Whether there is to be a new task definition, which then bears this run's id."""
    return change.type == TASK_DEFINITION and change.op in ("create", "replace")


def run_rows(session: Session, rows: Sequence[Row], action: Action, *, stop: bool = False, ahead: bool = False) -> None:
    """Execute rows with the board shown."""
    shown = display.Board(session.console, rows)
    with shown.shown():
        execute(
            rows,
            action,
            parallel=session.parallel,
            observe=shown.changed,
            cancelled=session.cancelled,
            stop=stop,
            ahead=ahead,
        )


def _verify(session: Session, report: Report, rows: Sequence[Row], wish: Wish, aws: verify.Aws) -> None:
    """Hold those of the rows that were deployed against what AWS runs."""
    rows = [row for row in rows if row.state.is_good]
    if not rows:
        return
    targets = verified_as(session, rows, report.traced)
    session.environment.keep()
    session.say("Verifying in AWS that the tasks run what was deployed …")
    since = time.time()

    def told(service: str, running: verify.Running) -> None:
        session.timeline.append(Timed(name="verify", service=service, began=since, ended=time.time()))
        session.console.print(display.verdict(service, running), soft_wrap=True)

    with display.waiting(session.console) as waiting:
        found = verify.wait(
            targets,
            aws,
            timeout=wish.verify_timeout,
            poll=session.environment.poll_seconds,
            cancelled=session.cancelled,
            say=told,
            waiting=waiting,
        )
    report.verification = {**report.verification, **found}
    session.record("verified", problems={name: running.problems for name, running in found.items()})
