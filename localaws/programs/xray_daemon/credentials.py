"""The daemon's credentials, from the environment or of a role that it assumes, and signatures with them."""

import re
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from localaws.programs.calls import Connection
from localaws.programs.loopback import Endpoint, task_address
from localaws.programs.xray_daemon.errors import CallError

_TIMEOUT = 2.0  # seconds
_ROLE_SECONDS = 3600
_RENEWED_BEFORE = 300  # seconds
_OK = 200


class Keys(NamedTuple):
    """An access key, in botocore's names."""

    access_key: str
    secret_key: str
    token: str | None


class Environment:
    """The credentials of the container's environment, which the task's role gives."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def keys(self) -> Keys:
        """Return them.

        Raises:
            CallError: there are none.

        """
        access_key, secret_key = (self._variables.get(f"AWS_{name}") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
        if not access_key or not secret_key:
            raise CallError("no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
        return Keys(access_key, secret_key, self._variables.get("AWS_SESSION_TOKEN"))


class Role:
    """The credentials of a role, assumed when they are first needed and again before they expire."""

    def __init__(self, arn: str, own: Environment, sts: Endpoint, region: str) -> None:
        self._arn, self._own, self._sts, self._region = arn, own, sts, region
        self._lock = threading.Lock()
        self._keys: Keys | None = None
        self._renew_at = 0.0

    def keys(self) -> Keys:
        """Return them.

        Raises:
            CallError: STS does not give them.
            OSError: STS can't be reached.

        """
        with self._lock:
            if self._keys is None or time.monotonic() >= self._renew_at:
                self._keys = self._assume()
                self._renew_at = time.monotonic() + _ROLE_SECONDS - _RENEWED_BEFORE
            return self._keys

    def _assume(self) -> Keys:
        query = {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": self._arn,
            "RoleSessionName": "xray-daemon",
        }
        body = urlencode(query | {"DurationSeconds": str(_ROLE_SECONDS)}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        signed = sign(self._own.keys(), "sts", self._region, "POST", f"http://{self._sts}/", headers, body)
        connection = Connection(self._sts, source=task_address(), timeout=_TIMEOUT)
        try:
            response = connection.call("POST", "/", signed, body)
        finally:
            connection.close()
        text = response.body.decode("utf-8", "replace")
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        found = [re.search(f"<{name}>([^<]+)</{name}>", text) for name in names]
        if response.status != _OK or not all(found):
            raise CallError(f"role {self._arn} can't be assumed: status {response.status}: {text[:500]}")
        access_key, secret_key, token = (match[1] for match in found if match)
        return Keys(access_key, secret_key, token)


def sign(  # noqa: PLR0913, PLR0917 - what a signature is made of
    keys: Keys, service: str, region: str, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    """Return the headers with a signature (version 4), and Host."""
    # Imported when there is something to sign: a daemon that waits for its first segment is ready sooner, and smaller.
    from botocore.auth import SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    request = AWSRequest(method, url, headers=dict(headers), data=body)
    credentials: Any = keys  # botocore's own class for them would take as long to import as all the rest
    SigV4Auth(credentials, service, region).add_auth(request)
    return {**dict(request.headers.items()), "Host": url.split("/")[2]}
