"""A partly failed run on the real engine: taken back, or gone on with, and told afterwards."""

import json
import os
import signal
from typing import Any

import pytest

from localaws.plugins.aws.aws import ATTEMPTS
from tests.engine.checkout import Checkout
from tests.engine.inventory import orphans
from tests.localaws.support import until

pytestmark = pytest.mark.engine

REFUSED = {"service": "ecs", "operation": "RegisterTaskDefinition", "status": 400, "code": "ClientException"}
QUICK = ("--skip-preview", "--parallel", "1", "--traffic", "0")


def flags(checkout: Checkout) -> dict[str, tuple[bool, bool]]:
    """Of each service, the flag as configured and as deployed."""
    services = checkout.json("status", "--no-drift")["services"]
    return {name: (service["flagInConfig"], service["flagDeployed"]) for name, service in services.items()}


def events(checkout: Checkout) -> list[tuple[str, str]]:
    """What the newest run did with which service."""
    shown = json.loads(checkout.script("history", "show", "LAST", "--json").stdout)
    return [(step["event"], step["service"]) for step in shown["steps"] if "service" in step]


def test_errors_from_the_middle_on_are_rolled_back(deployed: Checkout) -> None:
    """GIVEN AWS refuses the third stack THEN what was flipped before is taken back, dependents first, nothing else."""
    deployed.faults({**REFUSED, "skip": 2, "times": 1})
    try:
        document = deployed.json("enable", "--on-failure", "rollback", *QUICK, exits=1)
    finally:
        deployed.faults()
    states = {stack["service"]: stack["state"] for stack in document["stacks"]}
    assert states == {"platform": "done", "crystal": "done", "nodejs": "failed", "frontend": "not run"}
    undone = [(each["service"], each["rolledBack"]) for each in document["rollback"]]
    assert undone[-1] == ("platform", True)
    assert sorted(undone) == [("crystal", True), ("nodejs", True), ("platform", True)]
    assert "Rolled back: nodejs, crystal and platform." in document["summary"]
    assert flags(deployed) == dict.fromkeys(("platform", "crystal", "nodejs", "frontend"), (False, False))
    assert orphans(deployed) == set()


def test_a_resumed_run_does_only_what_is_left(deployed: Checkout) -> None:
    """GIVEN the third stack failed WHEN resumed THEN no engine runs for the two that succeeded."""
    deployed.faults({**REFUSED, "skip": 2, "times": 1})
    try:
        deployed.script("enable", "--yes", "--sampling-rate", "0.5", *QUICK, exits=1)
    finally:
        deployed.faults()
    refused: Any = deployed.json("disable", "--resume", exits=2)
    assert refused["next"] == "python automation/enable.py --resume"

    document = deployed.json("enable", "--resume", *QUICK)

    states = {stack["service"]: stack["state"] for stack in document["stacks"]}
    assert states == {"platform": "unchanged", "crystal": "unchanged", "nodejs": "done", "frontend": "done"}
    begun = [service for event, service in events(deployed) if event == "stack-started"]
    assert sorted(begun) == ["frontend", "nodejs"]
    assert set(flags(deployed).values()) == {(True, True)}
    nothing = deployed.json("enable", "--resume", exits=2)
    assert nothing["error"].startswith("Nothing to resume")


def test_what_passes_is_tried_again(deployed: Checkout) -> None:
    """GIVEN AWS fails for as long as the provider tries THEN the engine tries again, and both are told."""
    deployed.faults({**REFUSED, "code": "ServerException", "status": 500, "times": ATTEMPTS})
    try:
        deployed.script("enable", "crystal", "--yes", "--sampling-rate", "0.25", *QUICK)
    finally:
        deployed.faults()
    assert events(deployed) == [
        ("stack-started", "crystal"),
        ("stack-tried-again", "crystal"),
        ("stack-ended", "crystal"),
    ]


def test_an_engine_that_dies_over_its_work_leaves_nothing_behind(deployed: Checkout) -> None:
    """GIVEN it is killed while AWS registers a revision THEN another goes on, and the lost revision is deregistered."""
    state = deployed.root / ".localaws/pulumi-state/.pulumi/stacks/ecs-tracing/local-crystal.json"
    deployed.faults({"service": "ecs", "operation": "RegisterTaskDefinition", "hang": 1, "times": 1})
    process = deployed.popen("automation/enable.py", "crystal", "--yes", "--sampling-rate", "0.75", *QUICK)
    until(lambda: '"type": "creating"' in state.read_text(encoding="utf-8"))
    (engine,) = (deployed.root / ".runs/local/engines").glob("[0-9]*")
    os.kill(int(engine.name), signal.SIGKILL)
    out, err = process.communicate(timeout=120)

    assert process.returncode == 0, out + err
    assert "is deregistered: a dead engine had left it behind" in out
    assert orphans(deployed) == set()


def test_a_stack_that_takes_too_long_is_ended(deployed: Checkout) -> None:
    """GIVEN AWS does not answer WHEN the time is up THEN the engine is ended; after a kill the next run is told how."""
    deployed.script("enable", "crystal", "--yes", *QUICK)
    deployed.faults({"service": "ecs", "operation": "RegisterTaskDefinition", "hang": 6})
    try:
        document = deployed.json("disable", "crystal", "--skip-preview", "--stack-timeout", "3", exits=1)
    finally:
        deployed.faults()
    (stack,) = document["stacks"]
    assert stack["reason"] == "timed out after 3 s"
    process = deployed.popen("automation/enable.py", "--yes", *QUICK)
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("crystal: running"))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    told = deployed.script("enable", "crystal", "--yes", "--skip-preview", "--traffic", "0").stdout

    assert "resume: python automation/enable.py --resume" in told
    assert orphans(deployed) == set()
