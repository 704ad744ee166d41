"""The daemon's command line and its configuration file, version 1 or 2, which gives the flags their defaults.

Flags are read as Go does: one dash or two, `-n us-east-1` or `-n=us-east-1`, and nothing after the first other word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BAD_USAGE = 2
VERSION = "3.6.6 (localaws)"

# Flag → its letter and what it does.
_FLAGS = {
    "resource-arn": ("a", "ARN of the AWS resource that the daemon runs on."),
    "local-mode": ("o", "Take the region from AWS_DEFAULT_REGION too."),
    "buffer-memory": ("m", "Memory for buffers in MB, at least 3; 0 means 1% of this machine's."),
    "region": ("n", "Send segments to X-Ray in this region."),
    "bind": ("b", "UDP address to listen on (127.0.0.1:2000)."),
    "bind-tcp": ("t", "TCP address to listen on (127.0.0.1:2000)."),
    "role-arn": ("r", "IAM role to assume for sending segments."),
    "config": ("c", "Configuration file to load."),
    "log-file": ("f", "File to write the log to."),
    "log-level": ("l", "Log level, from most verbose to least: dev, debug, info, warn, error, prod (default)."),
    "proxy-address": ("p", "Proxy through which to send segments."),
    "version": ("v", "Show the version."),
}
_BY_LETTER = {letter: name for name, (letter, _) in _FLAGS.items()}
_SWITCHES = ("local-mode", "version")
_NUMBERS = ("buffer-memory", "concurrency")

# Key of the configuration file → the flag that it gives a default, or a setting that has no flag.
_KEYS = {
    "TotalBufferSizeMB": "buffer-memory",
    "Concurrency": "concurrency",
    "Endpoint": "endpoint",
    "Region": "region",
    "Socket.UDPAddress": "bind",
    "Socket.TCPAddress": "bind-tcp",
    "Logging.LogRotation": "log-rotation",
    "Logging.LogLevel": "log-level",
    "Logging.LogPath": "log-file",
    "LocalMode": "local-mode",
    "ResourceARN": "resource-arn",
    "RoleARN": "role-arn",
    "NoVerifySSL": "no-verify-ssl",
    "ProxyAddress": "proxy-address",
    "Version": "config-version",
}
_CONFIG_VERSIONS = (1, 2)
_SEE = "Please refer to AWS X-Ray Documentation for more information."


@dataclass
class End(Exception):  # noqa: N818 - not always an error: the version was asked for
    """The program is to end with this exit code and these words."""

    code: int
    message: str


def usage() -> str:
    """Return what each flag does."""
    lines = [f"\t-{letter}\t--{name}\t{what}" for name, (letter, what) in _FLAGS.items()]
    return "\n".join(["Usage: X-Ray [options]", *lines, "\t-h\t--help\tShow this screen"])


def read(arguments: Sequence[str]) -> dict[str, str]:
    """Return what command line and configuration file say, by the names of flags. What is not said is not there.

    Raises:
        End: a flag is wrong, or asks for help; the file can't be read or has unknown keys.

    """
    given = _parse(arguments)
    if given.get("config"):
        given = _load(given["config"]) | given
    if given.get("version") == "true":
        raise End(0, f"AWS X-Ray daemon version: {VERSION}")
    return given


def _parse(arguments: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    words = list(arguments)
    while words and len(words[0]) > 1 and words[0].startswith("-") and words[0] != "--":
        word = words.pop(0)
        written, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
        name = _BY_LETTER.get(written, written)
        if name in ("h", "help"):
            raise End(0, usage())
        if name not in _FLAGS:
            raise End(BAD_USAGE, f"flag provided but not defined: -{written}\n{usage()}")
        if name in _SWITCHES:
            value = value or "true"
        elif not equals:
            if not words:
                raise End(BAD_USAGE, f"flag needs an argument: -{written}\n{usage()}")
            value = words.pop(0)
        if name == "buffer-memory" and not value.lstrip("-").isdecimal():
            raise End(BAD_USAGE, f'invalid value "{value}" for flag -{written}: parse error\n{usage()}')
        given[name] = value
    return given


def _load(path: str) -> dict[str, str]:
    import yaml  # noqa: PLC0415 - nearly no daemon has a file

    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise End(1, f"Error occur when using config flag: {error}") from error
    settings = _flat(document) if isinstance(document, dict) else {}
    if "Version" not in settings:
        raise End(1, f"Config Version is missing. {_SEE}")
    for key in settings:
        if key not in _KEYS:
            raise End(1, f"{key} flag is invalid. {_SEE}")
    if settings["Version"] not in _CONFIG_VERSIONS:
        raise End(1, f"Config Version Setting is not correct. {_SEE}")
    found = {_KEYS[key]: _written(value) for key, value in settings.items() if value not in (None, "", 0)}
    for name in _NUMBERS:
        if not found.get(name, "1").isdecimal():
            raise End(1, f"Error occur when using config flag: {found[name]} is no number")
    return found


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of the file, those of a group as Group.Key."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        flat |= {f"{key}.{inner}": item for inner, item in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
