"""Keeps what the embedded AWS knows in one file, so that it outlives the server.

The file is a line that says what it is, with a checksum, and a pickle of all of moto's backends in use. It is replaced
whole or not at all. Only this program reads it, from a folder that its owner alone can write.
"""

import hashlib
import importlib
import io
import logging
import os
import pickle
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import moto
from moto.core.base_backend import AccountSpecificBackend, BackendDict

from localaws import state
from localaws.errors import LocalAwsError
from localaws.instance import command

# Pickled objects of another version of moto need not fit its classes.
_FORMAT = f"localaws 1, moto {moto.__version__}"
# Between two saves, so that a burst of calls is not slowed down; what a crash of the server may lose.
_PAUSE_SECONDS = 0.5
_PAUSE_AFTER_FAILURE_SECONDS = 5
# A large state takes longer to save: no more than this share of the time goes into it.
_LARGEST_SHARE = 0.1

_Backends = dict[str, dict[str, Any]]  # by account and region

_log = logging.getLogger(__name__)


class Store:
    """The state file of one instance."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = threading.Event()
        self._writing = threading.Lock()
        self._taken = self._written = 0  # snapshots, counted

    def load(self) -> None:
        """Bring moto's backends to where they were; nothing to do where there is no file.

        Raises:
            LocalAwsError: the file is damaged or was written by another version.

        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return
        head, _, body = content.partition(b"\n")
        written_by, _, checksum = head.decode("utf-8", "replace").rpartition(" ")
        if checksum != hashlib.sha256(body).hexdigest():
            raise self._unusable("is damaged")
        if written_by != _FORMAT:
            raise self._unusable(f"was written by {written_by}, and this is {_FORMAT}")
        try:
            _put_back(_Unpickler(io.BytesIO(body)).load())
        except Exception as error:
            raise self._unusable(f"does not fit this program ({error})") from error

    def save(self) -> None:
        """Write the file anew.

        Raises:
            OSError: the folder can't be written; the file is as it was.

        """
        with state.lock:
            state.changed.clear()
            body = _snapshot()
            self._taken += 1
            number = self._taken
        with self._writing:
            if number < self._written:  # another thread was faster with a later one
                return
            try:
                checksum = hashlib.sha256(body).hexdigest()
                _replace(self._path, f"{_FORMAT} {checksum}\n".encode() + body)
            except OSError:
                state.changed.set()
                raise
            self._written = number

    def keep_saving(self) -> None:
        """Save soon after each change, until closed. Runs in a thread of its own."""
        while not self._closed.is_set():
            state.changed.wait()
            started = time.monotonic()
            pause = _PAUSE_SECONDS
            try:
                self.save()
            except OSError as error:
                _log.error("The state is not saved: %s", error)
                pause = _PAUSE_AFTER_FAILURE_SECONDS
            self._closed.wait(max(pause, (time.monotonic() - started) / _LARGEST_SHARE))

    def close(self) -> None:
        """Save for the last time; `state.lock` must be held and not be given back.

        Raises:
            OSError: the folder can't be written.

        """
        self._closed.set()
        self.save()  # even where nothing changed: the last change may not be written yet, though it is being saved

    def _unusable(self, reason: str) -> LocalAwsError:
        again = command("reset", self._path.parent)
        message = f"The embedded AWS's state file {self._path} {reason}. To start over from nothing: {again}"
        return LocalAwsError(message)


class _Pickler(pickle.Pickler):
    """Writes moto's dictionaries of backends as names: what refers to them shall refer to the live ones again."""

    def __init__(self, file: io.BytesIO, names: dict[int, tuple[str, str]]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._names = names

    def persistent_id(self, obj: object) -> tuple[str, ...] | None:
        if isinstance(obj, BackendDict):
            return self._names[id(obj)]
        if isinstance(obj, AccountSpecificBackend):
            owner = next(backends for backends in _in_use() if obj in backends.values())
            return (*self._names[id(owner)], obj.account_id)
        return None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        module, name, *account = pid
        backends = _live(module, name)
        return backends[account[0]] if account else backends


def _in_use() -> list[BackendDict[Any]]:
    return BackendDict._instances  # type: ignore[misc]  # noqa: SLF001 - moto's own list of the services called so far


def _live(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _put_back(snapshot: dict[tuple[str, str], _Backends]) -> None:
    for (module, name), accounts in snapshot.items():
        backends = _live(module, name)
        for account, regions in accounts.items():
            for region, backend in regions.items():
                backends[account][region] = backend


def _snapshot() -> bytes:
    """Return all backends in use, pickled; a service that can't be pickled is left out, and the log says so."""
    names = {
        id(value): (module.__name__, name)
        for module in list(sys.modules.values())
        if module.__name__.startswith("moto.") and module.__name__.endswith(".models")
        for name, value in vars(module).items()
        if isinstance(value, BackendDict)
    }
    used: dict[tuple[str, str], _Backends] = {
        names[id(backends)]: {account: dict(regions) for account, regions in backends.items()} for backends in _in_use()
    }
    try:
        return _pickled(used, names)
    except (pickle.PicklingError, TypeError, AttributeError):
        return _pickled({name: value for name, value in used.items() if _can_be_pickled(name, value, names)}, names)


def _can_be_pickled(name: tuple[str, str], backends: _Backends, names: dict[int, tuple[str, str]]) -> bool:
    try:
        _pickled({name: backends}, names)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        _log.warning("%s will be forgotten at the end: %s", name[0], error)
        return False
    return True


def _pickled(snapshot: dict[tuple[str, str], _Backends], names: dict[int, tuple[str, str]]) -> bytes:
    file = io.BytesIO()
    _Pickler(file, names).dump(snapshot)
    return file.getvalue()


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
