"""Runs programs on the real engine against an embedded AWS, and tells what the engine said it would do or did."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from pulumi import automation
from pulumi.automation import events

from localaws.instance import Instance
from pulumicli import ensure

# What happens to each resource, by logical name: the operation and the paths of the properties that differ.
Steps = dict[str, tuple[str, set[str]]]


class Stage:
    """An embedded AWS with one Pulumi project on it, `provider`, and any number of stacks."""

    def __init__(self, folder: Path) -> None:
        self.instance = Instance(folder)
        self.instance.start()
        self.cli = ensure(print)
        self.environment = {**self.instance.environment(), "PATH": f"{self.cli.parent}{os.pathsep}{os.environ['PATH']}"}

    def stack(self, program: Callable[[], None], name: str = "main") -> "Stack":
        """A stack that runs the program, made when there is none."""
        options = automation.LocalWorkspaceOptions(
            env_vars=self.environment,
            pulumi_command=automation.PulumiCommand(str(self.cli.parent.parent))
            if self.cli.parent.name == "bin"
            else None,
            project_settings=automation.ProjectSettings("provider", runtime="python"),
        )
        return Stack(automation.create_or_select_stack(name, "provider", program, opts=options))

    def aws(self, service: str) -> Any:
        """A boto3 client."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=self.environment["AWS_REGION"],
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="localaws",
            aws_secret_access_key="localaws",
        )

    def close(self) -> None:
        """Stop the embedded AWS."""
        self.instance.stop()


class Stack:
    """One stack; every operation gives what the engine reported, resources that stay as they are left out."""

    def __init__(self, stack: automation.Stack) -> None:
        self.pulumi = stack

    def up(self) -> Steps:
        """Bring it up, without a preview."""
        return self._collect(lambda hear: self.pulumi.up(on_event=hear))

    def preview(self) -> Steps:
        """What an update would do."""
        return self._collect(lambda hear: self.pulumi.preview(on_event=hear))

    def refresh(self) -> Steps:
        """What somebody else has done."""
        return self._collect(lambda hear: self.pulumi.refresh(on_event=hear))

    def destroy(self) -> Steps:
        """Take everything away."""
        return self._collect(lambda hear: self.pulumi.destroy(on_event=hear))

    def resources(self) -> dict[str, dict[str, Any]]:
        """The state of each resource, by logical name: its id, inputs and outputs among others."""
        deployment = self.pulumi.export_stack().deployment or {}
        return {
            entry["urn"].rpartition("::")[2]: dict(entry)
            for entry in deployment.get("resources", [])
            if entry.get("id") and not entry["type"].startswith("pulumi:")
        }

    @staticmethod
    def _collect(run: Callable[[Callable[[events.EngineEvent], None]], object]) -> Steps:
        heard: list[events.StepEventMetadata] = []

        def hear(event: events.EngineEvent) -> None:
            # What a refresh finds is known only when its step is done.
            step = event.res_outputs_event or event.resource_pre_event
            if step is not None:
                heard.append(step.metadata)

        run(hear)
        quiet = {"same", "read", "refresh", "create-replacement", "delete-replaced"}
        return {
            step.urn.rpartition("::")[2]: (str(getattr(step.op, "value", step.op)), set(step.detailed_diff or ()))
            for step in heard
            if getattr(step.op, "value", step.op) not in quiet and "pulumi:" not in step.urn.split("::")[2]
        }
