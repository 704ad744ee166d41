"""The Pulumi engine: the only module that calls `pulumi.automation`.

Stacks are addressed by name and never selected, because selecting changes the workspace under every other thread
(pulumi issue 8186). Each call is one CLI process (`automation.processes`).
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
from pulumi import automation as auto
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from automation import abandoned, backend, locks
from automation.errors import EngineError, UsageError
from automation.events import Progress
from automation.leftovers import Leftovers
from automation.parts import Parts
from automation.processes import Processes

PROJECT = "ecs-tracing"

# Which CLI it is was checked by whoever found it. For all CLIs, take events from a file: the socket that the SDK offers
# newer ones would leave an engine talking to nobody when this process is killed.
_EVENTS_IN_A_FILE = VersionInfo(3, 205, 0)

_PASSPHRASE = re.compile(r"incorrect passphrase|passphrase must be set", re.IGNORECASE)
_SIGNALLED = re.compile(r"^\s*code: -(\d+)$", re.MULTILINE)
_LOCKED = re.compile(r"the stack is currently locked by|Another update is currently in progress")


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What Pulumi's state holds of one stack."""

    resources: int
    outputs: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Update:
    """One engine run over one stack. `problem` is None when it succeeded.

    `dependencies`, by URN and property, are the URNs that the property's value comes from; of a preview with foreseen
    outputs only.
    """

    progress: Progress
    problem: str | None = None
    dependencies: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)


class _Command(auto.PulumiCommand):
    """The CLI, as the SDK wants to call it."""

    def __init__(self, processes: Processes) -> None:
        self.command = str(processes.executable)
        self.version = _EVENTS_IN_A_FILE
        self._processes = processes

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> auto.CommandResult:
        code, stdout, stderr = self._processes.run(args, cwd, additional_env)
        for text, callback in ((stdout, on_output), (stderr, on_error)):
            for line in text.splitlines() if callback else ():
                callback(line)  # type: ignore[misc]
        result = auto.CommandResult(stdout=stdout, stderr=stderr, code=code)
        if code != 0:
            raise create_command_error(result)
        return result


class _Stack(auto.Stack):
    """A stack by name alone, without the CLI calls that the engine's own events make needless."""

    def __init__(self, name: str, workspace: auto.Workspace, arguments: Sequence[str] = ()) -> None:
        """`arguments` are those of the CLI that the SDK has no parameter for."""
        self.name = name
        self.workspace = workspace
        self._arguments = arguments
        self._mode = auto._stack.StackInitMode.SELECT  # noqa: SLF001 - only printed

    def outputs(self) -> auto.OutputMap:
        """Nothing: outputs are taken from the events, which costs no process."""
        return {}

    def info(self, show_secrets: bool = False) -> Any:  # noqa: FBT001, FBT002, ARG002
        """Something that is not None, which `up` insists on; history is not needed here."""
        return object()

    def _run_pulumi_cmd_sync(self, args: list[str], *rest: Any, **given: Any) -> auto.CommandResult:
        return super()._run_pulumi_cmd_sync([*args, *self._arguments], *rest, **given)


def load_program() -> None:
    """Load what programs are made of. That takes seconds, once: best done while there is something to wait for."""
    from services import program  # noqa: F401, PLC0415


def _program(
    foreseen: Mapping[str, Mapping[str, Any]] | None = None, turn: Callable[[], bool] | None = None, run: str = ""
) -> None:
    """Build the current stack, once it is its turn."""
    if turn and not turn():
        raise pulumi.RunError("a stack that it needs is not there")
    # Here, since it loads the AWS SDK, which takes seconds; whichever of the threads is first, the others wait for it.
    from services.program import program  # noqa: PLC0415

    program(foreseen, run)


class Engine:
    """All stacks of the project in one Pulumi backend."""

    def __init__(
        self, root: Path, executable: Path, leftovers: Leftovers, *, inline: bool = True, parts: Parts | None = None
    ) -> None:
        """`root` is the project's folder; its program runs in this process or, if not `inline`, in one of its own."""
        parts = parts or Parts()
        self.gone: set[locks.Owner] = set()  # engines elsewhere that are known to have ended
        if inline:
            abandoned.silence()
        self._provided = ["--secrets-provider", parts.secrets_provider] if parts.secrets_provider else []
        self._processes = Processes(executable, leftovers, parts)
        self._command = _Command(self._processes)
        self._workspace = auto.LocalWorkspace(
            work_dir=str(root),
            program=_program if inline else None,
            pulumi_command=self._command,
            pulumi_home=os.environ.get("PULUMI_HOME"),
        )

    @property
    def executable(self) -> Path:
        """The Pulumi CLI."""
        return self._processes.executable

    def stacks(self) -> dict[str, int]:
        """Every stack of the project with the number of resources in its state."""
        if folder := backend.folder(PROJECT):
            return folder.resources()
        with _explained("list the stacks"):
            return {stack.name: stack.resource_count or 0 for stack in self._workspace.list_stacks()}

    def backend(self) -> tuple[str, str]:
        """The URL of the backend, and who one is there."""
        with _explained("say where the state is"):
            told = self._workspace.who_am_i()
        return str(told.url), told.user

    def updating(self) -> list[str]:
        """The stacks that the backend says are being updated; a backend of one's own does not say."""
        with _explained("list the stacks"):
            return [stack.name for stack in self._workspace.list_stacks() if stack.update_in_progress]

    def create(self, stack: str) -> None:
        """Create an empty stack; fine if it exists."""
        with _explained(f"create the stack '{stack}'"):
            try:
                self._command.run(
                    ["stack", "init", stack, "--no-select", *self._provided], self._workspace.work_dir, {}
                )
            except auto.StackAlreadyExistsError:
                return

    def configure(self, stack: str, values: Mapping[str, str]) -> None:
        """Write plain configuration values (full keys) to the stack's file."""
        with _explained(f"configure the stack '{stack}'"):
            config = {key: auto.ConfigValue(value=value) for key, value in values.items()}
            self._workspace.set_all_config(stack, config)

    def unset(self, stack: str, keys: Sequence[str]) -> None:
        """Take configuration values (full keys) out of the stack's file."""
        with _explained(f"configure the stack '{stack}'"):
            self._workspace.remove_all_config(stack, list(keys))

    def state(self, stack: str) -> Mapping[str, Any]:
        """The stack's deployment (apitype.DeploymentV3): one CLI call, or none where the state is a file."""
        folder = backend.folder(PROJECT)
        if folder and (deployment := folder.deployment(stack)) is not None:
            return deployment
        with _explained(f"read the state of '{stack}'"):
            return self._workspace.export_stack(stack).deployment or {}

    def deployed(self, stack: str) -> Deployed:
        """What the state holds."""
        resources = self.state(stack).get("resources") or []
        roots = [resource for resource in resources if resource["type"] == "pulumi:pulumi:Stack"]
        outputs = roots[0].get("outputs", {}) if roots else {}
        return Deployed(resources=len(resources), outputs=outputs)

    def preview(self, stack: str, progress: Progress, config_file: Path, *, refresh: bool = False) -> Update:
        """What `up` would do with that configuration file. Changes nothing."""
        file, observe = str(config_file), progress.observe
        return self._run(stack, progress, lambda s: s.preview(on_event=observe, config_file=file, refresh=refresh))

    def foresee(
        self, stack: str, progress: Progress, config_file: Path, foreseen: Mapping[str, Mapping[str, Any]]
    ) -> Update:
        """What `up` would do once the services in `foreseen` have those outputs. Changes nothing."""
        if not foreseen:
            return self.preview(stack, progress, config_file)
        plan = config_file.with_suffix(".plan.json")
        file, observe = str(config_file), progress.observe
        update = self._run(
            stack,
            progress,
            lambda s: s.preview(on_event=observe, config_file=file, plan=str(plan), program=lambda: _program(foreseen)),
        )
        return replace(update, dependencies=_dependencies(plan)) if update.problem is None else update

    def up(  # noqa: PLR0913 - each is a rule of its own, given by name
        self,
        stack: str,
        progress: Progress,
        *,
        configured: Mapping[str, str] | None = None,
        refresh: bool = False,
        turn: Callable[[], bool] | None = None,
        run: str = "",
        config_file: Path | None = None,
    ) -> Update:
        """Deploy the stack as its file says, once `configured` (full keys, plain values) is written there.

        With `refresh`, after reading into the state what AWS really has. `turn` is waited for before anything is
        touched but the file; where it says no, nothing is. `run` becomes the tag of the stack's task definition;
        `config_file` stands in for the stack's own.
        """
        given = [text for key, value in (configured or {}).items() for text in ("--config", f"{key}={value}")]
        program = partial(_program, turn=turn, run=run) if turn or run else None
        file, observe = str(config_file) if config_file else None, progress.observe
        return self._run(
            stack,
            progress,
            lambda s: s.up(on_event=observe, refresh=refresh, program=program, config_file=file),
            given,
        )

    def drift(self, stack: str, progress: Progress) -> Update:
        """What changed in AWS behind Pulumi's back. Changes nothing."""
        return self._run(stack, progress, lambda s: s.preview_refresh(on_event=progress.observe))

    def destroy(self, stack: str, progress: Progress) -> Update:
        """Delete everything in the stack, then the stack; its configuration file stays."""
        update = self._run(stack, progress, lambda s: s.destroy(on_event=progress.observe))
        if update.problem is None:
            self.remove_empty(stack)
        return update

    def rewrite(self, stack: str, change: Callable[[dict[str, Any]], int]) -> int:
        """Write the state anew if `change`, which takes the deployment, says that it made any; says how many."""
        with _explained(f"write the state of '{stack}'"):
            state = self._workspace.export_stack(stack)
            deployment = dict(state.deployment or {})
            changes = change(deployment)
            if changes:
                self._workspace.import_stack(stack, auto.Deployment(version=state.version, deployment=deployment))
        return changes

    def remove_empty(self, stack: str) -> None:
        """Remove a stack that holds no resources; its configuration file stays."""
        with _explained(f"remove the stack '{stack}'"):
            self._command.run(["stack", "rm", stack, "--yes", "--preserve-config"], self._workspace.work_dir, {})

    def unlock(self, stack: str) -> None:
        """Take away the backend's lock that a dead engine left on the stack, unless its owner may be alive."""
        url = os.environ.get("PULUMI_BACKEND_URL", "")
        if locks.are_files(url):
            try:
                lock = locks.found(url, PROJECT, stack, locks.sdk)
            except locks.errors() as error:
                raise EngineError(f"The lock on the stack '{stack}' could not be read: {error}") from error
            if lock is None or not (lock.owner in self.gone or lock.is_left()):
                return
        with _explained(f"unlock the stack '{stack}'"):
            self._command.run(["cancel", "--yes", "--stack", stack], self._workspace.work_dir, {})

    def locked(self, stacks: Sequence[str]) -> list[str]:
        """Those of the stacks that an engine holds, or may hold, where only the backend itself knows that."""
        folder = backend.folder(PROJECT)
        return [stack for stack in stacks if folder is None or folder.is_locked(stack)]

    def interrupt(self) -> None:
        """Cancel every running engine in good order; called again, end them at once."""
        self._processes.interrupt()

    def end(self, stack: str, grace: float) -> None:
        """Interrupt the engine of one stack; kill it after `grace` seconds."""
        self._processes.end(stack, grace)

    def _run(
        self, stack: str, progress: Progress, action: Callable[[auto.Stack], Any], arguments: Sequence[str] = ()
    ) -> Update:
        try:
            action(_Stack(stack, self._workspace, arguments))
        except auto.CommandError as error:
            if _PASSPHRASE.search(str(error)):
                raise _wrong_passphrase() from error
            return Update(progress=progress, problem=_problem(progress, str(error)))
        if progress.errors:
            return Update(progress=progress, problem=progress.errors[0])
        return Update(progress=progress)


def _dependencies(plan: Path) -> dict[str, Mapping[str, Sequence[str]]]:
    """What each property depends on, from a plan file, which is deleted. Source: apitype.GoalV1 of Pulumi."""
    resources = json.loads(plan.read_text(encoding="utf-8"))["resourcePlans"]
    plan.unlink()
    return {urn: (each.get("goal") or {}).get("propertyDependencies") or {} for urn, each in resources.items()}


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """Turn the CLI's refusal into one error for the user."""
    try:
        yield
    except auto.CommandError as error:
        text = str(error)
        if _PASSPHRASE.search(text):
            raise _wrong_passphrase() from error
        message = f"Pulumi could not {doing}: {_last_error(text)}"
        raise EngineError(message, next_command="pulumi whoami --verbose") from error


def _wrong_passphrase() -> UsageError:
    return UsageError(
        "The passphrase in PULUMI_CONFIG_PASSPHRASE is not the one that these stacks were created with.",
        next_command="export PULUMI_CONFIG_PASSPHRASE='…'   (unset it for stacks that were created without one)",
    )


def _problem(progress: Progress, text: str) -> str:
    """The first real diagnostic; the CLI's own last words when the engine had none."""
    if _LOCKED.search(text):
        return "the stack is locked by another Pulumi process (see `pulumi cancel`)"
    if died := _SIGNALLED.search(text):
        return f"the engine was ended by signal {died[1]}"
    return progress.errors[0] if progress.errors else _last_error(text)


def _last_error(text: str) -> str:
    errors = [line.removeprefix("error:").strip() for line in text.splitlines() if line.startswith("error:")]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return errors[-1] if errors else lines[-1] if lines else "no reason given"
