"""Failures on demand: AWS answering 4xx or 5xx, late, or not at all, for the calls that a test names.

A fault is a JSON object; all keys but `service` and `operation` may be left out:

    service    botocore's name of a service ("ecs"), or "*"
    operation  botocore's name of an operation ("UpdateService"), or "*"
    status     HTTP status of the error (default 500)
    code       AWS error code (default "InternalFailure")
    skip       let this many matching calls pass first (default 0)
    times      then fail this many, null for ever (default null)
    rate       of those, fail this share, 0 to 1 (default 1)
    hang       answer only after this many seconds (default 0); with neither status nor code, then as usual
"""

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localaws.calls import Call

_NUMBERS = (int, float)
_FIELDS: Mapping[str, tuple[type, ...]] = {
    "service": (str,),
    "operation": (str,),
    "status": (int,),
    "code": (str,),
    "skip": (int,),
    "times": (int, type(None)),
    "rate": _NUMBERS,
    "hang": _NUMBERS,
}


@dataclass
class Fault:
    """One rule: which calls fail, and how; see the module for its fields. `skip` and `times` count down."""

    service: str
    operation: str
    status: int | None = None
    code: str | None = None
    skip: int = 0
    times: int | None = None
    rate: float = 1
    hang: float = 0  # seconds

    @classmethod
    def parse(cls, given: object) -> "Fault":
        """Return the fault that a JSON object describes.

        Raises:
            ValueError: it is no such object; the message says why.

        """
        if not isinstance(given, dict):
            message = f"A fault is an object, not {given!r}."
            raise ValueError(message)  # noqa: TRY004 - one kind of error for all that the client may get wrong
        for name in ("service", "operation"):
            if name not in given:
                message = f"The fault {given!r} names no {name}."
                raise ValueError(message)
        for name, value in given.items():
            if name not in _FIELDS:
                message = f"{name!r} is no field of a fault; there are {', '.join(_FIELDS)}."
                raise ValueError(message)
            if (
                not isinstance(value, _FIELDS[name])
                or isinstance(value, bool)
                or (isinstance(value, _NUMBERS) and value < 0)
            ):
                message = f"The fault's {name} can't be {value!r}."
                raise ValueError(message)
        return cls(**given)

    def strikes(self, call: Call) -> bool:
        """Return whether this call is one that fails, and count it."""
        if self.service not in ("*", call.service) or self.operation not in ("*", call.operation):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times == 0 or random.random() >= self.rate:  # noqa: S311 - chance, not secrecy
            return False
        if self.times is not None:
            self.times -= 1
        return True

    @property
    def refuses(self) -> bool:
        """Whether the call ends in an error, rather than just late."""
        return self.hang == 0 or self.status is not None or self.code is not None


class Faults:
    """The faults in force. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._replaced = threading.Event()

    def replace(self, given: Sequence[Any]) -> None:
        """Put these faults in force instead of the current ones; calls that hang go on.

        Raises:
            ValueError: one of them is no fault; the current ones stay.

        """
        faults = [Fault.parse(fault) for fault in given]
        with self._lock:
            self._faults = faults
            self._replaced.set()
            self._replaced = threading.Event()

    def strike(self, call: Call) -> Fault | None:
        """Wait as long as the first fault of this call hangs, and return it; None where the call shall pass."""
        with self._lock:
            fault = next((fault for fault in self._faults if fault.strikes(call)), None)
            replaced = self._replaced
        if fault is None:
            return None
        if fault.hang:
            replaced.wait(fault.hang)
        return fault if fault.refuses else None
