"""Which Pulumi CLI to use, and how to get one: PATH, per-user cache, Pulumi's installer, Go modules, in that order."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from pulumicli import cache, gobuild, language_files, official
from pulumicli.errors import PulumiCliError
from pulumicli.versions import MINIMUM_VERSION, Version, accepted, built_version, version_of

Progress = Callable[[str], None]


class OnPath(NamedTuple):
    """The `pulumi` on PATH and why it can't be used ("" if it can)."""

    executable: Path
    problem: str


def locate() -> Path | None:
    """Return the CLI to use, None if there is none yet. Installs nothing, asks no network, says nothing."""
    found = _on_path()
    return found.executable if found and not found.problem else _cached()


def ensure(progress: Progress) -> Path:
    """Return the CLI to use, installing or building it first if need be. Safe to run several times at once.

    Args:
        progress: is called with one line before each step that takes long.

    Raises:
        PulumiCliError: what is missing and the command that installs it.

    """
    found = _on_path()
    if found and not found.problem:
        return found.executable
    if found:
        progress(f"{found.executable} on PATH {found.problem}; using a copy of our own instead.")
    try:
        cache.root().mkdir(parents=True, exist_ok=True)
        return _cached(refresh=True) or _install_alone(progress)
    except OSError as error:
        message = (
            f"The Pulumi CLI can't be kept in {cache.root()}: {error.strerror or error}.\n"
            "Make room or name another folder: export XDG_CACHE_HOME=/path/to/folder"
        )
        raise PulumiCliError(message) from error


def _on_path() -> OnPath | None:
    command = shutil.which("pulumi")
    if command is None:
        return None
    executable = Path(command)
    if executable.resolve().is_relative_to(cache.root().resolve()):
        return None  # our own copy, put on PATH by hand: it is looked after as the cached copy it is
    version = version_of(executable)
    if version is None:
        return OnPath(executable, "does not run")
    if not accepted(version):
        age = "older" if version < MINIMUM_VERSION else "newer"
        return OnPath(
            executable, f"is version {version}, {age} than this project can use ({MINIMUM_VERSION} or later 3.x)"
        )
    if not language_files.found_by(executable):
        return OnPath(executable, f"has no {language_files.HOST} beside it")
    return OnPath(executable, "")


def _cached(*, refresh: bool = False) -> Path | None:
    """Return the newest whole copy in the cache; `refresh` brings its language host up to this checkout's."""
    for copy in cache.copies():
        origin = cache.origin(copy)
        if origin:
            executable = cache.executable(copy)
            if refresh and origin == "go":
                language_files.lay_beside(executable)
            return executable
    return None


def _install_alone(progress: Progress) -> Path:
    """Install while holding the lock; who comes second waits and then uses what the first has made."""
    lock = FileLock(cache.root() / "pulumi.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        progress("Another set-up is installing the Pulumi CLI; waiting for it (up to 5 min) …")
        lock.acquire()
    try:
        cache.remove_leftovers()
        return _cached(refresh=True) or _install(progress)
    finally:
        lock.release()


def _install(progress: Progress) -> Path:
    for copy in cache.copies():  # none of them is whole, or we were not here
        progress(f"{copy} is damaged or half-made; it is made anew.")
        cache.remove(copy)
    no_download = _download(progress)
    if not no_download:
        return cache.executable(cache.folder(official.version()))
    progress(f"Pulumi's download site can't be used ({no_download}); trying to build the CLI from Go modules.")
    version = built_version()
    try:
        with cache.installation(version, "go") as folder:
            gobuild.build(folder, progress)
            _check(folder, version)
            language_files.lay_beside(cache.executable(folder))
    except PulumiCliError as error:
        message = (
            f"There is no Pulumi CLI {MINIMUM_VERSION} or newer, and none can be made:\n"
            f"  download   {official.SITE}: {no_download}\n"
            f"  build      {error}\n"
            f"Either let this machine reach {official.SITE}, or install Go: {gobuild.install_command()}\n"
            "Then run the same command again."
        )
        raise PulumiCliError(message) from error
    return cache.executable(cache.folder(version))


def _download(progress: Progress) -> str:
    """Install with Pulumi's installer; return why that was not possible, "" if it was."""
    reason = official.unreachable()
    if reason:
        return reason
    version = official.version()
    progress(f"Pulumi CLI {version}: downloading it with Pulumi's own installer (about 2 min) …")
    try:
        with cache.installation(version, "installer") as folder:
            official.install(folder)
            _check(folder, version)
    except PulumiCliError as error:
        return str(error)
    return ""


def _check(folder: Path, version: Version) -> None:
    """Refuse a fresh installation that doesn't run."""
    if version_of(cache.executable(folder)) != version:
        message = f"what it made does not run as `pulumi version` {version}"
        raise PulumiCliError(message)
