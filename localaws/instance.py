"""Starts, finds and stops the embedded AWS of one state folder.

The state folder holds

    server.json      where the server answers. The server holds a lock on this very file as long as it lives, so that
                     one left by a dead process is known as such, whatever has become of its process id
    aws.state        what AWS knows, kept over a restart
    xray.db          what X-Ray knows, likewise (a database, with two files beside it while it is in use)
    server.log       one line a call
    pulumi-home/     PULUMI_HOME with our plugins (pulumi-home-official/ where the official ones are wanted)
    pulumi-state/    Pulumi's own state of the stacks
"""

import contextlib
import fcntl
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from pathlib import Path

import filelock

from localaws import plugins, variables
from localaws.errors import LocalAwsError

STATE_KEY = "5ec2e75a-0000-4000-8000-ec57ac1ec000"  # of KMS; see localaws.xtras.kms
# What Pulumi is told to encrypt the secrets of stacks on the embedded AWS with. Only SDK 2 heeds AWS_ENDPOINT_URL.
SECRETS_PROVIDER = f"awskms:///{STATE_KEY}?awssdk=v2&region={variables.REGION}"
# Starting takes 1 to 3 s on an idle machine; a large state or a busy machine, several times that.
_START_SECONDS = 90
_STOP_SECONDS = 60
_POLL_SECONDS = 0.02
# The exit code of a server that could not start and said why.
REFUSED = 2
# A database and what SQLite lays beside it.
_XRAY_FILES = ("xray.db", "xray.db-wal", "xray.db-shm")


@dataclass(frozen=True)
class Status:
    """Whether and where an instance runs; all but `running` and `state` are None where it does not."""

    running: bool
    endpoint: str | None
    pid: int | None
    state: Path
    started_at: datetime | None  # UTC


class Instance:
    """The embedded AWS of one state folder: `state`, else $LOCALAWS_STATE, else .localaws in the checkout."""

    def __init__(self, state: Path | None = None) -> None:
        self.state = (state or Path(os.environ.get("LOCALAWS_STATE") or variables.REPOSITORY / ".localaws")).absolute()

    def status(self) -> Status:
        """Return whether it runs, and where. Changes nothing."""
        try:
            with self._record.open(encoding="utf-8") as file:
                if not _is_locked(file.fileno()):
                    return self._stopped
                known = json.load(file)
            return Status(
                running=True,
                endpoint=known["endpoint"],
                pid=known["pid"],
                state=self.state,
                started_at=datetime.fromisoformat(known["started_at"]),
            )
        except (FileNotFoundError, ValueError, KeyError):  # no server, or one that is about to start
            return self._stopped
        except OSError as error:
            raise self._unusable(error) from error

    def start(self, port: int | None = None) -> Status:
        """Start it, unless it runs already, and return where it answers.

        Without a port it takes the one of last time if that is free, else any.

        Raises:
            LocalAwsError: the port is taken, the folder can't be written, the state file is damaged.

        """
        try:
            self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.state / "pulumi-state").mkdir(exist_ok=True)
            with self._alone():
                if not variables.official_plugins():
                    plugins.install(self._pulumi_home)
                status = self._settled()
                if not status.running:
                    self._launch(port)
                    return self._answering()
                if port is not None and status.endpoint != endpoint(port):
                    first = command("stop", self.state)
                    message = f"It already runs at {status.endpoint}. To move it to port {port}, first: {first}"
                    raise LocalAwsError(message)
                return status
        except OSError as error:
            raise self._unusable(error) from error

    def stop(self) -> bool:
        """Stop it, its state saved; return False where none ran.

        Raises:
            LocalAwsError: its state can't be saved (it runs on then), or it does not end.

        """
        try:
            if not self._record.exists():
                return False
            with self._alone():
                self._save()
                return self._end()
        except OSError as error:
            raise self._unusable(error) from error

    def save(self) -> None:
        """Have it write its state down now; nothing to do where none runs.

        Raises:
            LocalAwsError: the state can't be saved.

        """
        try:
            self._save()
        except (OSError, ValueError) as error:
            raise self._silent(error) from error

    def reset(self) -> None:
        """Stop it and forget all that AWS knew, and Pulumi's state with it: it would tell of things that are no more.

        Raises:
            LocalAwsError: the folder can't be written, or the server does not end.

        """
        try:
            if not self.state.exists():
                return
            with self._alone():
                self._end()
                for name in ("aws.state", *_XRAY_FILES):
                    (self.state / name).unlink(missing_ok=True)
                if (self.state / "pulumi-state").exists():
                    shutil.rmtree(self.state / "pulumi-state")
        except OSError as error:
            raise self._unusable(error) from error

    def environment(self) -> dict[str, str]:
        """Return the variables that `pulumi`, `aws` and boto3 need on top of the caller's.

        Raises:
            LocalAwsError: it does not run.

        """
        status = self.status()
        if status.endpoint is None:
            message = f"The embedded AWS of {self.state} does not run. To start it: {command('start', self.state)}"
            raise LocalAwsError(message)
        return variables.of_clients(status.endpoint, self._pulumi_home, self.state / "pulumi-state")

    def standing_plugins(self) -> str:
        """Return what PULUMI_DEBUG_PROVIDERS must be for engines to share plugins.

        "" where the official ones are wanted. The plugins are started if need be, and end with the embedded AWS.

        Raises:
            LocalAwsError: it does not run, or does not answer.

        """
        if variables.official_plugins():
            return ""
        try:
            ports = json.loads(self._request("POST", "plugins"))["plugins"]
        except (OSError, ValueError) as error:
            raise self._silent(error) from error
        return ",".join(f"{name}:{port}" for name, port in ports.items())

    def front_door(self, dns_name: str) -> str | None:
        """Return the URL at which the load balancer of this name really listens; None where it does not.

        Raises:
            LocalAwsError: it does not run, or does not answer.

        """
        if not self.status().running:
            return None
        try:
            doors = json.loads(self._request("GET", "doors"))["doors"]
        except (OSError, ValueError) as error:
            raise self._silent(error) from error
        ports = [door["local_port"] for door in doors if door["dns_name"] == dns_name]
        return f"{endpoint(ports[0])}/" if ports else None

    @property
    def _record(self) -> Path:
        return self.state / "server.json"

    @property
    def _pulumi_home(self) -> Path:
        return self.state / ("pulumi-home-official" if variables.official_plugins() else "pulumi-home")

    @property
    def _stopped(self) -> Status:
        return Status(running=False, endpoint=None, pid=None, state=self.state, started_at=None)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time start, stop or reset it."""
        lock = filelock.FileLock(self.state / "start.lock")
        try:
            with lock.acquire(timeout=_START_SECONDS):
                yield
        except filelock.Timeout as error:
            message = f"Another process has been starting or stopping the embedded AWS for {_START_SECONDS} s."
            raise LocalAwsError(f"{message} To see how it is: {command('status', self.state)}") from error

    def _launch(self, port: int | None) -> None:
        line = [sys.executable, "-P", "-m", "localaws.server", str(self.state), *([str(port)] if port else [])]
        log = self.state / "server.log"
        try:
            # The launcher ends as soon as the server, its child, is ready or has failed.
            launcher = subprocess.run(
                line,
                env=variables.of_server(),
                cwd=self.state,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                timeout=_START_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            again = command("start", self.state)
            message = f"The embedded AWS was not ready after {_START_SECONDS} s; see {log}, then try again: {again}"
            raise LocalAwsError(message) from error
        if launcher.returncode == REFUSED:
            raise LocalAwsError(launcher.stderr.strip())
        if launcher.returncode != 0:
            with log.open("a", encoding="utf-8") as file:
                file.write(launcher.stderr)
            reason = (launcher.stderr.strip().splitlines() or [f"exit code {launcher.returncode}"])[-1]
            message = f"The embedded AWS did not start: {reason} (all of it in {log})"
            raise LocalAwsError(message)

    def _settled(self) -> Status:
        """The status, once what runs answers; one that was killed holds its record until it is quite gone."""
        deadline = time.monotonic() + _STOP_SECONDS
        while (status := self.status()).running:
            try:
                self._request("GET", "health")
            except (OSError, ValueError, HTTPException) as error:
                if time.monotonic() > deadline:
                    raise self._silent(error) from error
                time.sleep(_POLL_SECONDS)
            else:
                break
        return status

    def _answering(self) -> Status:
        """Return where the server just launched answers, once it does."""
        status = self.status()
        try:
            self._request("GET", "health")  # it listens already, so this waits until it serves
        except (OSError, ValueError) as error:
            message = f"The embedded AWS ended as soon as it had started; see {self.state / 'server.log'}"
            raise LocalAwsError(message) from error
        return status

    def _save(self) -> None:
        """Have a running server save its state, which a stop must not lose."""
        if not self.status().running:
            return
        try:
            self._request("POST", "save")
        except urllib.error.HTTPError as error:
            with error:
                reason = json.load(error)["error"]
            message = (
                f"The embedded AWS still runs, since its state can't be saved in {self.state}: {reason}. "
                f"Make room, then again: {command('stop', self.state)}"
            )
            raise LocalAwsError(message) from error

    def _request(self, method: str, action: str) -> bytes:
        """Send a control request and return its answer; no proxy, for the address is this machine's."""
        request = urllib.request.Request(f"{self.status().endpoint}/_localaws/{action}", method=method)  # noqa: S310 - http
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=_START_SECONDS) as answer:
            content: bytes = answer.read()
        return content

    def _end(self) -> bool:
        pid = self.status().pid
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while self.status().running:
            if time.monotonic() > deadline:
                message = f"The embedded AWS (process {pid}) did not end within {_STOP_SECONDS} s."
                raise LocalAwsError(f"{message} To end it by force: kill -9 {pid}")
            time.sleep(_POLL_SECONDS)
        return True

    def _silent(self, error: Exception) -> LocalAwsError:
        return LocalAwsError(f"The embedded AWS does not answer ({error}); see {self.state / 'server.log'}")

    def _unusable(self, error: OSError) -> LocalAwsError:
        message = (
            f"The state folder {self.state} can't be used: {error.strerror or error}. "
            "Make room or mend its permissions, or name another one: export LOCALAWS_STATE=FOLDER"
        )
        return LocalAwsError(message)


def command(verb: str, state: Path) -> str:
    """Return the command line that does this to the instance of a state folder."""
    where = "" if Instance().state == state else f" --state {shlex.quote(str(state))}"
    return f"python -m localaws {verb}{where}"


def endpoint(port: int) -> str:
    """Return the address of a server on this port."""
    return f"http://127.0.0.1:{port}"


def _is_locked(file: int) -> bool:
    """Return whether a living server holds this file."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False  # closing the file gives the lock back
