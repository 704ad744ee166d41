"""Who holds a stack, as Pulumi's own backends write it down."""

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest

from automation.locks import Lock, held

LOCK = json.dumps({"pid": 7, "username": "ann", "hostname": "desk", "timestamp": "2026-11-01T12:00:00Z"})
SOMEBODY = "ann on desk, process 7, since 2026-11-01T12:00:00Z"


def nobody(service: str) -> Any:
    raise AssertionError(service)


@pytest.mark.parametrize("url", ["s3://state?region=us-east-1", "s3://state/of/all?region=us-east-1"])
def test_in_a_bucket(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its top, or below a folder; another stack's lock, and another project's, are not this one's."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    folder = url.partition("?")[0].removeprefix("s3://state").strip("/")
    with moto.mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="state")
        for path in ("ecs-tracing/prod-nodejs/1.json", "other/prod-crystal/1.json"):
            s3.put_object(
                Bucket="state", Key=f"{folder}/.pulumi/locks/organization/{path}".lstrip("/"), Body=LOCK.encode()
            )
        assert held(url, "ecs-tracing", "prod-nodejs", lambda _: s3) == SOMEBODY
        assert held(url, "ecs-tracing", "prod-crystal", lambda _: s3) == ""


def test_in_a_folder(tmp_path: Path) -> None:
    """No call is made for it."""
    place = tmp_path / ".pulumi" / "locks" / "organization" / "ecs-tracing" / "prod-nodejs"
    place.mkdir(parents=True)
    (place / "1.json").write_text(LOCK, encoding="utf-8")
    assert held(f"file://{tmp_path}", "ecs-tracing", "prod-nodejs", nobody) == SOMEBODY
    assert held(f"file://{tmp_path}", "ecs-tracing", "prod-crystal", nobody) == ""


def test_pulumi_cloud_has_no_such_files() -> None:
    """It is asked otherwise."""
    assert held("https://api.pulumi.com/ann", "ecs-tracing", "prod-nodejs", nobody) == ""


@pytest.mark.parametrize(
    ("host", "process", "since", "left"),
    [
        (socket.gethostname(), os.getpid(), datetime.now(UTC).isoformat(), False),
        (socket.gethostname(), os.getpid(), "2001-01-01T00:00:00Z", True),
        (socket.gethostname(), 2**22 + 1, "2026-11-01T12:00:00Z", True),
        ("elsewhere", 2**22 + 1, "2026-11-01T12:00:00Z", False),
    ],
    ids=["works", "another has its number", "is no more", "of another machine"],
)
def test_only_a_lock_without_an_owner_is_left(host: str, process: int, since: str, *, left: bool) -> None:
    """A number above the kernel's greatest is no process's; of other machines nothing is known."""
    assert Lock(user="ann", host=host, process=process, since=since).is_left() is left
