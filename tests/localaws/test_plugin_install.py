"""How the stand-ins of the provider plugins are laid where the engine looks."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localaws.plugins import PLUGINS, install

REPOSITORY = Path(__file__).parents[2]


def starters(home: Path) -> dict[str, Path]:
    """Return the executable of each plugin in the layout that the engine asks for."""
    return {
        name: home / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}"
        for name, version in PLUGINS.items()
    }


def test_both_plugins_are_laid_as_executables(tmp_path: Path) -> None:
    """The engine starts PULUMI_HOME/plugins/resource-NAME-vVERSION/pulumi-resource-NAME."""
    install(tmp_path)

    assert all(os.access(starter, os.X_OK) for starter in starters(tmp_path).values())


def test_the_plugins_are_those_of_the_sdks_in_use() -> None:
    """A program asks for exactly the version of the SDK that it is written with."""
    wanted = dict(re.findall(r"^pulumi-(\w+)==([\d.]+)", (REPOSITORY / "requirements.in").read_text(), re.MULTILINE))

    assert wanted == PLUGINS


def test_installing_again_changes_nothing(tmp_path: Path) -> None:
    """A second call leaves the very same files, so that it is safe while an engine starts one."""
    install(tmp_path)
    before = {name: starter.stat().st_ino for name, starter in starters(tmp_path).items()}
    install(tmp_path)

    assert {name: starter.stat().st_ino for name, starter in starters(tmp_path).items()} == before


def test_a_changed_starter_is_put_right(tmp_path: Path) -> None:
    """What another checkout or a half-done installation has left is replaced."""
    install(tmp_path)
    starter = starters(tmp_path)["aws"]
    content = starter.read_text()
    starter.write_text("#!/bin/sh\nexit 1\n")
    folder = starter.parent
    folder.with_name(f"{folder.name}.partial").touch()
    install(tmp_path)

    assert starter.read_text() == content
    assert not folder.with_name(f"{folder.name}.partial").exists()


def test_many_may_install_at_once(tmp_path: Path) -> None:
    """Each sees whole files, and no temporary ones stay."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(install, [tmp_path] * 32))

    files = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["pulumi-resource-aws", "pulumi-resource-awsx"]


def test_a_plugin_starts_in_any_folder(tmp_path: Path) -> None:
    """Modules of the user's program are not mistaken for the plugin's."""
    install(tmp_path)
    tmp_path.joinpath("json.py").write_text("raise SystemExit('imported from the wrong place')\n")
    plugin = subprocess.Popen(
        [starters(tmp_path)["awsx"], "127.0.0.1:1"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert plugin.stdin is not None
    assert plugin.stdout is not None
    port = plugin.stdout.readline()
    plugin.stdin.close()  # as when the engine has died: the plugin ends by itself

    assert 0 < int(port) < 65536
    assert plugin.wait() == 0
    plugin.stdin = None
    assert plugin.communicate() == ("", "")
