"""Rules for single values, as AWS applies them: each takes its bounds and gives a check (see `fields.Check`)."""

import ipaddress
import json
import re

from localaws.plugins.aws.fields import Check


def length(shortest: int, longest: int) -> Check:
    """A text of so many characters."""

    def check(value: str) -> str | None:
        if shortest <= len(value) <= longest:
            return None
        return f"must have {shortest} to {longest} characters, {value!r} has {len(value)}"

    return check


def pattern(expression: str, meaning: str) -> Check:
    """A text that matches as a whole; `meaning` finishes the sentence "must …"."""
    compiled = re.compile(expression)

    def check(value: str) -> str | None:
        return None if compiled.fullmatch(value) else f"must {meaning}, not {value!r}"

    return check


def between(lowest: float, highest: float) -> Check:
    """A number in a range, both ends included."""

    def check(value: float) -> str | None:
        return None if lowest <= value <= highest else f"must be between {lowest} and {highest}, not {value}"

    return check


def one_of(*allowed: int) -> Check:
    """One of the numbers AWS knows."""

    def check(value: int) -> str | None:
        return None if value in allowed else f"must be one of {', '.join(map(str, allowed))}, not {value}"

    return check


def cidr(smallest: int = 0, largest: int = 32) -> Check:
    """An IPv4 block, host bits zero, with a prefix length in the range (smallest ≤ length ≤ largest)."""

    def check(value: str) -> str | None:
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError as error:
            return f"must be an IPv4 block such as 10.0.0.0/24, not {value!r} ({error})"
        if not smallest <= network.prefixlen <= largest:
            return f"must have a prefix length between /{smallest} and /{largest}, not {value!r}"
        return None

    return check


def is_json(value: str) -> str | None:
    """A JSON object or list."""
    try:
        document = json.loads(value)
    except json.JSONDecodeError as error:
        return f"must be JSON ({error})"
    return None if isinstance(document, (dict, list)) else f"must be a JSON object or list, not {value!r}"


def is_arn(value: str) -> str | None:
    """An Amazon resource name."""
    return None if re.fullmatch(r"arn:[\w-]*:[\w-]+:[\w-]*:[\w-]*:.+", value) else f"must be an ARN, not {value!r}"


PORT = between(0, 65535)
