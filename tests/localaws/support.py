"""What the tests of the embedded AWS share: clients, plain requests to the server, and waiting for what must come."""

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws.instance import Instance

ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 20
_BETWEEN_LOOKS_SECONDS = 0.02


def client_of(instance: Instance, service: str, region: str = "us-east-1") -> Any:
    """A boto3 client that asks once only, and leaves it to the server to say what is wrong."""
    variables = instance.environment()
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=region,
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False, parameter_validation=False),
    )


def send(
    instance: Instance, method: str, path: str, content: object = None, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    """Send a plain request; return status and body."""
    body = None if content is None else json.dumps(content).encode()
    url = f"{instance.status().endpoint}{path}"
    request = urllib.request.Request(url, body, headers or {}, method=method)  # noqa: S310 - http
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=_PATIENCE_SECONDS) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        log = (instance.state / "server.log").read_text(encoding="utf-8").splitlines()
        error.add_note("\n".join(["The server's log ends:", *log[-30:]]))
        raise


def code_of(call: Callable[..., Any], **given: Any) -> str:
    """The AWS error code that a call has to end in."""
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def until(condition: Callable[[], object]) -> None:
    """Wait until the condition is true."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "this never came true"
        threading.Event().wait(_BETWEEN_LOOKS_SECONDS)


def command_line(*arguments: str, state: Path | None = None, **given: Any) -> "subprocess.CompletedProcess[str]":
    """Run ``python -m localaws ARGUMENTS… --state STATE``."""
    where = [] if state is None else ["--state", str(state)]
    command = [sys.executable, "-m", "localaws", *arguments, *where]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, **given)
