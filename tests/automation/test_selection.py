"""Which services a command is about: names, patterns, tags, and what was changed."""

import subprocess
from pathlib import Path

import pytest

from automation import selection
from automation.errors import UsageError
from services import SERVICES, entries
from services.fleet import parse
from tests.fleets import fleet

FLEET = """\
services:
  web-shop: {image: "shop:1", backends: {API_URL: api}, tags: [team-a], entrance: true}
  web-blog: {image: "blog:1", tags: [team-b]}
  api: {image: "api:1", tags: [team-a, slow]}
"""
EVERYTHING = {"platform", "web-shop", "web-blog", "api"}


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SERVICES, "found", entries(parse(FLEET)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose fleet is committed."""
    write(tmp_path, "fleet.yaml", FLEET)
    write(tmp_path, "services/platform.py", "")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message=first")
    return tmp_path


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True)


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


def now(monkeypatch: pytest.MonkeyPatch, root: Path, text: str) -> None:
    """The working tree declares this fleet."""
    write(root, "fleet.yaml", text)
    monkeypatch.setattr(SERVICES, "found", entries(parse(text)))


@pytest.mark.parametrize(
    ("patterns", "services"),
    [
        (["api"], ("api",)),
        (["web-*"], ("web-blog", "web-shop")),
        (["tag:team-a"], ("api", "web-shop")),
        (["tag:slow", "web-b*", "api"], ("web-blog", "api")),
        (["*"], ("platform", "web-blog", "api", "web-shop")),
        ([], ("platform", "web-blog", "api", "web-shop")),
    ],
)
def test_services_are_named_by_pattern_and_tag(patterns: list[str], services: tuple[str, ...]) -> None:
    """Each once, in an order of deployment."""
    assert set(services) == set(selection.chosen(patterns, None, "local"))
    assert [name for name in SERVICES if name in services] == list(selection.chosen(patterns, None, "local"))


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("web", "Unknown service 'web'. The services are: platform, "),
        ("shop-*", "No service fits 'shop-*'. The services are: "),
        ("tag:team-c", "No service has the tag 'team-c'. The tags are: slow, team-a, team-b."),
    ],
)
def test_what_means_no_service_is_told_with_what_there_is(pattern: str, told: str) -> None:
    """Even beside others that mean some."""
    with pytest.raises(UsageError) as caught:
        selection.chosen(["api", pattern], None, "local")
    assert str(caught.value).startswith(told)


def test_of_many_services_the_nearest_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads three hundred names."""
    monkeypatch.setattr(SERVICES, "found", entries(parse(fleet("star", 300))))
    with pytest.raises(UsageError, match=r"'svc_123'\. Of 301 services the nearest are: svc-123, ") as caught:
        selection.chosen(["svc_123"], None, "local")
    assert len(str(caught.value)) < 150


def test_nothing_was_changed(root: Path) -> None:
    """No service is selected: not to be taken for no name, which means all."""
    assert set(selection.changed("HEAD", "local", root)) == set()


def test_what_is_declared_otherwise_was_changed(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Uncommitted, too; what only moved in the file was not."""
    lines = FLEET.replace("blog:1", "blog:2").splitlines()
    now(monkeypatch, root, "\n".join([lines[0], lines[3], *lines[1:3]]))
    assert {"web-blog"} == set(selection.changed("HEAD", "local", root))


def test_a_service_is_changed_by_what_it_is_told_of_others(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """GIVEN another port of `api` THEN its caller's URL is another, and the platform's network admits it."""
    now(monkeypatch, root, FLEET.replace('"api:1"', '"api:1", port: 8000'))
    assert {"api", "web-shop", "platform"} == set(selection.changed("HEAD", "local", root))


def test_a_new_service_was_changed(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Its platform is as it was."""
    now(monkeypatch, root, FLEET + '  new: {image: "new:1"}\n')
    assert {"new"} == set(selection.changed("HEAD", "local", root))


@pytest.mark.parametrize(
    "path", ["services/platform.py", "services/new_part.py", "envoymesh/x.py", "Pulumi.yaml", "environments/local.yaml"]
)
def test_what_all_are_built_from_changes_all(path: str, root: Path) -> None:
    """Committed or new."""
    write(root, path, "changed = True\n")
    assert EVERYTHING == set(selection.changed("HEAD", "local", root))


def test_configuration_changes_its_own_stack(root: Path) -> None:
    """That of another environment none."""
    write(root, "stacks/Pulumi.local-api.yaml", "config: {}\n")
    write(root, "stacks/Pulumi.prod-web-blog.yaml", "config: {}\n")
    write(root, "environments/prod.yaml", "region: eu-west-1\n")
    assert {"api"} == set(selection.changed("HEAD", "local", root))


def test_the_demo_is_changed_module_by_module(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """GIVEN no fleet THEN a service is its module."""
    (root / "fleet.yaml").unlink()
    write(root, "services/crystal.py", "")
    git(root, "add", "--all")
    git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message=demo")
    monkeypatch.setattr(SERVICES, "found", entries(None))
    write(root, "services/crystal.py", "changed = True\n")
    assert {"crystal"} == set(selection.changed("HEAD", "local", root))


def test_a_fleet_that_could_not_be_read_tells_nothing(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """GIVEN a mistake in the committed file THEN everything was changed."""
    write(root, "fleet.yaml", "services: [")
    git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--all", "--message=broken")
    now(monkeypatch, root, FLEET)
    assert EVERYTHING == set(selection.changed("HEAD", "local", root))


@pytest.mark.parametrize("revision", ["nope", "--all", "HEAD:fleet.yaml", ""])
def test_a_revision_that_git_does_not_have_is_refused(revision: str, root: Path) -> None:
    """Nothing that looks like an option is taken for one."""
    with pytest.raises(UsageError, match=f"git has no revision '{revision}' here") as caught:
        selection.changed(revision, "local", root)
    assert caught.value.next_command == "git fetch origin && git branch --all"
