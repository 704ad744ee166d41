"""Calls to X-Ray: patience with what passes, one clear error for what does not, and many of them side by side."""

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import boto3
from botocore import exceptions as botocore
from botocore import xform_name
from botocore.config import Config
from botocore.parsers import ResponseParserError

from traces.errors import RequestError, ReviewError

_T = TypeVar("_T")

WORKERS = 8  # calls at once
# On top of botocore's own tries, which give up within seconds: X-Ray throttles by the account, for minutes at times.
WAITS_SECONDS = (2.0, 4.0, 8.0, 16.0, 30.0)
POLICY = "AWSXrayReadOnlyAccess"

_THROTTLED = {"ThrottledException", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
_DENIED = {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}
_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_CREDENTIAL_ERRORS = (
    botocore.NoCredentialsError,
    botocore.PartialCredentialsError,
    botocore.CredentialRetrievalError,
    botocore.ProfileNotFound,
    botocore.SSOError,
    botocore.TokenRetrievalError,
)
_SERVER_ERROR = 500


class UnreadableError(ReviewError):
    """None of the calls that ask the same can succeed: no credentials, no permission, nobody there."""


class RefusedError(RequestError):
    """X-Ray calls the request invalid (InvalidRequestException); `reason` is its own message."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"X-Ray refuses {operation}: {reason}")
        self.reason = reason


def connect(region: str) -> Any:
    """Return an X-Ray client with the ordinary credential chain. Raises `UnreadableError`."""
    config = Config(
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=WORKERS,
    )
    try:
        return boto3.client("xray", region_name=region, config=config)
    except botocore.BotoCoreError as error:
        raise _translated(error, "GetServiceGraph") from error


class Caller:
    """Makes single calls; what is throttled or breaks at the server is tried again after each of the `waits`."""

    def __init__(self, client: Any, waits: Sequence[float] = WAITS_SECONDS) -> None:
        self._client = client
        self._waits = waits

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call such as ``call("BatchGetTraces", TraceIds=[…])``. Raises `ReviewError`."""
        method = getattr(self._client, xform_name(operation))
        for wait in (*self._waits, None):
            try:
                return _understood(method(**parameters))
            except (botocore.BotoCoreError, botocore.ClientError, ResponseParserError) as error:
                if wait is None or not _may_pass(error):
                    raise _translated(error, operation) from error
                time.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - so that workers do not come back together
        raise AssertionError  # the last round returns or raises


def side_by_side(
    jobs: Sequence[Callable[[], _T]], done: Callable[[int], None], workers: int = WORKERS
) -> list[_T | ReviewError]:
    """Run the jobs, at most `workers` at once; return what each returned, or the `ReviewError` that it ended in.

    `done` is told after each how many have ended. Any other error, and `UnreadableError`, ends all. The threads are
    daemons: Ctrl-C need not wait for calls in flight.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(jobs)):
        waiting.put(number)
    ended: queue.SimpleQueue[tuple[int, _T | BaseException]] = queue.SimpleQueue()
    stopped = threading.Event()

    def work() -> None:
        while not stopped.is_set():
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                ended.put((number, jobs[number]()))
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                ended.put((number, error))

    for _ in range(min(workers, len(jobs))):
        threading.Thread(target=work, daemon=True).start()
    outcomes: dict[int, _T | ReviewError] = {}
    try:
        while len(outcomes) < len(jobs):
            number, outcome = ended.get()
            if isinstance(outcome, BaseException) and (
                not isinstance(outcome, ReviewError) or isinstance(outcome, UnreadableError)
            ):
                raise outcome
            outcomes[number] = outcome
            done(len(outcomes))
    finally:
        stopped.set()
    return [outcomes[number] for number in range(len(jobs))]


def _understood(answer: dict[str, Any]) -> dict[str, Any]:
    """Of a body that is no JSON, such as a proxy's page, botocore makes an answer with nothing in it."""
    if answer.keys() <= {"ResponseMetadata"}:
        raise ResponseParserError("it has none of the members of an answer")
    return answer


def _may_pass(error: Exception) -> bool:
    """Connections and time-outs have had botocore's tries; for them more patience than that is only a wait."""
    if isinstance(error, botocore.ClientError):
        return _code(error) in _THROTTLED or _status(error) >= _SERVER_ERROR
    return isinstance(error, ResponseParserError)


def _code(error: botocore.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: botocore.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _translated(error: Exception, operation: str) -> ReviewError:
    if isinstance(error, botocore.ClientError):
        return _answered(error, operation)
    if isinstance(error, _CREDENTIAL_ERRORS):
        message = f"No AWS credentials that work: {error}."
        return UnreadableError(message, next_command="aws sts get-caller-identity")
    if isinstance(error, (botocore.ConnectTimeoutError, botocore.EndpointConnectionError, botocore.SSLError)):
        return UnreadableError(f"X-Ray cannot be reached: {error}")
    if isinstance(error, ResponseParserError):
        return ReviewError(f"X-Ray's answer to {operation} cannot be understood: {str(error).splitlines()[0]}")
    return ReviewError(f"X-Ray does not answer {operation}: {error}")


def _answered(error: botocore.ClientError, operation: str) -> ReviewError:
    code, reason = _code(error), error.response.get("Error", {}).get("Message", "")
    if code in _DENIED:
        message = (
            f"AWS does not allow xray:{operation} with these credentials ({reason}). "
            f"The managed policy {POLICY} allows all that a review reads."
        )
        return UnreadableError(message, next_command="aws sts get-caller-identity")
    if code in _CREDENTIALS:
        message = f"AWS does not accept the credentials: {code}, {reason}."
        return UnreadableError(message, next_command="aws sts get-caller-identity")
    if code in _THROTTLED:
        return ReviewError(f"X-Ray throttles {operation} and did not stop for a minute. Ask for less, or later.")
    if code == "InvalidRequestException":
        return RefusedError(operation, reason)
    return ReviewError(f"X-Ray fails at {operation}: {_status(error)} {code}, {reason}")
