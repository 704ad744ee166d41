"""The per-user cache of Pulumi CLIs: one folder a version, outside every checkout, shared by all of them.

    <cache>/ecs-tracing/
        pulumi-3.200.0/bin/pulumi       the CLI, its language host beside it
        pulumi-3.200.0/complete.json    written last: size of the CLI in bytes and where it came from
        pulumi.lock                     held by whoever installs
        .partial-…/                     an installation under way, or what a killed one left

An installation is made in a `.partial-` folder and then renamed, so a folder of the final name is whole or damaged,
never half-made. Damage (a truncated file, one that doesn't run) is noticed by comparing the size and running `pulumi
version`.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pulumicli.versions import Version, accepted, version_of

Origin = Literal["installer", "go"]
COMPLETE = "complete.json"
PARTIAL = ".partial-"


def root() -> Path:
    """Return the folder that holds every cached CLI: $XDG_CACHE_HOME, else ~/.cache, then `ecs-tracing`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification says that a relative path is to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "ecs-tracing"


def folder(version: Version) -> Path:
    """Return where a CLI of this version lives, there or not."""
    return root() / f"pulumi-{version}"


def executable(copy: Path) -> Path:
    """Return the `pulumi` executable of a cached copy."""
    return copy / "bin" / "pulumi"


def copies() -> list[Path]:
    """Return the folders of all cached CLIs of accepted versions, newest first; whole or damaged."""
    found = [(version, copy) for copy in root().glob("pulumi-*/") if (version := Version.find(copy.name))]
    return [copy for version, copy in sorted(found, reverse=True) if accepted(version)]


def origin(copy: Path) -> Origin | None:
    """Return where a copy came from; None if it is damaged."""
    try:
        record = json.loads((copy / COMPLETE).read_text(encoding="utf-8"))
        whole = executable(copy).stat().st_size == record["size"]
        source: Origin = record["origin"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not whole or version_of(executable(copy)) != Version.find(copy.name):
        return None
    return source


def remove(copy: Path) -> None:
    """Take a copy away; it is out of sight at once even if deleting its files takes a while or is interrupted."""
    grave = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=root()))
    copy.replace(grave / copy.name)
    shutil.rmtree(grave, ignore_errors=True)


def remove_leftovers() -> None:
    """Delete what killed installations left. Call with the lock held: then nobody else's installation is under way."""
    for leftover in root().glob(f"{PARTIAL}*"):
        shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def installation(version: Version, source: Origin) -> Iterator[Path]:
    """Yield an empty folder to install into; it becomes the cached copy of that version, or vanishes on failure."""
    partial = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=root()))
    try:
        yield partial
        record = {"size": executable(partial).stat().st_size, "origin": source}
        (partial / COMPLETE).write_text(json.dumps(record), encoding="utf-8")
        partial.chmod(0o755)  # mkdtemp made it private
        partial.rename(folder(version))
    finally:
        shutil.rmtree(partial, ignore_errors=True)
