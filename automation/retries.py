"""Which failures of a deployment pass by themselves, and how long to wait for that."""

import re
from collections.abc import Sequence

MOST_TRIES = 3
PAUSES_LOCAL, PAUSES = (0.2, 1.0), (5.0, 30.0)  # seconds before the second try, and before the third

# What AWS, its SDK, gRPC and the operating system call a failure that passes. Sources: botocore's `_retry.json`,
# aws-sdk-go-v2's `retry.DefaultThrottleErrorCodes`, gRPC's `transport` package,
# Pulumi's `plugin` package.
_PASSES = re.compile(
    r"""Throttl(ing|ed)|TooManyRequests|RequestLimitExceeded|Rate\ exceeded|SlowDown|BandwidthLimitExceeded
    |RequestThrottled|PriorRequestNotComplete|ServiceUnavailable|InternalServerError|InternalFailure|InternalError\b
    |ServerException|RequestTimeout
    |status\ ?code:?\ (429|5\d\d)
    |connection\ (was\ )?(reset|refused|aborted)|broken\ pipe|i/o\ timeout|TLS\ handshake\ timeout
    |did\ not\ begin\ responding\ to\ RPC|transport\ is\ closing|code\ =\ Unavailable|error\ reading\ from\ server
    |the\ engine\ was\ ended\ by\ signal|the\ worker\ .*\ is\ gone""",
    re.VERBOSE | re.IGNORECASE,
)
# What stays wrong, whatever else the same message says.
_STAYS = re.compile(
    r"""Access\ ?Denied|not\ authorized|Unauthorized|UnrecognizedClient|InvalidClientToken|ExpiredToken
    |Validation|InvalidParameter|MalformedPolicy|QuotaExceeded|circuit\ breaker|not\ deployed|prerequisite""",
    re.VERBOSE | re.IGNORECASE,
)
# The engine closes with these; they say nothing of the cause.
_CLOSING = re.compile(r"^(.*: )?(update|refresh|preview) (failed|canceled)$|^resource monitor shut down")


def passes(errors: Sequence[str]) -> bool:
    """Whether trying again may help: all errors of a stack's deployment are throttling or something transient."""
    causes = [error for error in errors if not _CLOSING.search(error)]
    return bool(causes) and all(_PASSES.search(cause) and not _STAYS.search(cause) for cause in causes)


def died(problem: str) -> bool:
    """Whether the engine itself died, which leaves its lock on the stack."""
    return problem.startswith("the engine was ended by signal")
