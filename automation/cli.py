"""What all commands share on the command line: options, output streams, errors and exit codes."""

import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from automation.errors import AutomationError, ExitCode
from automation.journal import unwritable

EXIT_CODES = [
    (str(int(ExitCode.DONE)), "done and verified"),
    (str(int(ExitCode.STACK_FAILED)), "a stack failed"),
    (str(int(ExitCode.BAD_USAGE)), "bad usage or configuration; nothing was changed"),
    (str(int(ExitCode.NOT_VERIFIED)), "deployed, but verification failed"),
    (str(int(ExitCode.LOCKED)), "another run holds the environment"),
    (str(int(ExitCode.CHANGES_FOUND)), "preview found changes (--detailed-exitcode)"),
    (str(int(ExitCode.INTERRUPTED)), "interrupted"),
]


class Command(click.Command):
    """A command whose help ends in examples, kept as written, and the exit codes."""

    examples = ""
    exit_codes = EXIT_CODES

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples and exit codes."""
        with formatter.section("Examples"):
            for line in self.examples.splitlines():
                formatter.write(f"  {line}\n")
        with formatter.section("Exit codes"):
            formatter.write_dl(self.exit_codes)


class Group(Command, click.Group):
    """A command whose work is in subcommands, listed in the order in which they were declared."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Their names."""
        return list(self.commands)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The arguments of a command that reads an environment."""

    environment: str
    as_json: bool

    @property
    def console(self) -> Console:
        """Where people read: stdout, or stderr when stdout is the document's."""
        return Console(stderr=self.as_json, highlight=False)


@dataclass(frozen=True, kw_only=True)
class Shared(Reading):
    """The arguments of a command about stacks."""

    yes: bool
    parallel: int | None
    services: tuple[str, ...] = ()  # all of them


_READING = (
    click.option("--env", "environment", default="local", show_default=True, metavar="NAME", help="Environment."),
    click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, all else on stderr."),
)
_CHANGED = "changed_since"
_SELECTING = (
    click.argument("services", nargs=-1, metavar="[SERVICE]…"),
    click.option(
        "--changed-since",
        metavar="REF",
        help="Of these services only those that the working tree defines otherwise than this revision.",
    ),
)
_SHARED = (
    *_READING,
    click.option("--yes", is_flag=True, help="Do not ask before changing anything."),
    click.option("--parallel", type=click.IntRange(min=1), metavar="N", help="Stacks at once (default: by cores)."),
)
_SETTINGS = {"max_content_width": 100}


def command(examples: str, *, of_services: bool = True) -> Callable[[Callable[..., None]], Command]:
    """Declare a command: it gets a `Shared`, then its own options; without `of_services` it is always about all."""
    options = (*_SELECTING, *_SHARED) if of_services else _SHARED

    def declare(function: Callable[..., None]) -> Command:
        made: Command = click.command(cls=Command, context_settings=_SETTINGS)(_gathering(Shared, options, function))
        made.examples = examples
        return made

    return declare


def reader(examples: str, exit_codes: Sequence[tuple[str, str]]) -> Callable[[Callable[..., None]], Command]:
    """Declare a command that only reads: it gets a `Reading`, then its own options."""

    def declare(function: Callable[..., None]) -> Command:
        gathered = _gathering(Reading, _READING, function)
        made: Command = click.command(cls=Command, context_settings=_SETTINGS)(gathered)
        made.examples, made.exit_codes = examples, list(exit_codes)
        return made

    return declare


def selecting(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command that only reads `services` and `changed_since`, to be understood by `selection.chosen`."""
    for option in reversed(_SELECTING):
        function = option(function)
    return function


def subcommand(group: Group, name: str, examples: str) -> Callable[[Callable[..., None]], Command]:
    """Declare a subcommand of a group: it gets a `Reading`, then its own options."""

    def declare(function: Callable[..., None]) -> Command:
        gathered = _gathering(Reading, _READING, function)
        made: Command = click.command(name, cls=Command, context_settings=_SETTINGS)(gathered)
        made.examples, made.exit_codes = examples, group.exit_codes
        group.add_command(made)
        return made

    return declare


def _gathering(kind: type[Reading], options: Sequence[Callable[[Any], Any]], function: Callable[..., None]) -> Any:
    """Return the function with the options declared; it gets them as one argument of that kind."""

    @functools.wraps(function)
    def gathered(**given: Any) -> None:
        own = {name: given.pop(name) for name in list(given) if name not in kind.__dataclass_fields__}
        changed_since = own.pop(_CHANGED, None) if kind is Shared else None
        shared = kind(**given)
        if isinstance(shared, Shared) and (shared.services or changed_since is not None):
            # Here, since the fleet comes with Pulumi, which commands about no service do without.
            from automation import selection  # noqa: PLC0415

            shared = replace(shared, services=selection.chosen(shared.services, changed_since, shared.environment))
            if not shared.services:
                _finish_without_work(shared, str(changed_since))
        function(shared, **own)

    decorated: Any = gathered
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def finish(shared: Reading, document: Mapping[str, Any], code: ExitCode) -> None:
    """Print the document if it was asked for, and end the process."""
    if shared.as_json:
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    raise SystemExit(int(code))


def _finish_without_work(shared: Shared, revision: str) -> None:
    """Nothing is selected, which is not what no name at all means: everything."""
    message = f"Nothing is to be done: no service that is selected was changed since {revision}."
    shared.console.print(message, soft_wrap=True, markup=False)
    finish(shared, {"environment": shared.environment, "services": [], "summary": message}, ExitCode.DONE)


def main(entry: click.Command) -> None:
    """Run a command; every error becomes one message and its exit code."""
    as_json = "--json" in sys.argv
    try:
        entry.main(standalone_mode=False)
    except click.ClickException as error:
        _fail(" ".join(error.format_message().split()), f"{_asked(error)} --help", ExitCode.BAD_USAGE, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", None, ExitCode.INTERRUPTED, as_json=as_json)
    except AutomationError as error:
        _fail(str(error), error.next_command, error.exit_code, as_json=as_json)
    except ValueError as error:
        # Here, as above; where it is one, it is loaded already.
        from services.fleet_model import FleetError  # noqa: PLC0415

        if not isinstance(error, FleetError):
            raise
        message, _, following = str(error).partition(" Next: ")
        _fail(message, following, ExitCode.BAD_USAGE, as_json=as_json)
    except OSError as error:
        if error.filename is None:
            raise
        trouble = unwritable(Path(error.filename), error)
        _fail(str(trouble), trouble.next_command, trouble.exit_code, as_json=as_json)


def entry_name() -> str:
    """``python automation/enable.py``."""
    return f"python automation/{sys.argv[0].rpartition('/')[2]}"


def _asked(error: click.ClickException) -> str:
    """The command or subcommand that was used wrongly."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    inner = f" {context.info_name}" if context and context.parent else ""
    return f"{entry_name()}{inner}"


def _fail(message: str, next_command: str | None, code: ExitCode, *, as_json: bool) -> None:
    console = Console(stderr=True, highlight=False)
    console.print(f"[bold red]error:[/] {_escaped(message)}", soft_wrap=True)
    if next_command:
        console.print(f"  next: {_escaped(next_command)}", soft_wrap=True)
    if as_json:
        sys.stdout.write(json.dumps({"error": message, "next": next_command, "exitCode": int(code)}, indent=2) + "\n")
    raise SystemExit(int(code))


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
