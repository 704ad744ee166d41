"""Stack names, and what one stack reads from another."""

import asyncio
from typing import Any

import pulumi


class MissingPrerequisiteError(Exception):
    """A stack that this one needs is not deployed; the message names it and the command that deploys it."""


class StackOutputs:
    """The outputs of another service's stack in the same environment."""

    def __init__(self, environment: str, service: str) -> None:
        self._environment, self._service = environment, service
        self._name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{environment}-{service}"
        self._reference = pulumi.StackReference(self._name)

    def __getitem__(self, key: str) -> pulumi.Output[Any]:
        """One output. Not deployed yet it is unknown in a preview, and `MissingPrerequisiteError` in an update."""
        return self._reference.get_output(key).apply(lambda value: self._known(key, value))

    def _known(self, key: str, value: Any) -> Any:
        if value is not None:
            return value
        if pulumi.runtime.is_dry_run():
            return unknown()
        option = "" if self._environment == "local" else f" --env {self._environment}"
        message = (
            f"stack '{self._environment}-{self._service}' has no output '{key}': deploy it first with "
            f"`python automation/enable.py {self._service}{option}`"
        )
        raise MissingPrerequisiteError(message)


def unknown() -> pulumi.Output[Any]:
    """An output whose value is known only after an update."""
    resources, value, is_known = (_settled(answer) for answer in (set(), None, False))
    return pulumi.Output(resources, value, is_known)


def _settled(value: Any) -> "asyncio.Future[Any]":
    future: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
    future.set_result(value)
    return future
