"""Before anything is changed in an account: who asks, and whether App Mesh is there; over real HTTP."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from automation import preflight
from automation.environment import Environment
from automation.errors import UsageError
from automation.stackfiles import StackFiles
from services.settings import Settings

ARN = "arn:aws:sts::123456789012:assumed-role/deployer/me"
IDENTITY = f"""<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{ARN}</Arn><UserId>A:me</UserId>
<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
EXPIRED = (
    "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The token is expired</Message></Error></ErrorResponse>"
)
DENIED = json.dumps({"__type": "AccessDeniedException", "message": "App Mesh is no longer available"})
MESHES = json.dumps({"meshes": []})


class Aws(BaseHTTPRequestHandler):
    """STS and App Mesh, answering as told."""

    sts, app_mesh = (200, IDENTITY), (200, MESHES)

    def do_POST(self) -> None:
        self._answer(*type(self).sts)

    def do_GET(self) -> None:
        self._answer(*type(self).app_mesh)

    def _answer(self, status: int, body: str) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Aws]]:
    """An AWS of one's own, which answers well unless told otherwise."""
    made = type("Told", (Aws,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    yield made
    server.shutdown()
    server.server_close()


def environment(name: str, folder: Path) -> Environment:
    files = StackFiles(folder, name)
    return Environment(name=name, region="eu-west-1", files=files, runs=folder, poll_seconds=1)


def looked(folder: Path, mesh: str, name: str = "prod") -> list[str]:
    """What is told of an environment whose four stacks are in a mesh."""
    told: list[str] = []
    settings = {service: Settings(region="eu-west-1", mesh=mesh) for service in ("platform", "crystal")}
    preflight.check(environment(name, folder), settings, told.append)
    return told


@pytest.mark.parametrize("mesh", ["appmesh", "envoy"])
@pytest.mark.usefixtures("aws")
def test_account_and_region_are_told(mesh: str, tmp_path: Path) -> None:
    """Before anything happens in them."""
    assert looked(tmp_path, mesh) == [f"Account 123456789012, region eu-west-1, as {ARN}."]


def test_an_app_mesh_that_has_ended_is_one_error(aws: type[Aws], tmp_path: Path) -> None:
    """With the date, and the one setting to change."""
    aws.app_mesh = (403, DENIED)
    with pytest.raises(UsageError, match="'prod-platform' is in App Mesh, which AWS ended on 2026-09-30") as refused:
        looked(tmp_path, "appmesh")
    assert "no longer available" in str(refused.value)
    assert str(refused.value.next_command).startswith("pulumi config set mesh envoy --stack prod-platform")


def test_who_is_not_in_app_mesh_does_not_miss_it(aws: type[Aws], tmp_path: Path) -> None:
    """Nobody asks for it."""
    aws.app_mesh = (403, DENIED)
    assert len(looked(tmp_path, "envoy")) == 1


def test_an_app_mesh_that_is_not_there_at_all(aws: type[Aws], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its endpoint gone from DNS, or refusing connections."""
    assert aws
    monkeypatch.setenv("AWS_ENDPOINT_URL_APP_MESH", "http://127.0.0.1:9")
    with pytest.raises(UsageError, match="which AWS ended on 2026-09-30"):
        looked(tmp_path, "appmesh")


def test_credentials_that_do_not_hold(aws: type[Aws], tmp_path: Path) -> None:
    """Are told with AWS's own reason."""
    aws.sts = (403, EXPIRED)
    with pytest.raises(UsageError, match=r"does not know who is asking .*The token is expired") as refused:
        looked(tmp_path, "envoy")
    assert refused.value.next_command == "aws sts get-caller-identity"


def test_at_home_there_is_nothing_to_look_for(tmp_path: Path) -> None:
    """No call is made in the local environment."""
    assert looked(tmp_path, "appmesh", name="local") == []
