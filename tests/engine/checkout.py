"""A copy of the working tree with an embedded AWS, a Pulumi backend and stacks of its own: what a user's clone is."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from localaws.instance import Instance

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 300  # seconds; a command that takes longer is broken


class Checkout:
    """Runs the program as a user does: scripts by file path from the project's root."""

    def __init__(self, folder: Path, tasks: str = "simulated") -> None:
        """Make it; with `tasks` as `processes` its tasks run for real."""
        self.root = folder
        tracked = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.splitlines()
        for name in tracked:
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        if not (folder / ".venv").is_symlink():  # as in the copy of another one
            (folder / ".venv").symlink_to(sys.prefix)
        ours = ("AWS_", "PULUMI_", "LOCALAWS_")
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        self.env["LOCALAWS_TASKS"] = tasks

    def popen(self, *args: str, **given: Any) -> "subprocess.Popen[str]":
        """Start ``python ARGS…`` in the checkout."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        env = {**self.env, **given.pop("env", {})}
        return subprocess.Popen([sys.executable, *args], cwd=self.root, env=env, **{**streams, **given})

    def python(self, *args: str, exits: int | None = 0, **given: Any) -> "subprocess.CompletedProcess[str]":
        """Run ``python ARGS…`` to its end and hold its exit code against `exits` (None: any)."""
        timeout = given.pop("timeout", TIMEOUT)
        process = self.popen(*args, **given)
        out, err = process.communicate(timeout=timeout)
        result = subprocess.CompletedProcess(args, process.returncode, out, err)
        assert exits is None or result.returncode == exits, f"{args} exited {result.returncode}\n{out}\n{err}"
        assert "Traceback" not in out + err, f"{args} showed a traceback\n{out}\n{err}"
        return result

    def script(self, name: str, *args: str, exits: int | None = 0, **given: Any) -> "subprocess.CompletedProcess[str]":
        """Run ``python automation/NAME.py ARGS…``."""
        return self.python(f"automation/{name}.py", *args, exits=exits, **given)

    def json(self, name: str, *args: str, exits: int | None = 0, **given: Any) -> Any:
        """The document that ``python automation/NAME.py --json --yes ARGS…`` prints."""
        return json.loads(self.script(name, "--json", "--yes", *args, exits=exits, **given).stdout)

    @cached_property
    def shell(self) -> dict[str, str]:
        """The variables that ``python -m localaws env`` gives a shell."""
        script = 'eval "$("$0" -m localaws env)" && env -0'
        result = subprocess.run(
            ["sh", "-c", script, sys.executable],
            cwd=self.root,
            env=self.env,
            check=True,
            capture_output=True,
            text=True,
        )
        return dict(line.split("=", 1) for line in result.stdout.split("\0") if "=" in line)

    def pulumi(
        self, *args: str, exits: int | None = 0, env: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run the plain Pulumi CLI by hand."""
        result = subprocess.run(
            ["pulumi", "--non-interactive", *args],
            cwd=self.root, env={**self.shell, **(env or {})},
            capture_output=True, text=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip
        assert exits is None or result.returncode == exits, (
            f"pulumi {args} exited {result.returncode}\n{result.stdout}\n{result.stderr}"
        )
        return result

    @property
    def plugins(self) -> str:
        """Where the plugins are that all engines may share, as PULUMI_DEBUG_PROVIDERS names them."""
        return Instance(self.root / ".localaws").standing_plugins()

    def aws(self, service: str) -> Any:
        """A boto3 client of the checkout's embedded AWS."""
        shell = self.shell
        client: Any = boto3.client  # by name, which its types know only for literals
        return client(
            service,
            endpoint_url=shell["AWS_ENDPOINT_URL"],
            region_name=shell["AWS_REGION"],
            aws_access_key_id=shell["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=shell["AWS_SECRET_ACCESS_KEY"],
        )

    def faults(self, *wanted: dict[str, Any]) -> None:
        """Make the embedded AWS misbehave; without arguments, behave again."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self.shell["AWS_ENDPOINT_URL"] + "/_localaws/faults",
            data=json.dumps(wanted).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()

    def close(self) -> None:
        """Stop the embedded AWS."""
        self.python("-m", "localaws", "stop", exits=None)
