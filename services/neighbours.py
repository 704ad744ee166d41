"""The other stacks of the same environment, read through stack references.

Their outputs decide the order of deployment: a stack cannot be deployed before those that it reads from. But it can be
planned, with what they will say left unknown, so that a whole environment can be planned from nothing.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import pulumi


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

    @property
    def deployed(self) -> pulumi.Output[pulumi.Resource]:
        """Something to depend on; in a deployment it is a `PrerequisiteError` where the stack has not been deployed."""
        return self._reference.outputs.apply(self._checked)

    def output(self, key: str) -> pulumi.Output[Any]:
        """One of its outputs.

        Missing, it is unknown while a plan is made, and a `PrerequisiteError` in a deployment.
        """
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

    def _checked(self, outputs: Mapping[str, Any] | None) -> pulumi.Resource:
        if not outputs and not pulumi.runtime.is_dry_run():
            raise self._missing("is not deployed")
        return self._reference

    def _pick(self, outputs: Mapping[str, Any] | None, key: str) -> Any:
        if outputs and outputs.get(key) is not None:
            return outputs[key]
        if pulumi.runtime.is_dry_run():
            return _unknown()
        raise self._missing(f"has no output '{key}': it is not completely deployed" if outputs else "is not deployed")

    def _missing(self, what: str) -> PrerequisiteError:
        option = "" if self._environment == "local" else f" --env {self._environment}"
        return PrerequisiteError(
            f"stack '{self._stack}' {what}. Next: python automation/enable.py {self._service}{option}   "
            f"(by hand: pulumi up --stack {self._stack})"
        )


def _unknown() -> pulumi.Output[Any]:
    """A value that only a deployment will tell."""
    value: asyncio.Future[Any] = asyncio.Future()
    value.set_result(None)
    is_known: asyncio.Future[bool] = asyncio.Future()
    is_known.set_result(False)
    return pulumi.Output(set(), value, is_known)
