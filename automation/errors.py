"""The errors that end a run, and the exit code of each.

    AutomationError
    ├── UsageError          2  a bad argument, configuration or set-up; nothing was changed
    ├── LockedError         4  another run holds the environment
    └── EngineError         1  the Pulumi engine refused or broke before a stack could be run

A stack that fails is not an exception: it is an outcome in the report (exit code 1), as is a verification that finds
something else in AWS than what was deployed (exit code 3).
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process answers. Part of the command line's contract."""

    DONE = 0
    STACK_FAILED = 1
    BAD_USAGE = 2
    NOT_VERIFIED = 3
    LOCKED = 4
    CHANGES_FOUND = 5
    INTERRUPTED = 130


class AutomationError(Exception):
    """Ends the run. The message is for the user: it names the value, the place and the next command."""

    exit_code = ExitCode.STACK_FAILED

    def __init__(self, message: str, *, next_command: str | None = None) -> None:
        super().__init__(message)
        self.next_command = next_command


class UsageError(AutomationError):
    """A bad argument, configuration or set-up. Nothing was changed."""

    exit_code = ExitCode.BAD_USAGE


class LockedError(AutomationError):
    """Another run holds the environment's lock."""

    exit_code = ExitCode.LOCKED


class EngineError(AutomationError):
    """The Pulumi engine refused or broke before a stack could be run."""
