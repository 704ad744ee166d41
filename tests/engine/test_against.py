"""preview --against: what merging would change, without an account."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.engine.checkout import Checkout

SERVICES = ("platform", "crystal", "nodejs", "frontend")

pytestmark = pytest.mark.engine


def git(checkout: Checkout, *arguments: str) -> str:
    """Run git in the checkout, as somebody."""
    who = ["-c", "user.name=A Reader", "-c", "user.email=reader@example.com"]
    done = subprocess.run(["git", *who, *arguments], cwd=checkout.root, check=True, capture_output=True, text=True)
    return done.stdout


def configure(checkout: Checkout, service: str, **settings: str) -> None:
    """Write the configuration of a stack of the environment `prod`, as it would be committed."""
    lines = [f'  ecs-tracing:{key}: "{value}"' for key, value in settings.items()]
    file = checkout.root / "stacks" / f"Pulumi.prod-{service}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(["config:", "  aws:region: eu-west-1", *lines, ""]), encoding="utf-8")


@pytest.fixture(scope="module")
def repository(checkout: Checkout) -> Checkout:
    """A clone whose `main` has an environment `prod`, untraced."""
    for service in SERVICES:
        configure(checkout, service, tracing="false")
    git(checkout, "init", "--quiet", "--initial-branch", "main")
    (checkout.root / ".git" / "info" / "exclude").write_text(".venv\n", encoding="utf-8")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "main")
    return checkout


def planned(document: Any, key: str) -> dict[str, set[tuple[str, str, str]]]:
    return {
        stack["service"]: {(change["op"], change["type"], change["name"]) for change in stack[key]}
        for stack in document["stacks"]
    }


def test_a_flip_is_foreseen_as_enable_then_does_it(repository: Checkout) -> None:
    """Resource by resource; nothing is left of the base, and no credentials were needed."""
    for service in SERVICES:
        configure(repository, service, tracing="true")
    foreseen = repository.json("preview", "--env", "prod", "--against", "main", "--detailed-exitcode", exits=5)

    repository.script("disable", "--yes")
    done = repository.json("enable")

    assert planned(foreseen, "changes") == planned(done, "plan")
    (definition,) = [each for each in foreseen["stacks"][1]["changes"] if each["op"] == "replace"]
    assert [(each["path"], each["replaces"]) for each in definition["differences"]] == [("containerDefinitions", True)]
    assert git(repository, "worktree", "list").count("\n") == 1
    assert not Path(repository.root / ".runs" / "prod").exists()


def test_a_program_that_fails_is_told_and_exits_1(repository: Checkout) -> None:
    """The stack that has no plan says why."""
    file = repository.root / "services" / "platform.py"
    kept = file.read_text(encoding="utf-8")
    broken = 'import pulumi; raise pulumi.RunError("no platform today")'
    file.write_text(kept.replace("    return Platform(", f"    {broken}\n    return Platform("), encoding="utf-8")
    foreseen = repository.json("preview", "--env", "prod", "--against", "main", "platform", exits=1)
    file.write_text(kept, encoding="utf-8")

    (stack,) = foreseen["stacks"]
    assert "no platform today" in stack["problem"]


def test_an_unknown_revision_is_one_error(repository: Checkout) -> None:
    """Nothing is started."""
    told = repository.script("preview", "--against", "nowhere", exits=2).stderr

    assert "there is no revision 'nowhere' here" in told
