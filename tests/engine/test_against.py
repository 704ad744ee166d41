"""preview --against: what merging would change, without an account, a secret or a network."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engine.checkout import TIMEOUT, Checkout
from tests.engine.committed import commit, configure, git

pytestmark = pytest.mark.engine


@contextmanager
def edited(checkout: Checkout, name: str, old: str, new: str) -> Iterator[None]:
    """A file of the working tree changed, and as it was again."""
    file = checkout.root / name
    kept = file.read_text(encoding="utf-8")
    assert old in kept
    file.write_text(kept.replace(old, new), encoding="utf-8")
    yield
    file.write_text(kept, encoding="utf-8")


def offline(checkout: Checkout, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``python ARGUMENTS…`` where there is no network but loopback, and nothing secret in the environment."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rn", "true"], check=False).returncode:
        assert "CI" not in os.environ, "CI can take the network away"
        pytest.skip("`unshare -rn` (Linux, user namespaces) takes the network away")
    inside = 'ip link set lo up && exec "$@"'
    return subprocess.run(
        ["unshare", "-rn", "sh", "-c", inside, "sh", sys.executable, *arguments],
        cwd=checkout.root, env=checkout.env, check=False, capture_output=True, text=True, timeout=TIMEOUT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def repository(checkout: Checkout) -> Checkout:
    """A clone whose `main` has an environment `prod`, untraced; and a branch `broken` that does not deploy."""
    commit(checkout)
    raising = 'raise pulumi.RunError("no platform today")'
    with edited(checkout, "services/platform.py", "    return Platform(", f"    {raising}\n    return Platform("):
        git(checkout, "commit", "--quiet", "--all", "--message", "broken")
        git(checkout, "branch", "broken")
    git(checkout, "reset", "--quiet", "--hard", "HEAD~1")
    return checkout


def planned(document: Any, key: str) -> dict[str, set[tuple[str, str, str]]]:
    return {
        stack["service"]: {(change["op"], change["type"], change["name"]) for change in stack[key]}
        for stack in document["stacks"]
    }


def test_a_flip_is_foreseen_as_enable_then_does_it(repository: Checkout, tmp_path: Path) -> None:
    """Resource by resource; without a network, without credentials, and with nothing left behind."""
    comment, before = tmp_path / "comment.md", git(repository, "status", "--porcelain")
    configure(repository, tracing=True)
    arguments = ("--env", "prod", "--against", "main", "--detailed-exitcode", "--json", "--markdown", str(comment))
    done = offline(repository, "automation/preview.py", *arguments)
    assert done.returncode == 5, done.stderr
    foreseen = json.loads(done.stdout)

    repository.script("disable", "--yes", "--skip-preview")
    flipped = repository.json("enable")

    assert planned(foreseen, "changes") == planned(flipped, "plan")
    (definition,) = [each for each in foreseen["stacks"][1]["changes"] if each["op"] == "replace"]
    assert [(each["path"], each["replaces"]) for each in definition["differences"]] == [("containerDefinitions", True)]
    told = comment.read_text(encoding="utf-8")
    for stack in foreseen["stacks"]:
        assert all(change["name"] in told for change in stack["changes"])
    assert foreseen["findings"] == []
    assert [stack["waitsFor"] for stack in foreseen["stacks"]] == [[], [], [], []]
    assert git(repository, "worktree", "list").count("\n") == 1
    assert not Path(repository.root / ".runs" / "prod").exists()
    configure(repository, tracing=False)
    assert git(repository, "status", "--porcelain") == before


def test_what_hangs_on_another_stack_is_told_and_not_invented(repository: Checkout, tmp_path: Path) -> None:
    """A new CIDR replaces the platform's network; what crystal makes of it is told later. Red: a rename."""
    comment = tmp_path / "comment.md"
    arguments = ("--env", "prod", "--against", "main", "--markdown", str(comment), "platform", "crystal")
    with (
        edited(repository, "services/fleet_model.py", "10.0.0.", "10.7.0."),
        edited(repository, "services/crystal.py", '"ecsdemo-crystal"', '"ecsdemo-amber"'),
    ):
        platform, crystal = repository.json("preview", *arguments)["stacks"]

    cidr = {"path": "cidrBlock", "kind": "update", "before": "10.0.0.0/24", "after": "10.7.0.0/24", "replaces": True}
    (network,) = [each for each in platform["changes"] if each["type"] == "aws:ec2/vpc:Vpc"]
    assert cidr in network["differences"]
    assert (platform["waitsFor"], crystal["waitsFor"]) == ([], ["prod-platform"])
    (service,) = [each for each in crystal["changes"] if each["type"] == "aws:ecs/service:Service"]
    after = {each["path"]: each["after"] for each in service["differences"]}
    assert after["networkConfiguration.subnets"] == "known after prod-platform"
    assert (service["op"], after["name"]) == ("replace", "ecsdemo-amber")
    red = [line for line in comment.read_text(encoding="utf-8").splitlines() if line.startswith("-")]
    assert any("ecs.Service" in line for line in red)


def test_a_program_that_fails_is_told_and_exits_1(repository: Checkout, tmp_path: Path) -> None:
    """With the stack that has no plan, and those that hang on it; on the base's side as on this one."""
    comment = tmp_path / "comment.md"
    arguments = ("--env", "prod", "--markdown", str(comment))
    git(repository, "checkout", "--quiet", "broken")
    ours = repository.json("preview", *arguments, "--against", "main", "platform", exits=1)
    told = comment.read_text(encoding="utf-8")
    git(repository, "checkout", "--quiet", "main")
    theirs = repository.json("preview", *arguments, "--against", "broken", exits=1)

    assert "no platform today" in ours["stacks"][0]["problem"]
    assert "no platform today" in told
    problems = [stack["problem"] for stack in theirs["stacks"]]
    assert "broken itself does not deploy" in problems[0]
    assert "no platform today" in problems[0]
    assert all(problems)
    assert "broken itself does not deploy" in comment.read_text(encoding="utf-8")


def test_an_aws_that_does_not_answer_is_told(repository: Checkout, tmp_path: Path) -> None:
    """Previewed against the environment itself: a comment, what hangs on what has no plan, exit code 1."""
    comment = tmp_path / "comment.md"
    repository.python("-m", "localaws", "start")
    dead = {**repository.shell, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    for service in ("platform", "crystal"):
        repository.pulumi("stack", "init", f"dead-{service}", "--no-select")
        (repository.root / "stacks" / f"Pulumi.dead-{service}.yaml").write_text("config: {aws:region: eu-west-1}\n")
    given = ("--env", "dead", "--markdown", str(comment), "platform", "crystal")
    platform, crystal = repository.json("preview", *given, exits=1, env=dead)["stacks"]

    assert "http://127.0.0.1:9 does not answer" in platform["problem"]
    assert "hangs on dead-platform, which has none" in crystal["problem"]
    assert "does not answer" in comment.read_text(encoding="utf-8")


def test_bad_input_is_one_error(repository: Checkout) -> None:
    """Nothing is started."""
    told = repository.script("preview", "--against", "nowhere", exits=2).stderr
    assert "there is no revision 'nowhere' here" in told

    told = repository.script("preview", "--against", "main", "--markdown", "nowhere/comment.md", exits=2).stderr
    assert "there is no folder nowhere" in told
