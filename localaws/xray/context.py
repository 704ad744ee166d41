"""What each call of X-Ray works with."""

import time
from dataclasses import dataclass, field
from typing import Any

from localaws.xray.errors import XRayError, invalid
from localaws.xray.place import Place
from localaws.xray.store import Store

Given = dict[str, Any]  # parameters of a call, or its answer, by their names in the API; timestamps in seconds

_HOUR = 3600


@dataclass(frozen=True)
class Context:
    """Where and when a call is made. `now` in seconds since the epoch."""

    store: Store
    place: Place
    now: float = field(default_factory=time.time)

    @property
    def scope(self) -> str:
        """What keeps the data of the call's account and region apart in the store."""
        return self.place.scope


def times(given: Given, most_hours: int) -> tuple[float, float]:
    """Return StartTime and EndTime of a call, in seconds since the epoch.

    Raises:
        XRayError: they are no range, or one too long.

    """
    start: float
    end: float
    start, end = given["StartTime"], given["EndTime"]
    if start >= end:
        raise invalid("StartTime must be before EndTime")
    if end - start > most_hours * _HOUR:
        raise invalid(f"Time range cannot be longer than {most_hours} hours")
    return start, end


def one_page(given: Given) -> None:
    """Refuse a page token: what the call answers always fits one page, so it gives none.

    Raises:
        XRayError: there is a token.

    """
    if given.get("NextToken"):
        raise unknown_token()


def unknown_token() -> XRayError:
    """Return the error for a page token that the call didn't give."""
    return invalid("The NextToken is not one that this call gave.")
