"""The embedded AWS's stand-ins for the `aws` and `awsx` provider plugins, and how the engine gets to find them.

The engine starts a provider as PULUMI_HOME/plugins/resource-NAME-vVERSION/pulumi-resource-NAME. A folder of that name
with an executable in it is all that it asks for: no network, no warning.
"""

import os
import shlex
import sys
import tempfile
from pathlib import Path

# The versions of the SDKs in requirements.in: the engine asks for the plugin of the very version that the program uses.
PLUGINS = {"aws": "7.51.1", "awsx": "3.11.0"}

_REPOSITORY = Path(__file__).parents[2]


def install(pulumi_home: Path) -> None:
    """Lay both plugins into a PULUMI_HOME, or bring them up to this checkout and interpreter.

    May be called as often and by as many processes at once as one likes: each file appears whole or not at all.

    Raises:
        OSError: the folder can't be written.

    """
    for name, version in PLUGINS.items():
        folder = pulumi_home / "plugins" / f"resource-{name}-v{version}"
        folder.mkdir(parents=True, exist_ok=True)
        # `pulumi plugin install` leaves this mark while it works; a plugin that has one is passed over.
        folder.with_name(f"{folder.name}.partial").unlink(missing_ok=True)
        # The engine's own copy of the plugin's schema, for `pulumi import`; the next checkout's may differ.
        (pulumi_home / "plugins" / f"schema-{name}-{version}-.json").unlink(missing_ok=True)
        _write(folder / f"pulumi-resource-{name}", _starter(name))


def _starter(name: str) -> str:
    """Return a shell script that runs a plugin with this interpreter from this checkout."""
    root = shlex.quote(str(_REPOSITORY))
    return (
        "#!/bin/sh\n"
        "# Written by localaws.plugins.install; rewritten by the next one.\n"
        f'export PYTHONPATH={root}"${{PYTHONPATH:+:$PYTHONPATH}}"\n'
        # -P: the folder that the engine starts it in, the user's program, is no place to import from.
        f'exec {shlex.quote(sys.executable)} -P -m localaws.plugins.{name} "$@"\n'
    )


def _write(target: Path, text: str) -> None:
    if target.is_file() and target.read_text(encoding="utf-8") == text and os.access(target, os.X_OK):
        return
    handle, name = tempfile.mkstemp(prefix=".partial-", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o755)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
