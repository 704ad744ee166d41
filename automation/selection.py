"""Which services a command is about: by name, by pattern, by tag, and by what was changed since a revision."""

import re
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

from automation.errors import UsageError
from automation.steps import matching
from services import ROOT, SERVICES, ServiceEntry, entries
from services.fleet import parse
from services.fleet_model import FILE, FleetError

# Paths of what all stacks are built from.
_SHARED = re.compile(r"(services|envoymesh)/.+|__main__\.py|Pulumi\.yaml")


def chosen(patterns: Sequence[str], changed_since: str | None, environment: str) -> tuple[str, ...]:
    """The services that the patterns mean (all where there is none), of these the ones that were changed.

    Raises `UsageError` for a pattern that means none, and for a revision that git does not have.
    """
    tags = {name: entry.tags for name, entry in SERVICES.items()}
    wanted = matching(SERVICES, patterns, tags) if patterns else list(SERVICES)
    if changed_since is None:
        return tuple(wanted)
    found = changed(changed_since, environment)
    return tuple(service for service in wanted if service in found)


def changed(revision: str, environment: str, root: Path = ROOT) -> Collection[str]:
    """The services that the working tree defines otherwise than a revision: in the fleet, by code or configuration."""
    commit = _commit(revision, root)
    paths = _paths(commit, root)
    modules = {f"services/{name}.py": name for name, entry in SERVICES.items() if entry.declared is None}
    if f"environments/{environment}.yaml" in paths or any(
        _SHARED.fullmatch(path) and path not in modules for path in paths
    ):
        return set(SERVICES)
    files = {f"stacks/Pulumi.{environment}-{name}.yaml": name for name in SERVICES}
    found = {name for path, name in (modules | files).items() if path in paths}
    if FILE in paths:
        before = _entries(commit, root)
        found |= {name for name, entry in SERVICES.items() if before.get(name) != entry}
    return found


def _entries(commit: str, root: Path) -> dict[str, ServiceEntry]:
    """Those of the fleet at a commit; none where nobody knows what it meant."""
    shown = subprocess.run(["git", "show", f"{commit}:./{FILE}"], cwd=root, capture_output=True, check=False)
    if shown.returncode:
        return entries(None)
    try:
        return entries(parse(shown.stdout.decode()))
    except (FleetError, UnicodeDecodeError):
        return {}


def _paths(commit: str, root: Path) -> set[str]:
    """The files, from the project's root, that differ from a commit; new ones among them."""
    differing = _git(root, "diff", "--name-only", "--relative", "--no-renames", "-z", commit, "--")
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return {path for path in (differing + new).split("\0") if path}


def _commit(revision: str, root: Path) -> str:
    try:
        checked = f"{revision}^{{commit}}"
        return _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", checked).strip()
    except (subprocess.CalledProcessError, OSError) as error:
        message = f"--changed-since: git has no revision '{revision}' here."
        raise UsageError(message, next_command="git fetch origin && git branch --all") from error


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout
