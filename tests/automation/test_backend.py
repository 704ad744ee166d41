"""Pulumi's state in a folder, read without the CLI: what it says, and when it is left to the CLI."""

import json
from pathlib import Path

import pytest

from automation import backend

STACK = {"type": "pulumi:pulumi:Stack", "outputs": {"clusterName": "container-demo"}}
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:…"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A backend with two stacks, one of them empty."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    (tmp_path / ".pulumi").mkdir()
    (tmp_path / ".pulumi" / "meta.yaml").write_text("version: 1\n")
    write(tmp_path, "local-platform", {"resources": [STACK, {"type": "aws:ecs/cluster:Cluster"}]})
    write(tmp_path, "local-crystal", None)
    return tmp_path


def write(root: Path, stack: str, latest: object) -> None:
    folder = root / ".pulumi" / "stacks" / "ecs-tracing"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stack}.json").write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))


def found() -> backend.Folder:
    folder = backend.folder("ecs-tracing")
    assert folder is not None
    return folder


@pytest.mark.usefixtures("root")
def test_stacks_and_what_they_hold() -> None:
    """Each stack with the number of its resources, and a state with its outputs."""
    assert {"local-crystal": 0, "local-platform": 2} == found().resources()
    state = found().deployment("local-platform")
    assert state is not None
    assert [STACK, {"type": "aws:ecs/cluster:Cluster"}] == state["resources"]


def test_what_is_encrypted_is_left_to_the_cli(root: Path) -> None:
    """A secret among the outputs can only be read with the key."""
    write(root, "local-nodejs", {"resources": [{**STACK, "outputs": {"token": SECRET}}]})
    assert found().deployment("local-nodejs") is None


@pytest.mark.usefixtures("root")
def test_a_stack_that_is_not_there_is_left_to_the_cli() -> None:
    """It has the words for it."""
    assert found().deployment("local-ratings") is None


def test_a_folder_that_was_never_used_has_no_stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So has the first run on a machine."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    assert {} == found().resources()


@pytest.mark.parametrize("url", ["", "s3://bucket", "https://api.pulumi.com", "file://~", "file://./state"])
def test_other_backends_are_left_to_the_cli(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also folders whose place only the CLI works out."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    assert backend.folder("ecs-tracing") is None


def test_compressed_states_and_those_without_projects_are_left_to_the_cli(root: Path) -> None:
    """Both are rare."""
    (root / ".pulumi" / "stacks" / "ecs-tracing" / "local-nodejs.json.gz").write_bytes(b"")
    assert backend.folder("ecs-tracing") is None
    (root / ".pulumi" / "stacks" / "ecs-tracing" / "local-nodejs.json.gz").unlink()
    (root / ".pulumi" / "meta.yaml").unlink()
    assert backend.folder("ecs-tracing") is None
