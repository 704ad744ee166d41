"""Bad input and a hostile world: one clear error, the right exit code, nothing changed, nothing lost."""

import os
import resource
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.engine.checkout import Checkout
from tests.engine.inventory import orphans

pytestmark = pytest.mark.engine


def refused(checkout: Checkout, script: str, *args: str, code: int = 2, **given: Any) -> str:
    """The error that a command answers with; it must be one error and name a next command."""
    result = checkout.script(script, *args, exits=code, **given)
    assert result.stderr.count("error:") == 1, result.stderr
    assert "next: " in result.stderr, result.stderr
    return result.stderr


def test_an_unknown_service_is_named_with_the_known_ones(checkout: Checkout) -> None:
    """Nothing is started for a typing error."""
    error = refused(checkout, "enable", "cristal", "--yes")
    assert "'cristal'" in error
    assert "platform, crystal, nodejs, frontend" in error
    assert not (checkout.root / ".localaws").exists()


@pytest.mark.parametrize("script", ["enable", "status", "preview", "destroy", "deploy", "disable"])
def test_a_mistake_in_the_fleet_is_told_once_by_every_script(checkout: Checkout, script: str) -> None:
    """Nothing is started for it."""
    fleet = checkout.root / "fleet.yaml"
    fleet.write_text("services: {web: {image: x, backends: {A: b}}}", encoding="utf-8")
    assert "services.web.backends.A is 'b'" in refused(checkout, script)
    fleet.unlink()
    assert not (checkout.root / ".localaws").exists()


def test_an_unknown_environment_is_answered_with_how_to_make_it(checkout: Checkout) -> None:
    """A real account is only ever touched when its stack file names it."""
    error = refused(checkout, "enable", "--env", "prod", "--yes")
    assert "Unknown environment 'prod'" in error
    assert "> environments/prod.yaml" in error
    assert not (checkout.root / ".localaws").exists()


def test_an_environment_name_that_cannot_be_one(checkout: Checkout) -> None:
    """The name becomes part of stack names and paths."""
    assert "'../x' is not a valid environment name" in refused(checkout, "status", "--env", "../x")


def test_an_unknown_option_names_the_help(checkout: Checkout) -> None:
    """Usage errors are answered like all others."""
    assert "enable.py --help" in refused(checkout, "enable", "--fast")


def test_without_a_terminal_and_without_yes_nothing_happens(checkout: Checkout) -> None:
    """A script that forgot --yes is told so; it does not hang at a question."""
    assert "--yes" in refused(checkout, "enable")


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("tracing", "maybe", "true or false"),
        ("samplingRate", "7", "0"),
        ("samplingRate", "often", "0"),
        ("mesh", "istio", "appmesh"),
        ("collector", "jaeger", "xray-daemon"),
    ],
)
def test_a_wrong_configuration_value_names_key_value_and_file(
    deployed: Checkout, key: str, value: str, allowed: str
) -> None:
    """GIVEN a stack file with a wrong value THEN the error names it, the file and what is allowed; nothing runs."""
    file = deployed.root / "stacks" / "Pulumi.local-nodejs.yaml"
    good = file.read_text()
    file.write_text(
        good.replace("config:\n", f"config:\n  ecs-tracing:{key}: {value}\n").replace(
            '  ecs-tracing:tracing: "false"\n', ""
        )
    )
    try:
        error = refused(deployed, "preview")
    finally:
        file.write_text(good)
    assert "stacks/Pulumi.local-nodejs.yaml" in error
    assert key in error
    assert value in error
    assert allowed in error


def test_a_wrong_sampling_rate_on_the_command_line(deployed: Checkout) -> None:
    """7 is no share of requests."""
    error = refused(deployed, "enable", "--yes", "--sampling-rate", "7")
    assert "samplingRate" in error
    assert "7" in error


@pytest.mark.parametrize("name", ["Pulumi.yaml", "stacks/Pulumi.local-crystal.yaml"])
@pytest.mark.parametrize(
    "content", ["config: [unclosed", "- a\n- list\n", "\xff\xfe"], ids=["syntax", "shape", "bytes"]
)
def test_a_malformed_file_is_named(deployed: Checkout, name: str, content: str) -> None:
    """One error for the one file, not four engines' worth."""
    file = deployed.root / name
    good = file.read_bytes()
    file.write_bytes(content.encode("latin-1"))
    try:
        error = refused(deployed, "enable", "--yes")
    finally:
        file.write_bytes(good)
    assert f"{name} is malformed" in error


def test_a_wrong_passphrase_is_said_once(tmp_path: Path) -> None:
    """A stack that was made by hand with another passphrase cannot be opened."""
    own = Checkout(tmp_path)
    own.pulumi("stack", "init", "local-platform", "--no-select")
    error = refused(own, "enable", "--yes", env={"PULUMI_CONFIG_PASSPHRASE": "wrong"})
    own.close()
    assert "PULUMI_CONFIG_PASSPHRASE" in error


def test_a_cli_that_is_too_old_is_passed_over(deployed: Checkout, tmp_path: Path) -> None:
    """An old pulumi on PATH is not used; the cached one is."""
    old = tmp_path / "pulumi"
    old.write_text("#!/bin/sh\necho v3.1.0\n")
    old.chmod(old.stat().st_mode | stat.S_IXUSR)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    assert deployed.json("preview", env={"PATH": path})["changed"] is False


def test_a_port_in_use_is_named(checkout: Checkout, tmp_path: Path) -> None:
    """`localaws start --port` says which port and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = checkout.python("-m", "localaws", "start", "--state", str(tmp_path), "--port", str(port), exits=2)
    assert str(port) in result.stderr


def test_the_second_run_is_told_who_holds_the_environment(deployed: Checkout) -> None:
    """Exit 4 with the owner's process; the first run is not disturbed."""
    first = deployed.popen("automation/enable.py", "--yes")
    assert first.stdout is not None
    first.stdout.readline()
    error = refused(deployed, "enable", "--yes", code=4)
    assert f"process {first.pid}" in error
    out, err = first.communicate(timeout=120)
    assert first.returncode == 0, out + err
    deployed.script("disable", "--yes", "--skip-preview")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            {"operation": "RegisterTaskDefinition", "status": 400, "code": "ClientException", "times": None},
            "ClientException",
        ),
        ({"operation": "UpdateService", "status": 500, "code": "ServerException", "times": None}, "ServerException"),
    ],
    ids=["4xx", "5xx"],
)
def test_aws_refusing_half_way_fails_the_stack_and_a_rerun_finishes(
    deployed: Checkout, fault: dict[str, Any], told: str
) -> None:
    """GIVEN AWS answers with an error for one call THEN exit 1 names it, and the next run completes the flip."""
    deployed.faults({"service": "ecs", **fault})
    try:
        document = deployed.json("enable", "crystal", "--skip-preview", exits=1)
    finally:
        deployed.faults()
    (stack,) = document["stacks"]
    assert stack["state"] == "failed"
    assert told in " ".join(stack["errors"])
    assert deployed.json("enable", "crystal", "--skip-preview")["exitCode"] == 0
    assert orphans(deployed) == set()
    deployed.script("disable", "crystal", "--yes", "--skip-preview")


def test_a_failed_stack_stops_only_its_dependents(deployed: Checkout) -> None:
    """GIVEN the first registration fails THEN what depends on that stack is reported as not run because of it."""
    deployed.faults(
        {"service": "iam", "operation": "AttachRolePolicy", "status": 400, "code": "AccessDenied", "times": None},
    )
    try:
        document = deployed.json("enable", "--skip-preview", exits=1)
    finally:
        deployed.faults()
    states = {stack["service"]: (stack["state"], stack["cause"]) for stack in document["stacks"]}
    assert states["platform"][0] == "failed"
    assert {states[name] for name in ("crystal", "nodejs", "frontend")} == {("not run", "platform")}
    deployed.script("disable", "--yes", "--skip-preview")


def test_aws_not_answering_half_way_ends_in_one_error(deployed: Checkout) -> None:
    """A call that hangs is given up within a bound and named."""
    impatient = {"LOCALAWS_PROVIDER_TIMEOUT": "1", "PULUMI_DEBUG_PROVIDERS": ""}  # with plugins of its own
    deployed.faults({"service": "ecs", "operation": "RegisterTaskDefinition", "hang": 30, "times": None})
    try:
        document = deployed.json("enable", "nodejs", "--skip-preview", exits=1, env=impatient)
    finally:
        deployed.faults()
    assert "RegisterTaskDefinition" in " ".join(document["stacks"][0]["errors"])
    deployed.script("disable", "nodejs", "--yes", "--skip-preview")


def test_a_stacks_state_deleted_by_hand_loses_nothing(deployed: Checkout) -> None:
    """AWS refuses what already exists; the error says what happened and how to get on."""
    (file,) = (deployed.root / ".localaws" / "pulumi-state").rglob("local-crystal.json")
    saved = file.read_bytes()
    file.unlink()
    try:
        result = deployed.script("enable", "crystal", "--yes", exits=1)
        assert "state" in result.stdout
        assert "deleted" in result.stdout
    finally:
        file.write_bytes(saved)
    assert deployed.json("enable", "crystal", "--skip-preview")["exitCode"] == 0
    deployed.script("disable", "crystal", "--yes", "--skip-preview")


def test_a_folder_that_cannot_be_written_is_named(deployed: Checkout) -> None:
    """A checkout that can't be written (a file where the folder should be stops root, too) is one error."""
    folder = deployed.root / ".runs" / "local"
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("in the way")
    try:
        error = refused(deployed, "enable", "--yes")
    finally:
        folder.unlink()
        aside.rename(folder)
    assert f"Cannot write to {folder}" in error


@pytest.mark.parametrize(
    ("room", "place"), [(0, "temporary folder"), (10, ".runs/local")], ids=["nothing fits", "ten bytes fit"]
)
def test_a_full_disk_is_named_before_anything_is_changed(deployed: Checkout, room: int, place: str) -> None:
    """No file can grow beyond `room` bytes: the first write that matters fails, and the error says where."""

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    error = refused(deployed, "enable", "--yes", preexec_fn=full)
    assert "Cannot write to" in error
    assert place in error
