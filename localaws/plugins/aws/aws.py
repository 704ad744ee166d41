"""The one way to the embedded AWS: clients for loopback only, one-line errors, waits that end.

Nothing in the environment can lead elsewhere: the endpoint is given to every client, per-service endpoint variables,
profiles, proxies and the configuration files of a real account are not looked at.
"""

import ipaddress
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from localaws.plugins.aws.values import State

ENDPOINT = "AWS_ENDPOINT_URL"
TIMEOUT = "LOCALAWS_PROVIDER_TIMEOUT"  # environment: seconds after which a call that AWS does not answer has failed
DEFAULT_TIMEOUT = 30.0  # seconds
ATTEMPTS = 3  # of one call, throttles, server errors and silences included (botocore's "standard" retry mode)
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5  # seconds between two looks at something awaited; doubled each time
START = "start it with: python -m localaws start"


class AwsError(Exception):
    """AWS said no, or nothing. The message is one line for the user; `code` is AWS's error code ("" for silence)."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class EndpointError(Exception):
    """The plugin is pointed at something that is not the embedded AWS. The message says what to do."""


def endpoint() -> str:
    """The embedded AWS's URL, from the environment.

    Raises EndpointError where it is not set or its host is not this machine's loopback.
    """
    url = os.environ.get(ENDPOINT, "")
    if is_loopback(url):
        return url
    found = f"{ENDPOINT} is {url!r}, which is not on this machine's loopback" if url else f"{ENDPOINT} is not set"
    raise EndpointError(
        "This aws plugin is the local stand-in, which works with the embedded AWS only, "
        f'but {found}. For the embedded AWS: eval "$(python -m localaws env)". For a real account use the official '
        "plugin: unset PULUMI_HOME, then pulumi plugin install resource aws."
    )


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine itself."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def timeout() -> float:
    """Seconds after which a call that AWS does not answer has failed; retries included."""
    return float(os.environ.get(TIMEOUT, DEFAULT_TIMEOUT))


class Clients:
    """botocore clients by service and region, made when first needed (0.1 to 0.3 s each) and shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], Any] = {}

    @cached_property
    def _session(self) -> Any:
        for name in [name for name in os.environ if name.endswith("_PROFILE") and name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
        import botocore.session  # noqa: PLC0415 (a tenth of a second that Check and Diff need not wait for)

        return botocore.session.Session()

    def client(self, service: str, region: str) -> Any:
        """The client of a service, by botocore's name for it."""
        with self._lock:  # sessions are not thread-safe, clients are
            key = service, region
            if key not in self._made:
                self._made[key] = self._make(service, region)
            return self._made[key]

    def _make(self, service: str, region: str) -> Any:
        from botocore.config import Config  # noqa: PLC0415 (as above)

        config = Config(
            connect_timeout=min(timeout(), 5),
            read_timeout=timeout() / ATTEMPTS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            proxies={},
            inject_host_prefix=False,
            max_pool_connections=32,
        )
        return self._session.create_client(
            service,
            region_name=region,
            endpoint_url=endpoint(),
            aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID") or "localaws",
            aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY") or "localaws",
            config=config,
        )


@dataclass
class Aws:
    """AWS as one operation of one engine sees it: a region, and whether anybody still waits for the result.

    `deadline` is the longest the operation may wait for AWS to get somewhere, in seconds (0: the type's own default).
    """

    clients: Clients
    region: str
    cancelled: threading.Event = field(default_factory=threading.Event)
    alive: Callable[[], bool] = lambda: True
    deadline: float = 0

    def call(self, service: str, operation: str, /, **parameters: Any) -> State:
        """One API call; parameters that are None are left out. Raises AwsError."""
        from botocore.exceptions import (  # noqa: PLC0415 (loaded with the client anyway)
            BotoCoreError,
            ClientError,
            ConnectionClosedError,
            ConnectTimeoutError,
            EndpointConnectionError,
            ReadTimeoutError,
        )

        client = self.clients.client(service, self.region)
        given = {name: value for name, value in parameters.items() if value is not None}
        title = f"operation error {client.meta.service_model.service_id}: {operation}"
        try:
            answer: State = client._make_api_call(operation, given)  # noqa: SLF001 (the one funnel all methods share)
        except ClientError as error:
            details = error.response.get("Error", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code, message = details.get("Code", "Unknown"), " ".join(details.get("Message", "").split())
            raise AwsError(f"{title}, https response error StatusCode: {status}, {code}: {message}", code) from error
        except (EndpointConnectionError, ConnectTimeoutError, ConnectionClosedError) as error:
            raise AwsError(f"{title}: embedded AWS at {endpoint()} does not answer; {START}") from error
        except ReadTimeoutError as error:
            raise AwsError(
                f"{title}: embedded AWS at {endpoint()} took the call but did not answer within {timeout():g} s "
                f"({ATTEMPTS} attempts; {TIMEOUT} sets the time); look at it with: python -m localaws status"
            ) from error
        except BotoCoreError as error:
            raise AwsError(f"{title}: {' '.join(str(error).split())}") from error
        answer.pop("ResponseMetadata", None)
        return answer

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        """The items under `key` of all pages of a listing."""
        client = self.clients.client(service, self.region)
        paginator = client._PY_TO_OP_NAME  # noqa: SLF001 (operation names to methods, and back)
        method = next(name for name, known in paginator.items() if known == operation)
        if not client.can_paginate(method):
            return list(self.call(service, operation, **parameters).get(key, []))
        tokens = client.get_paginator(method)._pagination_cfg  # noqa: SLF001 (the model's own description)
        items: list[Any] = []
        given = dict(parameters)
        while True:
            answer = self.call(service, operation, **given)
            items += answer.get(key, [])
            token = answer.get(str(tokens["output_token"]))
            if not token:
                return items
            given[str(tokens["input_token"])] = token

    @cached_property
    def account(self) -> str:
        """The account's twelve digits."""
        return str(self.call("sts", "GetCallerIdentity")["Account"])

    def arn(self, service: str, resource: str, account: str = "") -> str:
        """A resource name in this region."""
        return f"arn:aws:{service}:{self.region}:{account or self.account}:{resource}"

    def until(self, reached: Callable[[], bool], what: str, seconds: float = 300) -> None:
        """Look again and again, soon at first, until `reached` says yes.

        Raises AwsError after `seconds` (or the operation's own deadline), or at once when nobody waits any more.
        """
        pause, waited = FIRST_PAUSE, 0.0
        limit = self.deadline or seconds
        while not reached():
            if self.cancelled.wait(pause) or not self.alive():
                raise AwsError(f"waiting for {what}: cancelled")
            waited += pause
            pause = min(pause * 2, LONGEST_PAUSE)
            if waited >= limit:
                raise AwsError(f"waiting for {what}: not reached within {limit:g} s")
