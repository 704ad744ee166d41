"""The command line of the embedded AWS."""

import json
import os
import subprocess
import sys

import pytest

from localaws.instance import Instance
from tests.localaws.support import ROOT, command_line


def test_status_of_a_running_instance(instance: Instance) -> None:
    """Status says where it runs, and exits 0."""
    result = command_line("status", state=instance.state)
    known = instance.status()

    assert result.returncode == 0
    assert f"running at {known.endpoint}, process {known.pid}" in result.stdout
    assert str(instance.state) in result.stdout


def test_status_of_a_stopped_instance(fresh: Instance) -> None:
    """Status exits 3 where nothing runs, names the next command, and starts nothing."""
    result = command_line("status", state=fresh.state)

    assert result.returncode == 3
    assert "not running" in result.stdout
    assert "python -m localaws start" in result.stdout
    assert not fresh.state.exists()


def test_status_as_a_document(instance: Instance, fresh: Instance) -> None:
    """--json has endpoint, process and state folder."""
    known = instance.status()
    document = json.loads(command_line("status", "--json", state=instance.state).stdout)
    assert known.started_at is not None
    assert {
        "running": True,
        "endpoint": known.endpoint,
        "pid": known.pid,
        "state": str(instance.state),
        "started_at": known.started_at.isoformat(timespec="seconds"),
    } == document

    document = json.loads(command_line("status", "--json", state=fresh.state).stdout)
    assert {"running": False, "endpoint": None, "pid": None, "state": str(fresh.state), "started_at": None} == document


def test_start_finds_what_runs(instance: Instance) -> None:
    """Start of a running instance prints the same as its status."""
    assert json.loads(command_line("status", "--json", state=instance.state).stdout) == json.loads(
        command_line("start", "--json", state=instance.state).stdout
    )


def test_env_can_be_evaluated(instance: Instance) -> None:
    """A shell that evaluates it has the instance's variables, values with spaces and all."""
    script = f'eval "$("$0" -m localaws env --state {instance.state})" && echo "$AWS_ENDPOINT_URL"'
    result = subprocess.run(["sh", "-c", script, sys.executable], cwd=ROOT, capture_output=True, text=True, check=True)

    assert f"{instance.status().endpoint}\n" == result.stdout


def test_env_prints_nothing_but_exports(instance: Instance) -> None:
    """Each line sets one variable."""
    lines = command_line("env", state=instance.state).stdout.splitlines()

    assert f"export AWS_ENDPOINT_URL={instance.status().endpoint}" in lines
    assert [line for line in lines if not line.startswith("export ")] == []


def test_env_starts_what_does_not_run(fresh: Instance) -> None:
    """Env starts the instance, whatever AWS profile the shell has, and says so where it does not disturb."""
    result = command_line("env", state=fresh.state, env={**os.environ, "AWS_PROFILE": "nobody"})
    endpoint = fresh.status().endpoint

    assert f"export AWS_ENDPOINT_URL={endpoint}" in result.stdout
    assert f"Started the embedded AWS at {endpoint}." in result.stderr


def test_stop_and_reset(fresh: Instance) -> None:
    """Stop keeps the state; reset asks first, and forgets it."""
    fresh.start()
    assert f"Stopped; its state is kept in {fresh.state}." in command_line("stop", state=fresh.state).stdout
    assert "It did not run." in command_line("stop", state=fresh.state).stdout

    refused = command_line("reset", state=fresh.state, input="n\n")
    assert refused.returncode == 1
    assert "Forget all AWS resources and Pulumi stacks in" in refused.stderr
    assert (fresh.state / "pulumi-state").exists()

    assert command_line("reset", state=fresh.state, input="y\n").returncode == 0
    assert not (fresh.state / "pulumi-state").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["start", "--port", "70000"], "70000 is not in the range"),
        (["start", "--port", "http"], "'http' is not a valid integer"),
        (["begin"], "No such command 'begin'"),
        (["status", "--state", __file__], "is a file"),
    ],
)
def test_bad_usage(arguments: list[str], reason: str) -> None:
    """Bad usage is named and exits 2."""
    result = command_line(*arguments)

    assert result.returncode == 2
    assert reason in result.stderr


def test_our_errors_are_one_line(instance: Instance) -> None:
    """What can't be done exits 2 with one line that names the next command."""
    result = command_line("start", "--port", "1", state=instance.state)

    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert f"python -m localaws stop --state {instance.state}" in result.stderr


@pytest.mark.parametrize("command", ["start", "stop", "status", "reset", "env"])
def test_help_teaches_by_example(command: str) -> None:
    """Every command is listed, and its help shows it in use."""
    assert f"\n  {command} " in command_line("--help").stdout
    assert f"python -m localaws {command}" in command_line(command, "--help").stdout
