"""``environments/<name>.yaml``: what the stacks of an environment have in common, in one place.

Nothing of it is new to Pulumi: what it says becomes plain configuration of each stack, so that `pulumi up` by hand does
the same. Only where the state is kept, and by what secrets are encrypted, has no place there.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from automation.errors import UsageError
from services import SERVICES
from services.settings import KEYS, Settings, SettingsError

FOLDER = "environments"
NAMESPACE = "ecs-tracing"
RUN_TRACES = ("xray", "otlp")
GUARD = "aws:allowedAccountIds"  # the provider refuses every other account

_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_BACKEND = re.compile(r"(s3|gs|azblob|file|https?)://.+")
_SECRETS = re.compile(r"(default|passphrase|(awskms|azurekeyvault|gcpkms|hashivault)://.+)")
_NOT_LOCAL = ("account", "region", "backend", "secretsProvider")
# What commands switch is not to be undone by the next deployment.
_SWITCHED = {
    "tracing": "python automation/enable.py   (or disable.py)",
    "bothMeshes": "python automation/migrate.py --help",
}


@dataclass(frozen=True, kw_only=True)
class Common:
    """What the file says; nothing where there is none."""

    place: str = ""  # the file, as a user knows it
    account: str | None = None
    region: str | None = None
    backend: str | None = None  # URL of Pulumi's backend
    secrets_provider: str | None = None  # of stacks that are made
    run_traces: str | None = None  # where runs are sent as traces: one of RUN_TRACES
    config: Mapping[str, str] = field(default_factory=dict)  # of all stacks, by full key; lists and mappings as JSON
    stacks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # likewise of one of them, by service

    def anywhere(self) -> "Common":
        """The same without the guard of the account."""
        return replace(self, config={key: value for key, value in self.config.items() if key != GUARD})

    def of(self, service: str) -> dict[str, str]:
        """The configuration of a service's stack, by full key."""
        return {**self.config, **self.stacks.get(service, {})}


def read(root: Path, environment: str) -> Common:
    """What the file of an environment says; `root` is the project's folder.

    Raises `UsageError` for what is not to be used, naming the value, its place and the next command.
    """
    place = f"{FOLDER}/{environment}.yaml"
    try:
        document = yaml.safe_load((root / place).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Common()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refused(place, "", f"is malformed: {str(error).replace(chr(10), ' ')}") from error
    file = _File(place, document or {})
    if environment == "local":
        for key in _NOT_LOCAL:
            if key in file.document:
                raise _refused(place, key, "is not for 'local': the embedded AWS has its own")
    return file.common()


@dataclass(frozen=True)
class _File:
    """A file that is being read."""

    place: str
    document: Any

    def common(self) -> Common:
        document = self._mapping("", self.document)
        known = ("account", "region", "backend", "secretsProvider", "runTraces", "tags", "config", "stacks")
        for key in document:
            if key not in known:
                raise _refused(self.place, str(key), f"is unknown; the keys are {', '.join(known)}")
        account = self._text("account", _ACCOUNT, 'an account\'s 12 digits in quotes, such as "123456789012"')
        region = self._text("region", _REGION, "a region, such as eu-west-1")
        found = Common(
            place=self.place,
            account=account,
            region=region,
            backend=self._text("backend", _BACKEND, "a URL, such as s3://my-state?region=eu-west-1"),
            run_traces=self._text("runTraces", re.compile("|".join(RUN_TRACES)), " or ".join(RUN_TRACES)),
            secrets_provider=self._text("secretsProvider", _SECRETS, "such as awskms://alias/pulumi?region=eu-west-1"),
            config={**self._native(region, account), **self._config("config", document.get("config"))},
            stacks=self._stacks(document.get("stacks")),
        )
        self._check(found)
        return found

    def _native(self, region: str | None, account: str | None) -> dict[str, str]:
        """What the AWS provider has settings of its own for."""
        native = {"aws:region": region} if region else {}
        if account:
            native[GUARD] = json.dumps([account])
        if tags := self._mapping("tags", self.document.get("tags") or {}):
            for key, value in tags.items():
                if not isinstance(value, str):
                    raise _refused(self.place, f"tags.{key}", f"is {value!r} but must be text: put it in quotes")
            native["aws:defaultTags"] = json.dumps({"tags": tags}, sort_keys=True)
        return native

    def _stacks(self, given: Any) -> dict[str, dict[str, str]]:
        stacks = self._mapping("stacks", given or {})
        for service in stacks:
            if service not in SERVICES:
                raise _refused(self.place, f"stacks.{service}", f"is no service; they are {', '.join(SERVICES)}")
        return {service: self._config(f"stacks.{service}", config) for service, config in stacks.items()}

    def _config(self, where: str, given: Any) -> dict[str, str]:
        config = self._mapping(where, given or {})
        for key, value in config.items():
            if key in _SWITCHED:
                message = "is not for this file: it is switched for each run"
                raise _refused(self.place, f"{where}.{key}", message, _SWITCHED[key])
            if key not in KEYS:
                known = ", ".join(each for each in KEYS if each not in _SWITCHED)
                raise _refused(self.place, f"{where}.{key}", f"is unknown; the keys are {known}")
            if isinstance(value, (dict, list)) or value is None:
                raise _refused(self.place, f"{where}.{key}", f"is {value!r} but must be one value")
        return {f"{NAMESPACE}:{key}": _plain(value) for key, value in config.items()}

    def _check(self, found: Common) -> None:
        """Each value is one that the stacks can use."""
        for service in SERVICES:
            values = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in found.of(service).items()}
            try:
                Settings.parse({**values, "region": found.region or "us-east-1"})
            except SettingsError as error:
                reason = str(error).partition(" Next: ")[0]
                key = f"{NAMESPACE}:{reason.partition(' ')[0]}"
                where = f"stacks.{service}" if key in found.stacks.get(service, {}) else "config"
                raise _refused(self.place, "", f"{where}.{reason}") from error

    def _text(self, key: str, pattern: re.Pattern[str], wanted: str) -> str | None:
        value = self.document.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise _refused(self.place, key, f"is {value!r} but must be {wanted}")
        return value

    def _mapping(self, where: str, given: Any) -> Mapping[str, Any]:
        if not isinstance(given, Mapping):
            raise _refused(self.place, where, "must be a mapping of keys to values")
        return given


def _plain(value: object) -> str:
    """As Pulumi hands it to a program: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refused(place: str, where: str, why: str, command: str = "") -> UsageError:
    named = f"{place}: {where} {why}" if where else f"{place}: {why}"
    return UsageError(f"{named}.", next_command=command or f"correct {place} (docs/environments.md tells its keys)")
