"""The other stacks of the same environment, read through stack references.

Their outputs decide the order of deployment: a stack cannot be deployed before those that it reads from. But it can be
planned, with what they will say left unknown, so that a whole environment can be planned from nothing; or with what
they are foreseen to say.
"""

import asyncio
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import pulumi

Outputs = Mapping[str, Any]

# The outputs that services of this environment will have, by service, while a plan is made of stacks that change
# together. What is not JSON in them stands for a value that is not known. A context of its own for each program, since
# several are run at once in one process.
FORESEEN: ContextVar[Mapping[str, Outputs]] = ContextVar("FORESEEN", default={})  # noqa: B039 - never written to


class PrerequisiteError(pulumi.RunError):
    """A stack that must be deployed first is not. The message names it and the commands that deploy it."""


class Neighbour:
    """One other stack of the environment, e.g. ``local-platform``."""

    def __init__(self, environment: str, service: str) -> None:
        self._environment = environment
        self._service = service
        self._stack = f"{environment}-{service}"
        qualified = f"{pulumi.get_organization()}/{pulumi.get_project()}/{self._stack}"
        existing: Any = pulumi.Output.from_input(self._existing(qualified))  # the SDK takes it, but declares str
        self._reference = pulumi.StackReference(service, stack_name=existing)
        self._foreseen = FORESEEN.get().get(service)

    @property
    def deployed(self) -> pulumi.Output[pulumi.Resource]:
        """Something to depend on; in a deployment it is a `PrerequisiteError` where the stack has not been deployed."""
        return self._reference.outputs.apply(self._checked)

    def output(self, key: str) -> pulumi.Output[Any]:
        """One of its outputs.

        Missing, it is unknown while a plan is made, and a `PrerequisiteError` in a deployment or where it is foreseen
        to be missing. Foreseen, what is unknown depends on the reference, and what is known on nothing: so the engine
        can tell which properties wait for the other stack.
        """
        if self._foreseen is not None:
            if self._foreseen.get(key) is None:
                raise self._missing(f"will have no output '{key}'")
            return self._as_foreseen(self._foreseen[key])
        return self._reference.outputs.apply(lambda outputs: self._pick(outputs, key))

    async def _existing(self, qualified: str) -> str:
        """The stack's full name, once it is sure that it exists: a reference to none is a bare "unknown stack"."""
        try:
            await pulumi.runtime.invoke_async("pulumi:pulumi:readStackOutputs", {"name": qualified})
        except Exception as error:
            if "unknown stack" in str(error):
                raise self._missing("does not exist") from error
            raise
        return qualified

    def _checked(self, outputs: Outputs | None) -> pulumi.Resource:
        if not outputs and not pulumi.runtime.is_dry_run():
            raise self._missing("is not deployed")
        return self._reference

    def _pick(self, outputs: Outputs | None, key: str) -> Any:
        if outputs and outputs.get(key) is not None:
            return outputs[key]
        if pulumi.runtime.is_dry_run():
            return _unknown()
        raise self._missing(f"has no output '{key}': it is not completely deployed" if outputs else "is not deployed")

    def _as_foreseen(self, value: Any) -> pulumi.Output[Any]:
        if isinstance(value, Mapping):
            return pulumi.Output.all(**{name: self._as_foreseen(each) for name, each in value.items()})
        if isinstance(value, list):
            return pulumi.Output.all(*(self._as_foreseen(each) for each in value))
        if isinstance(value, str | int | float | bool):
            return pulumi.Output.from_input(value)
        return _unknown(self._reference)

    def _missing(self, what: str) -> PrerequisiteError:
        option = "" if self._environment == "local" else f" --env {self._environment}"
        return PrerequisiteError(
            f"stack '{self._stack}' {what}. Next: python automation/enable.py {self._service}{option}   "
            f"(by hand: pulumi up --stack {self._stack})"
        )


def _unknown(*known_after: pulumi.Resource) -> pulumi.Output[Any]:
    """A value that only a deployment will tell."""
    value: asyncio.Future[Any] = asyncio.Future()
    value.set_result(None)
    is_known: asyncio.Future[bool] = asyncio.Future()
    is_known.set_result(False)
    return pulumi.Output(set(known_after), value, is_known)
