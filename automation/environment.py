"""Where the stacks live: the embedded AWS for `local`, a real account for every other name.

This module is the one seam between the automation and `localaws`.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from automation import environments
from automation.errors import UsageError
from automation.parts import Parts
from automation.stackfiles import StackFiles
from localaws.errors import LocalAwsError
from localaws.instance import SECRETS_PROVIDER, Instance
from localaws.variables import REGION
from pulumicli import PulumiCliError, ensure

ROOT = Path(__file__).resolve().parent.parent
LOCAL = "local"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One environment, ready to be used: its variables are in this process's environment."""

    name: str
    region: str
    files: StackFiles
    runs: Path  # locks, journals and engine output of this environment
    poll_seconds: float  # how often to ask AWS while a rollout moves
    account: str | None = None  # the only one that it may be in, 12 digits
    engines: Parts = field(default_factory=Parts)  # what its engines are given

    @property
    def is_local(self) -> bool:
        """Whether it is on the embedded AWS."""
        return self.name == LOCAL

    def page(self, gateway_dns: str) -> str | None:
        """The URL of the demo page, given the name of the load balancer; None where nothing listens."""
        if not self.is_local:
            return f"http://{gateway_dns}/" if gateway_dns else None
        try:
            return Instance().front_door(gateway_dns)
        except LocalAwsError as error:
            raise _with_next(error) from error

    def keep(self) -> None:
        """Have what was deployed outlive a crash of the embedded AWS, which does not save each change at once."""
        if self.is_local:
            with suppress(LocalAwsError):  # it is dead, which the verification is about to tell
                Instance().save()

    @property
    def option(self) -> str:
        """What a suggested command needs to mean this environment."""
        return "" if self.name == LOCAL else f" --env {self.name}"


def resolve(name: str, say: Callable[[str], None], *, start: bool = True) -> Environment:
    """Check the name; for `local`, start the embedded AWS and point this process at it.

    Raises `UsageError` for an unknown environment, or when the embedded AWS cannot be started; without `start`, when it
    does not run.
    """
    _check_name(name)
    common = environments.read(ROOT, name)
    files = StackFiles(ROOT / "stacks", name, common=common)
    runs = ROOT / ".runs" / name
    if name == LOCAL:
        os.environ.update(_embedded_aws(say) if start else _running_aws())
        region = os.environ["AWS_REGION"]
        return Environment(
            name=name,
            region=region,
            files=files,
            runs=runs,
            poll_seconds=0.05,
            engines=_parts(Instance(), common.secrets_provider),
        )
    region = str(files.read("platform").get("aws:region", ""))
    if not region:
        place = f"{environments.FOLDER}/{name}.yaml"
        message = f"Unknown environment '{name}': there is no {place} with a region (see docs/environments.md)."
        said = "echo 'region: eu-west-1'"
        raise UsageError(message, next_command=f"mkdir -p {environments.FOLDER} && {said} > {place}")
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = region
    if common.backend:
        _log_in(common.backend, common.place)
    return Environment(
        name=name,
        region=region,
        files=files,
        runs=runs,
        poll_seconds=5.0,
        account=common.account,
        engines=Parts(secrets_provider=common.secrets_provider),
    )


def detached(name: str) -> Environment:
    """An environment that is not looked at: its name is checked, and what its files say, secrets aside.

    Nothing is started. Raises `UsageError` for a name that cannot be one.
    """
    _check_name(name)
    files = StackFiles(ROOT / "stacks", name, common=environments.read(ROOT, name), secrets=False)
    region = str(files.read("platform").get("aws:region", REGION))
    return Environment(name=name, region=region, files=files, runs=ROOT / ".runs" / name, poll_seconds=0.05)


@contextmanager
def embedded(state: Path, say: Callable[[str], None]) -> Iterator[Parts]:
    """A fresh embedded AWS with simulated tasks, and this process pointed at it and at nothing else, while it lasts.

    Yields what its engines are given.

    The caller puts the environment's variables back afterwards.
    """
    instance = Instance(state)
    for name in [name for name in os.environ if name.startswith(("AWS_", "PULUMI_CONFIG_PASSPHRASE"))]:
        del os.environ[name]
    os.environ["LOCALAWS_TASKS"] = "simulated"
    say("Starting an embedded AWS (about 3 s) …")
    try:
        instance.start()
        os.environ.update(instance.environment())
        yield _parts(instance)
    except LocalAwsError as error:
        raise _with_next(error) from error
    finally:
        instance.stop()


def _log_in(backend: str, place: str) -> None:
    """Have the engine use a backend, as `pulumi login` would."""
    already = os.environ.setdefault("PULUMI_BACKEND_URL", backend)
    if already != backend:
        message = f"{place} says that the backend is {backend}, but PULUMI_BACKEND_URL is {already}."
        raise UsageError(message, next_command="unset PULUMI_BACKEND_URL")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        message = (
            f"'{name}' is not a valid environment name: lower-case letters, digits and '-', at most 31, a letter first."
        )
        raise UsageError(message, next_command="python automation/status.py --env local")


def _embedded_aws(say: Callable[[str], None]) -> dict[str, str]:
    instance = Instance()
    try:
        if not instance.status().running:
            say("Starting the embedded AWS (about 3 s) …")
        instance.start()
        return instance.environment()
    except LocalAwsError as error:
        raise _with_next(error) from error


def _running_aws() -> dict[str, str]:
    try:
        return Instance().environment()
    except LocalAwsError as error:
        raise _with_next(error) from error


def _parts(instance: Instance, secrets_provider: str | None = None) -> Parts:
    """Engines on the embedded AWS share its plugins, and encrypt with its KMS unless the user has a passphrase.

    Either saves more than half of what an engine has to compute.
    """
    own = any(os.environ.get(name) for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"))

    def plugins() -> str:
        # An embedded AWS that died is told by the engines, which then have plugins of their own.
        with suppress(LocalAwsError):
            return instance.standing_plugins()
        return ""

    return Parts(secrets_provider=secrets_provider or (None if own else SECRETS_PROVIDER), plugins=plugins)


def find_cli(say: Callable[[str], None]) -> Path:
    """The Pulumi CLI, installed if need be. Raises `UsageError` when it cannot be had."""
    try:
        return ensure(say)
    except PulumiCliError as error:
        raise _with_next(error) from error


def _with_next(error: Exception) -> UsageError:
    """Other packages put the next command behind their message."""
    message, _, command = str(error).partition(" Next: ")
    return UsageError(message, next_command=command or None)
