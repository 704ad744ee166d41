"""Pulumi's state in a folder (``file://``), read directly: that costs no CLI process. Only the CLI writes it.

Source: the diy backend of Pulumi and apitype.CheckpointV3. What is found in no known form is left to the CLI, which
explains it: another kind of backend, compressed states, stacks from before there were projects.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

# Stands in every encrypted value. Source: sdk/go/common/resource.SigKey of Pulumi.
_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - a mark, no secret


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The stacks of one project in a backend that is a folder."""

    stacks: Path  # a JSON file each
    locks: Path  # a folder for each stack, a file in it for each engine at work

    def resources(self) -> dict[str, int]:
        """Every stack with the number of resources in its state."""
        return {path.stem: len(_latest(path).get("resources") or ()) for path in sorted(self.stacks.glob("*.json"))}

    def deployment(self, stack: str) -> Mapping[str, Any] | None:
        """What the state of a stack holds; None where there is no such stack, or where it holds secrets."""
        path = self.stacks / f"{stack}.json"
        if not path.is_file():
            return None
        text = path.read_text(encoding="utf-8")
        return None if _SECRET in text else _parsed(text)

    def is_locked(self, stack: str) -> bool:
        """Whether an engine works on a stack, or died over it."""
        return any((self.locks / stack).glob("*.json"))


def folder(project: str) -> Folder | None:
    """The backend that the engine is pointed at, if it is a folder that can be read here."""
    url = urlsplit(os.environ.get("PULUMI_BACKEND_URL", ""))
    root = Path(unquote(url.path))
    if url.scheme != "file" or url.netloc or url.query or not root.is_absolute():
        return None
    state = root / ".pulumi"
    stacks = state / "stacks" / project
    known = (state / "meta.yaml").is_file() if state.exists() else root.is_dir()
    if not known or any(stacks.glob("*.gz")):
        return None
    return Folder(stacks=stacks, locks=state / "locks" / "organization" / project)


def _latest(path: Path) -> Mapping[str, Any]:
    return _parsed(path.read_text(encoding="utf-8"))


def _parsed(text: str) -> Mapping[str, Any]:
    latest: Mapping[str, Any] = json.loads(text)["checkpoint"].get("latest") or {}
    return latest
