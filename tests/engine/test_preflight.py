"""A real account, as far as one can be had here: whoever answers for AWS says that App Mesh is gone."""

import json
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.automation.account import ANSWERS, Account
from tests.engine.checkout import Checkout

pytestmark = pytest.mark.engine

FILE = """\
account: "123456789012"
region: eu-west-1
config: {mesh: appmesh}
"""


def test_nothing_is_changed_where_app_mesh_has_ended(tmp_path: Path) -> None:
    """One error with the date and the setting to change; no stack is made, no file written."""
    gone = json.dumps({"__type": "AccessDeniedException", "message": "App Mesh is no longer available"})
    made: Any = type("Gone", (Account,), {"answers": {**ANSWERS, "/v20190125/meshes": lambda _: (403, gone)}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = Checkout(tmp_path / "clone")
    (tmp_path / "state").mkdir()
    (site.root / "environments").mkdir()
    (site.root / "environments" / "prod.yaml").write_text(
        f"{FILE}backend: file://{tmp_path / 'state'}\n", encoding="utf-8"
    )
    before = files(site.root)
    env = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "PULUMI_CONFIG_PASSPHRASE": "",
    }
    try:
        refused = site.script("enable", "--env", "prod", "--yes", exits=2, env=env)
        status = site.json("enable", "--env", "prod", exits=2, env=env)
    finally:
        server.shutdown()
        server.server_close()

    assert "Account 123456789012, region eu-west-1, as arn:aws:sts::" in refused.stdout
    assert "'prod-platform' is in App Mesh, which AWS ended on 2026-09-30" in refused.stderr
    assert "next: set `mesh: envoy` in environments/prod.yaml" in refused.stderr
    assert status["exitCode"] == 2
    assert files(site.root) == before
    assert not list((tmp_path / "state").rglob("prod-*.json"))


def files(root: Path) -> dict[str, bytes]:
    """The stacks' files."""
    return {path.name: path.read_bytes() for path in root.glob("stacks/*")}
