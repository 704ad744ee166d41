"""Loopback addresses: the task's own, and the refusal of all that is not one."""

import os
import re
from typing import NamedTuple
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}")
# What means "this task" inside of one, whether to listen on or to call.
_HERE = ("", "0.0.0.0", "127.0.0.1", "localhost")  # noqa: S104 - never listened on as it stands


class NotLoopbackError(ValueError):
    """An address outside of 127.0.0.0/8, or a name, which is looked up nowhere."""


class Endpoint(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return it as in a Host header."""
        return f"{self.host}:{self.port}"


def task_address() -> str:
    """Return the address of the task that this program is part of.

    Raises:
        NotLoopbackError: LOCALAWS_TASK_ADDRESS is no loopback address.

    """
    return checked(os.environ.get("LOCALAWS_TASK_ADDRESS") or "127.0.0.1")


def inside(host: str) -> str:
    """Return the address that a host has for the programs of this task.

    Raises:
        NotLoopbackError: it has none.

    """
    return task_address() if host in _HERE else checked(host)


def checked(host: str) -> str:
    """Return the host as it is.

    Raises:
        NotLoopbackError: it is no loopback address.

    """
    if not _LOOPBACK.fullmatch(host):
        raise NotLoopbackError(f"{host} is not in 127.0.0.0/8, the only network that localaws' tasks have")
    return host


def server_of(url: str) -> Endpoint:
    """Return the server that a URL such as http://127.0.0.1:4566 means on this machine, outside of any task.

    Raises:
        NotLoopbackError: it is not on loopback.
        ValueError: it is no plain HTTP URL.

    """
    parts = urlsplit(url)
    if parts.scheme != "http":
        raise ValueError(f"{url} is no http:// URL")
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    return Endpoint(checked(host), parts.port or 80)
