"""The other stacks of the same environment, read through stack references.

Their outputs decide the order of deployment: a stack cannot be deployed before those that it reads from.
"""

from collections.abc import Mapping
from typing import Any

import asyncio

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
        self._reference = pulumi.StackReference(service, stack_name=qualified)

    def output(self, key: str) -> pulumi.Output[Any]:
        """One of its outputs.

        Unknown while a plan is made and the stack has not been deployed yet, so that a whole environment can be planned
        from nothing. In a deployment that is a `PrerequisiteError`.
        """
        return self._reference.outputs.apply(lambda outputs: self._pick(outputs, key))

    def _pick(self, outputs: Mapping[str, Any] | None, key: str) -> Any:
        if outputs and outputs.get(key) is not None:
            return outputs[key]
        if pulumi.runtime.is_dry_run():
            return _unknown()
        option = "" if self._environment == "local" else f" --env {self._environment}"
        raise PrerequisiteError(
            f"stack '{self._stack}' has no output '{key}': it is not deployed, or not completely. "
            f"Next: python automation/enable.py {self._service}{option}   (by hand: pulumi up --stack {self._stack})"
        )


def _unknown() -> pulumi.Output[Any]:
    """A value that only a deployment will tell."""
    value: asyncio.Future[Any] = asyncio.Future()
    value.set_result(None)
    is_known: asyncio.Future[bool] = asyncio.Future()
    is_known.set_result(False)  # noqa: FBT003 - asyncio's signature
    return pulumi.Output(set(), value, is_known)
