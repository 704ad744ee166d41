"""Whether two machines would deploy the same thing to the same place."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import boto3

from automation.environment import Environment
from automation.errors import UsageError

# What decides what an engine makes of a stack's configuration.
_SOURCES = ("automation", "checks", "envoymesh", "services", "environments")
_FILES = ("Pulumi.yaml", "__main__.py", "fleet.yaml", "requirements.txt")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What an engine's work depends on, apart from the stack's own configuration."""

    program: str  # fingerprint of its source
    backend: str  # Pulumi's, as a URL
    endpoint: str  # of AWS; "" for the real one
    account: str
    region: str

    def require(self, expected: "Facts", who: str) -> None:
        """Raise `UsageError` where `who` has other facts than expected."""
        for name in (each.name for each in fields(self)):
            own, wanted = getattr(self, name), getattr(expected, name)
            if own != wanted:
                raise UsageError(f"{who}: {_WRONG[name].format(own=own, wanted=wanted)}", next_command=_NEXT[name])


_WRONG = {
    "program": "its checkout differs from this one ({own}, not {wanted})",
    "backend": "its Pulumi keeps the state in {own}, not in {wanted}",
    "endpoint": "its AWS is at '{own}', not at '{wanted}'",
    "account": "its credentials are of account {own}, not of {wanted}",
    "region": "its region is {own}, not {wanted}",
}
_CHECKOUT = "git status --short && git log -1 --oneline   (there and here; then start the worker anew)"
_VARIABLES = "start it with the same {} as here (docs/scheduler.md)"
_NEXT = {
    "program": _CHECKOUT,
    "backend": _VARIABLES.format("PULUMI_BACKEND_URL"),
    "endpoint": _VARIABLES.format("AWS_ENDPOINT_URL, or LOCALAWS_STATE,"),
    "account": "aws sts get-caller-identity   (there and here)",
    "region": _CHECKOUT,
}


def facts(program: str, environment: Environment) -> Facts:
    """Those of this machine; `program` is the fingerprint of the source that is loaded.

    Raises `UsageError` when AWS does not answer.
    """
    return Facts(
        program=program,
        backend=os.environ.get("PULUMI_BACKEND_URL", ""),
        endpoint=os.environ.get("AWS_ENDPOINT_URL", ""),
        account=_account(environment.region),
        region=environment.region,
    )


def source(root: Path) -> str:
    """A fingerprint of the program in a checkout."""
    digest = hashlib.sha256()
    for path in _sources(root):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _sources(root: Path) -> Iterator[Path]:
    yield from (root / name for name in _FILES if (root / name).is_file())
    for folder in _SOURCES:
        yield from sorted(path for path in (root / folder).rglob("*") if path.suffix in (".py", ".yaml", ".json"))


def _account(region: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        return str(boto3.client("sts", region_name=region).get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise UsageError(f"AWS does not answer: {error}", next_command="aws sts get-caller-identity") from error
