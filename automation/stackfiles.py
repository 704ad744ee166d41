"""The stacks' configuration files, `stacks/Pulumi.<environment>-<service>.yaml`.

They are read here directly, which costs no CLI process; the CLI alone writes them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from automation.errors import UsageError
from services.settings import Settings, SettingsError

NAMESPACE = "ecs-tracing"

# How a stack's secrets are encrypted. Source: workspace.ProjectStack of Pulumi.
_ENCRYPTION = ("secretsprovider", "encryptedkey", "encryptionsalt")


class StackFiles:
    """The configuration files of one environment."""

    def __init__(self, folder: Path, environment: str, *, secrets: bool = True) -> None:
        """Without `secrets`, what they hold is read as if each encrypted value were the text "[secret]"."""
        self._folder = folder
        self._environment = environment
        self._secrets = secrets

    def path(self, service: str) -> Path:
        """Where the stack's file is, or would be."""
        return self._folder / f"Pulumi.{self._environment}-{service}.yaml"

    def read(self, service: str) -> dict[str, Any]:
        """The stack's configuration by full key; empty when there is no file. Raises `UsageError` when malformed."""
        config = self._document(service).get("config") or {}
        if not isinstance(config, dict):
            raise self._malformed(service, "'config' must be a mapping of keys to values")
        return config

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
        document["config"] = {**(document.get("config") or {}), **changes}
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return target

    def missing(self, service: str, wanted: Mapping[str, str]) -> dict[str, str]:
        """Those of `wanted` that the file does not hold yet."""
        config = self.read(service)
        return {key: value for key, value in wanted.items() if _plain(config.get(key)) != value}

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
        return document if self._secrets else _masked({k: v for k, v in document.items() if k not in _ENCRYPTION})

    def _malformed(self, service: str, why: str) -> UsageError:
        command = f"git checkout -- {self._shown(service)}   (or correct it by hand)"
        return UsageError(f"{self._shown(service)} is malformed: {why}", next_command=command)

    def _shown(self, service: str) -> str:
        return f"{self._folder.name}/{self.path(service).name}"


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return "[secret]" if value.keys() == {"secure"} else {key: _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value


def _plain(value: object) -> str:
    """As Pulumi hands it to a program: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)
