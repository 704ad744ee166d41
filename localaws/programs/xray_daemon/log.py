"""The daemon's log, in the original's format: 2026-01-31T12:00:00Z [Info] Using region: us-east-1.

Other collectors log in styles of their own.
"""

import logging
import logging.handlers
import sys
import time
from dataclasses import dataclass

log = logging.getLogger("xray")

_LEVELS = {
    "dev": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "prod": logging.INFO,
}
_FILE_BYTES = 50 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Style:
    """How lines look, and the names of the levels from debug to error."""

    line: str = "%(asctime)s [%(levelname)s] %(message)s"
    levels: tuple[str, str, str, str] = ("Debug", "Info", "Warn", "Error")


DAEMON = Style()


def open_log(level: str, path: str, style: Style = DAEMON) -> None:
    """Send the log to a file, or to standard output where there is no path. Unknown levels count as prod.

    Raises:
        OSError: the file can't be written.

    """
    numbers = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
    for number, name in zip(numbers, style.levels, strict=True):
        logging.addLevelName(number, name)
    handler = (
        logging.handlers.RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=1)
        if path
        else logging.StreamHandler(sys.stdout)
    )
    formatter = logging.Formatter(style.line, "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.setLevel(_LEVELS.get(level, logging.INFO))
