"""Who holds a stack in a backend of one's own, a folder or a bucket. Source: the locks of Pulumi's diy backend.

Pulumi writes one file for each update under way, ``.pulumi/locks/organization/<project>/<stack>/<id>.json``, and
deletes it afterwards; an engine that was killed leaves it there. Pulumi Cloud tells itself which stacks are updated.
"""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

Client = Callable[[str], Any]  # a client of the SDK by the service's name
Owner = tuple[str, int]  # an engine: the machine's name, and the number of the process there


@dataclass(frozen=True, kw_only=True)
class Lock:
    """An update that is under way, or whose engine was killed."""

    user: str
    host: str
    process: int
    since: str  # ISO 8601

    def __str__(self) -> str:
        return f"{self.user} on {self.host}, process {self.process}, since {self.since}"

    @property
    def owner(self) -> Owner:
        """The engine that took it."""
        return self.host, self.process

    def is_left(self) -> bool:
        """Whether its engine was on this machine and is there no more; of other machines nothing is known."""
        if self.host != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.process)
            begun, ended = process.create_time(), process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True
        return ended or begun > datetime.fromisoformat(self.since).timestamp() + 1  # the number is another's by now


def are_files(url: str) -> bool:
    """Whether the locks of a backend can be read as files."""
    return urlsplit(url).scheme in ("file", "s3")


def found(url: str, project: str, stack: str, client: Client) -> Lock | None:
    """The lock on a stack; None where there is none, or where the backend is of another kind."""
    folder = f".pulumi/locks/organization/{project}/{stack}/"
    parts = urlsplit(url)
    texts: Iterator[str] = iter(())
    if parts.scheme == "file":
        root = Path(f"{parts.netloc}{parts.path}").expanduser()
        texts = (path.read_text(encoding="utf-8") for path in sorted((root / folder).glob("*.json")))
    elif parts.scheme == "s3":
        texts = _in_bucket(client("s3"), parts.netloc, f"{parts.path.strip('/')}/{folder}".lstrip("/"))
    for text in texts:
        facts = json.loads(text)
        return Lock(
            user=str(facts.get("username")),
            host=str(facts.get("hostname")),
            process=int(facts.get("pid") or 0),
            since=str(facts.get("timestamp")),
        )
    return None


def held(url: str, project: str, stack: str, client: Client) -> str:
    """Whoever holds it, in words; "" where nobody does, or where the backend is of another kind."""
    lock = found(url, project, stack, client)
    return str(lock) if lock else ""


def errors() -> tuple[type[Exception], ...]:
    """What reading a lock may raise."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see sdk

    return (OSError, ValueError, BotoCoreError, ClientError)


def sdk(service: str) -> Any:
    """A client of the SDK with the ordinary credential chain."""
    import boto3  # noqa: PLC0415 - takes a while to load, and only buckets need it

    make: Any = boto3.client
    return make(service)


def _in_bucket(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", ()):
            yield s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode()
