"""A clone whose `main` has an environment `prod`, as a team would commit it."""

import subprocess

from tests.engine.checkout import Checkout

SERVICES = ("platform", "crystal", "nodejs", "frontend")
# As somebody's pipeline encrypts: with a passphrase that nobody here knows.
_SALT = "v1:FzHkFEzQuyM=:v1:tk9iYtR8pBQgU6YM:QUHgpydl1TGHc7rcLzyzWoK0MDuQCQ=="
_SECRET = ["  shop:password:", "    secure: v1:3NcryPt3d:0123456789"]


def git(checkout: Checkout, *arguments: str) -> str:
    """Run git in the checkout, as somebody."""
    who = ["-c", "user.name=A Reader", "-c", "user.email=reader@example.com"]
    done = subprocess.run(["git", *who, *arguments], cwd=checkout.root, check=True, capture_output=True, text=True)
    return done.stdout


def configure(checkout: Checkout, *, tracing: bool) -> None:
    """Write the configuration of the stacks of `prod`."""
    for service in SERVICES:
        lines = [f"encryptionsalt: {_SALT}", "config:", "  aws:region: eu-west-1", *_SECRET]
        lines += [f'  ecs-tracing:tracing: "{str(tracing).lower()}"', ""]
        file = checkout.root / "stacks" / f"Pulumi.prod-{service}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(lines), encoding="utf-8")


def commit(checkout: Checkout) -> None:
    """Commit the checkout with `prod`, untraced, to a `main` of its own."""
    configure(checkout, tracing=False)
    git(checkout, "init", "--quiet", "--initial-branch", "main")
    (checkout.root / ".git" / "info" / "exclude").write_text(".venv\n", encoding="utf-8")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "main")
