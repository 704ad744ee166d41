"""An embedded AWS for one row."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from localaws.instance import Instance
from localaws.tasks import SWITCH
from localaws.variables import REGION

_CONNECTIONS = 8  # as many as traces.fetch has calls at once


@contextmanager
def embedded(folder: Path, *, tasks: str = "simulated") -> Iterator[Instance]:
    """Start an embedded AWS that knows nothing, and stop it in the end."""
    instance = Instance(folder / "localaws")
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = tasks
    try:
        instance.start()
    finally:
        os.environ.pop(SWITCH)
        if before is not None:
            os.environ[SWITCH] = before
    try:
        yield instance
    finally:
        instance.stop()


def client(instance: Instance, service: str) -> Any:
    """Return a client that calls it directly, whatever proxy the machine has."""
    variables = instance.environment()
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=REGION,
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={}, max_pool_connections=_CONNECTIONS),
    )
