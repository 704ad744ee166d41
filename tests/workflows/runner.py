"""A job's `run` steps, run as they stand in the workflow's file: by bash, with files for outputs and the summary."""

import os
import re
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

WORKFLOWS = Path(__file__).resolve().parents[2] / ".github" / "workflows"
BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")  # what `shell: bash` means to GitHub
TIMEOUT = 300  # seconds for one step
PULL_REQUEST = {  # what the expressions of preview.yml evaluate to for one
    "github.event_name == 'pull_request'": "true",
    "!cancelled() && github.event_name == 'pull_request'": "true",
    "steps.python.outputs.python-path": "python-of-the-action",
}


def workflow(name: str, folder: Path = WORKFLOWS) -> Any:
    """The document of ``NAME.yml`` in a folder of workflows; its `on` is under True, as YAML 1.1 has it."""
    return yaml.safe_load((folder / f"{name}.yml").read_text(encoding="utf-8"))


@dataclass
class Job:
    """What came of one."""

    code: int = 0  # of the first step that failed, else 0
    log: str = ""
    summary: str = ""
    ran: list[str] = field(default_factory=list)  # names of steps, those of actions included
    outputs: dict[str, str] = field(default_factory=dict)  # "variables.deploy" -> "true"


class Runner:
    """A machine with a folder for temporary files."""

    def __init__(self, folder: Path, env: Mapping[str, str], workflows: Path = WORKFLOWS) -> None:
        self._workflows = workflows
        self.temp = folder / "temp"
        self.temp.mkdir(parents=True)
        self._env = {**env, "CI": "true", "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(self.temp)}

    def run(
        self, name: str, job: str, *, where: Path, values: Mapping[str, str], leave_out: Collection[str] = ()
    ) -> Job:
        """Run the steps of a job in the folder `where`.

        `values` holds what each expression of the job evaluates to, conditions included ("true" or not); an expression
        that is not there is a KeyError. Steps in `leave_out` are taken for done, as are those that are actions.
        """
        document = workflow(name, self._workflows)
        assert document["defaults"]["run"] == {"shell": "bash"}
        done = Job()
        for step in document["jobs"][job]["steps"]:
            condition = re.sub(r"^\${{(.*)}}$", r"\1", str(step.get("if", "true"))).strip()
            if {"true": "true", **values}[condition] != "true" or (done.code and "cancelled()" not in condition):
                continue
            done.ran.append(step["name"])
            if "run" in step and step["name"] not in leave_out:
                self._step(step, where, values, done)
        return done

    def _step(self, step: Mapping[str, Any], where: Path, values: Mapping[str, str], done: Job) -> None:
        script, output, summary = (self.temp / name for name in ("step.sh", "output", "summary"))
        script.write_text(step["run"], encoding="utf-8")
        output.write_text("", encoding="utf-8")
        given = {key: evaluated(str(value), values) for key, value in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        ended = subprocess.run(
            [*BASH, str(script)],
            cwd=where, env={**self._env, **files, **given}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip
        done.log += ended.stdout
        done.code = done.code or ended.returncode
        done.summary = summary.read_text(encoding="utf-8") if summary.exists() else ""
        for line in output.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            done.outputs[f"{step['id']}.{key}"] = value


def evaluated(text: str, values: Mapping[str, str]) -> str:
    """The text with every expression replaced."""
    return re.sub(r"\${{\s*(.*?)\s*}}", lambda match: values[match[1]], text)


def plain_environment() -> dict[str, str]:
    """This machine's, without what speaks to a cloud or to GitHub."""
    ours = ("AWS_", "PULUMI_", "LOCALAWS_", "GITHUB_", "ACTIONS_")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)}


def write_program(path: Path, script: str) -> None:
    """Put a program in the place of another."""
    path.parent.mkdir(parents=True)
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)
