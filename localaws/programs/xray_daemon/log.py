"""The daemon's log, in the original's format: 2026-01-31T12:00:00Z [Info] Using region: us-east-1."""

import logging
import logging.handlers
import sys
import time

log = logging.getLogger("xray")

_LEVELS = {
    "dev": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "prod": logging.INFO,
}
_NAMES = {logging.DEBUG: "Debug", logging.INFO: "Info", logging.WARNING: "Warn", logging.ERROR: "Error"}
_FILE_BYTES = 50 * 1024 * 1024


def open_log(level: str, path: str) -> None:
    """Send the log to a file, or to standard output where there is no path. Unknown levels count as prod.

    Raises:
        OSError: the file can't be written.

    """
    for number, name in _NAMES.items():
        logging.addLevelName(number, name)
    handler = (
        logging.handlers.RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=1)
        if path
        else logging.StreamHandler(sys.stdout)
    )
    formatter = logging.Formatter("%(asctime)s [%(levelname)s] %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.setLevel(_LEVELS.get(level, logging.INFO))
