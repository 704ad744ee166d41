"""Which Pulumi CLI is used, and how one is made where there is none."""

import os
from pathlib import Path

import pytest

from pulumicli import PulumiCliError, gobuild, language_files, locate, official
from pulumicli.versions import MINIMUM_VERSION, Version, built_version
from tests.pulumicli.machine import REFUSED, Machine

HOST_SOURCE = Path(language_files.__file__).parent / "host" / "language_host.py"


def test_a_new_enough_cli_on_path_is_used_as_it_is(machine: Machine) -> None:
    """A CLI that one has installed oneself is neither copied nor accompanied by anything."""
    installed = machine.install_pulumi("3.201.5")

    assert machine.ensure() == installed
    assert locate() == installed
    assert machine.said == []
    assert not machine.cache.exists()


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("3.199.9", "is version 3.199.9, older than this project can use (3.200.0 or later 3.x)"),
        ("4.0.0", "is version 4.0.0, newer than this project can use (3.200.0 or later 3.x)"),
        ("unknown", "does not run"),
    ],
)
def test_an_unfit_cli_on_path_is_named_and_passed_over(machine: Machine, version: str, why: str) -> None:
    """A CLI too old or too new is named with its version, and one of our own is made instead."""
    installed = machine.install_pulumi(version)
    machine.install_go()

    assert locate() is None
    assert machine.ensure() == machine.built
    assert machine.said[0] == f"{installed} on PATH {why}; using a copy of our own instead."


def test_a_cli_without_language_host_is_passed_over(machine: Machine) -> None:
    """With such a CLI `pulumi up` could not run a Python program."""
    installed = machine.install_pulumi("3.201.5", language_host=False)
    machine.install_go()

    assert machine.ensure() == machine.built
    assert machine.said[0] == (
        f"{installed} on PATH has no pulumi-language-python beside it; using a copy of our own instead."
    )


def test_without_network_the_cli_is_built_from_go_modules(machine: Machine) -> None:
    """Each long step is announced with the time it may take, and the copy is found again without a word."""
    machine.install_go()

    assert machine.ensure() == machine.built
    assert machine.said == [
        f"Pulumi's download site can't be used ({REFUSED}); trying to build the CLI from Go modules.",
        "Pulumi CLI 3.200.0, step 1 of 2: downloading its Go modules (about 2 min, kept in Go's own cache) …",
        "Pulumi CLI 3.200.0, step 2 of 2: building it (about 3 min on two cores) …",
    ]
    machine.said.clear()
    assert machine.ensure() == machine.built == locate()
    assert machine.said == []
    assert machine.go_calls.count("build") == 1


def test_a_built_cli_has_the_language_host_beside_it(machine: Machine) -> None:
    """The engine looks for its starters beside itself; they must be executable there."""
    machine.install_go()
    beside = machine.ensure().parent

    for name, source, _mode in language_files.FILES:
        assert beside.joinpath(name).read_bytes() == source.read_bytes()
    assert os.access(beside / "pulumi-language-python", os.X_OK)
    assert os.access(beside / "pulumi-analyzer-policy-python", os.X_OK)


def test_a_stale_language_host_is_refreshed(machine: Machine) -> None:
    """The next set-up replaces what an older checkout has laid there, also with the cache's folder on PATH."""
    machine.install_go()
    stale = machine.ensure().with_name("language_host.py")
    stale.write_text("raise SystemExit(1)\n")
    machine.bin.joinpath("pulumi").symlink_to(machine.built)

    assert machine.ensure() == machine.built
    assert stale.read_bytes() == HOST_SOURCE.read_bytes()


@pytest.mark.parametrize("damage", ["truncated", "garbage", "unmarked", "missing"])
def test_a_damaged_copy_is_noticed_and_rebuilt(machine: Machine, damage: str) -> None:
    """Half-built and broken copies are never used: locate() doesn't see them, ensure() makes them anew."""
    machine.install_go()
    cli = machine.ensure()
    content = cli.read_bytes()
    match damage:
        case "truncated":
            cli.write_bytes(content[:-5])
        case "garbage":
            cli.write_bytes(b"\x7f" * len(content))
        case "unmarked":
            cli.parents[1].joinpath("complete.json").unlink()
        case "missing":
            cli.unlink()
    machine.said.clear()

    assert locate() is None
    assert machine.ensure() == cli
    assert machine.said[0] == f"{cli.parents[1]} is damaged or half-made; it is made anew."
    assert cli.read_bytes() == content


def test_the_installer_is_used_where_its_site_can_be_reached(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With network no Go is needed; the version is the SDK's."""

    def install(folder: Path) -> None:
        cli = folder / "bin" / "pulumi"
        cli.parent.mkdir()
        cli.write_text(f"#!/bin/sh\necho v{official.version()}\n")
        cli.chmod(0o755)

    monkeypatch.setattr(official, "unreachable", lambda: None)
    monkeypatch.setattr(official, "install", install)

    assert machine.ensure() == machine.cache / f"pulumi-{official.version()}" / "bin" / "pulumi"
    assert machine.said == [
        f"Pulumi CLI {official.version()}: downloading it with Pulumi's own installer (about 2 min) …"
    ]


def test_an_installer_without_network_fails_in_one_line(machine: Machine, tmp_path: Path) -> None:
    """The installer's traceback is cut down to its last line; nothing of it reaches the terminal."""
    with pytest.raises(PulumiCliError) as raised:
        official.install(tmp_path / "folder")

    assert str(raised.value) == f"urllib.error.URLError: <urlopen error {REFUSED}>"
    assert machine.said == []


def test_without_network_and_go_both_are_named_with_the_command(machine: Machine) -> None:
    """The error says what was tried, why it failed and what to install."""
    with pytest.raises(PulumiCliError) as raised:
        machine.ensure()

    assert str(raised.value).splitlines() == [
        "There is no Pulumi CLI 3.200.0 or newer, and none can be made:",
        f"  download   https://get.pulumi.com: {REFUSED}",
        "  build      Go is not installed; version 1.23.11 or newer is needed",
        f"Either let this machine reach https://get.pulumi.com, or install Go: {gobuild.install_command()}",
        "Then run the same command again.",
    ]
    assert locate() is None
    assert [path.name for path in machine.cache.iterdir()] == ["pulumi.lock"]


def test_a_too_old_go_is_named_with_its_version(machine: Machine) -> None:
    """Go 1.20 can't build this version of the CLI."""
    machine.install_go("1.20.4")

    with pytest.raises(PulumiCliError, match=r"Go 1\.20\.4 at .*/bin/go is too old; version 1\.23\.11 or newer"):
        machine.ensure()


def test_a_failing_build_tells_its_first_complaint(machine: Machine) -> None:
    """Go prints pages; its first line that is no download note names the cause."""
    machine.install_go(before_build="echo 'go: downloading x' >&2; echo 'x.go:1: no space left on device' >&2; exit 1")

    with pytest.raises(PulumiCliError, match=r"`go build` failed: x\.go:1: no space left on device"):
        machine.ensure()
    assert list(machine.cache.glob(".partial-*")) == []


def test_a_cache_that_cannot_be_written_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the folder and how to choose another."""
    machine.install_go()
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine.bin / "go"))

    with pytest.raises(
        PulumiCliError, match=r"can't be kept in .*/bin/go/ecs-tracing: Not a directory\.\nMake room or"
    ):
        machine.ensure()


def test_the_go_module_builds_a_version_that_is_new_enough() -> None:
    """What is built from the lock must be accepted by locate()."""
    assert built_version() == Version(3, 200, 0)
    assert built_version() >= MINIMUM_VERSION
