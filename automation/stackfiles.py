"""The stacks' configuration files, `stacks/Pulumi.<environment>-<service>.yaml`.

They are read here directly, which costs no CLI process; the CLI alone writes them. What the environment's own file says
(`automation.environments`) comes before what they say, and is written into them with the next deployment.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from automation.environments import GUARD, NAMESPACE, Common
from automation.errors import UsageError
from services.settings import Settings, SettingsError

__all__ = ["NAMESPACE", "StackFiles"]

# How a stack's secrets are encrypted. Source: workspace.ProjectStack of Pulumi.
_ENCRYPTION = ("secretsprovider", "encryptedkey", "encryptionsalt")


class StackFiles:
    """The configuration files of one environment."""

    def __init__(self, folder: Path, environment: str, *, common: Common | None = None, secrets: bool = True) -> None:
        """`common` is what the environment's file says.

        Without `secrets`, for an AWS of its own, what they hold is read as if each encrypted value were the text
        "[secret]", and for whatever account.
        """
        self.common = common or Common()
        if not secrets:
            self.common = self.common.anywhere()
        self._folder = folder
        self._environment = environment
        self._secrets = secrets

    def path(self, service: str) -> Path:
        """Where the stack's file is, or would be."""
        return self._folder / f"Pulumi.{self._environment}-{service}.yaml"

    def read(self, service: str) -> dict[str, Any]:
        """The configuration that the stack is to have, by full key. Raises `UsageError` when its file is malformed."""
        return {**self._written(service), **self.common.of(service)}

    def settings(self, service: str, changes: Mapping[str, str]) -> Settings:
        """The settings the stack would have with `changes` (full keys). Raises `UsageError` when they are not valid."""
        config = {**self.read(service), **changes}
        plain = {key.removeprefix(f"{NAMESPACE}:"): _plain(value) for key, value in config.items()}
        plain["region"] = plain.pop("aws:region", "")
        try:
            return Settings.parse(plain)
        except SettingsError as error:
            reason, _, command = str(error).partition(" Next: ")
            message = f"{self._shown(service)}: {reason}"
            raise UsageError(message, next_command=f"{command} --stack {self._environment}-{service}") from error

    def write_changed(self, service: str, changes: Mapping[str, str], target: Path) -> Path:
        """A copy of the stack's file with `changes`, for a preview that must not touch the original."""
        document = self._document(service)
        document["config"] = {**(document.get("config") or {}), **self.common.of(service), **changes}
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return target

    def missing(self, service: str, wanted: Mapping[str, str]) -> dict[str, str]:
        """What the file does not hold yet of `wanted`, and of what the environment's file says."""
        written = self._written(service)
        given = {**self.common.of(service), **wanted}
        return {key: value for key, value in given.items() if _plain(written.get(key)) != value}

    def written(self, service: str, keys: Iterable[str]) -> dict[str, str | None]:
        """What the file holds under these (full) keys as the CLI would take it; None where it holds nothing."""
        written = self._written(service)
        return {key: _text(written[key]) if key in written else None for key in keys}

    def fingerprint(self, service: str) -> str:
        """Of all the configuration that the stack is to have."""
        return hashlib.sha256(json.dumps(self.read(service), sort_keys=True, default=str).encode()).hexdigest()[:16]

    def contradicted(self, service: str, changes: Mapping[str, str]) -> None:
        """Raise `UsageError` where the environment's file says something else than `changes` (full keys)."""
        said = self.common.of(service)
        for key, value in changes.items():
            if said.get(key, value) != value:
                name = key.removeprefix(f"{NAMESPACE}:")
                message = f"{name} is to be {value}, but {self.common.place} says {said[key]} for '{service}'."
                raise UsageError(message, next_command=f"change {name} in {self.common.place}, or leave the option out")

    def _written(self, service: str) -> dict[str, Any]:
        config = self._document(service).get("config") or {}
        if not isinstance(config, dict):
            raise self._malformed(service, "'config' must be a mapping of keys to values")
        return config

    def _document(self, service: str) -> dict[str, Any]:
        path = self.path(service)
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            return {}
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise self._malformed(service, str(error).replace("\n", " ")) from error
        if not isinstance(document, dict):
            raise self._malformed(service, "it must be a mapping")
        if self._secrets:
            return document
        if isinstance(document.get("config"), dict):
            document["config"].pop(GUARD, None)
        masked: dict[str, Any] = _masked({key: value for key, value in document.items() if key not in _ENCRYPTION})
        return masked

    def _malformed(self, service: str, why: str) -> UsageError:
        command = f"git checkout -- {self._shown(service)}   (or correct it by hand)"
        return UsageError(f"{self._shown(service)} is malformed: {why}", next_command=command)

    def _shown(self, service: str) -> str:
        return f"{self._folder.name}/{self.path(service).name}"


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return "[secret]" if value.keys() == {"secure"} else {key: _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else _plain(value)


def _plain(value: object) -> str:
    """As Pulumi hands it to a program: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)
