"""Who holds a stack in a backend of one's own, a folder or a bucket. Source: the locks of Pulumi's diy backend.

Pulumi writes one file for each update under way, ``.pulumi/locks/organization/<project>/<stack>/<id>.json``, and
deletes it afterwards; an engine that was killed leaves it there. Pulumi Cloud tells itself which stacks are updated.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Client = Callable[[str], Any]  # a client of the SDK by the service's name


def held(url: str, project: str, stack: str, client: Client) -> str:
    """Whoever holds it, in words; "" where nobody does, or where the backend is of another kind."""
    folder = f".pulumi/locks/organization/{project}/{stack}/"
    parts = urlsplit(url)
    texts: Iterator[str] = iter(())
    if parts.scheme == "file":
        root = Path(f"{parts.netloc}{parts.path}").expanduser()
        texts = (path.read_text(encoding="utf-8") for path in sorted((root / folder).glob("*.json")))
    elif parts.scheme == "s3":
        texts = _in_bucket(client("s3"), parts.netloc, f"{parts.path.strip('/')}/{folder}".lstrip("/"))
    for text in texts:
        who, where, process, since = map(json.loads(text).get, ("username", "hostname", "pid", "timestamp"))
        return f"{who} on {where}, process {process}, since {since}"
    return ""


def _in_bucket(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", ()):
            yield s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode()
