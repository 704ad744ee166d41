"""A small Pulumi project of a test's own, run with the plain CLI on a backend of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from pulumicli import ensure

TIMEOUT = 120  # seconds; every command here takes a few


class Project:
    """A folder with Pulumi.yaml and __main__.py, and a stack `dev`.

    Args:
        folder: is made and holds everything, backend and PULUMI_HOME included.
        environment: variables for every command, over the caller's; where Pulumi keeps things is not among them.

    """

    def __init__(self, folder: Path, environment: dict[str, str] | None = None, runtime: str = "python") -> None:
        self.cli = ensure(print)
        self.folder = folder
        folder.mkdir()
        folder.joinpath("Pulumi.yaml").write_text(f"name: tiny\nruntime: {runtime}\n")
        state = folder.joinpath("state")
        state.mkdir()
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PULUMI_"))}
        self.environment = {
            **inherited,
            **(environment or {}),
            "PATH": os.pathsep.join([str(Path(sys.prefix, "bin")), inherited["PATH"]]),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.program("")
        self.pulumi("stack", "init", "dev")

    def program(self, text: str) -> None:
        """Replace the program."""
        self.folder.joinpath("__main__.py").write_text(dedent(text))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the CLI, in a process group of its own; everything that it prints goes to stdout."""
        return subprocess.Popen(
            [self.cli, "--non-interactive", "--color=never", *arguments],
            cwd=self.folder,
            env=self.environment,
            start_new_session=True,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def pulumi(self, *arguments: str, exits: int = 0) -> str:
        """Run the CLI to its end; return all that it printed."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=TIMEOUT)
        assert process.returncode == exits, f"pulumi {arguments} ended with {process.returncode}:\n{output}"
        return output

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, secrets in plain text."""
        shown: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))
        return shown

    def resources(self) -> list[dict[str, Any]]:
        """Return the resources in the stack's state, without providers and the stack itself."""
        exported = json.loads(self.pulumi("stack", "export"))["deployment"].get("resources", [])
        return [resource for resource in exported if not resource["type"].startswith("pulumi:")]
