"""Build the Pulumi CLI from Go modules, for machines that reach a module proxy but not Pulumi's download site.

`build/go.mod` and `build/go.sum` pin every module. `go install pkg@version` refuses Pulumi's CLI (its go.mod has
replace directives), a module that requires it does not.
"""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from pulumicli.errors import PulumiCliError
from pulumicli.versions import GO_MODULE, Version, built_version

PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
READ_ONLY = "-mod=readonly"  # go.mod and go.sum are the lock: a build must not change them


def build(folder: Path, progress: Callable[[str], None]) -> None:
    """Build the CLI as FOLDER/bin/pulumi.

    Raises:
        PulumiCliError: Go is missing, too old, or the build failed.

    """
    go = _go()
    version = built_version()
    progress(f"Pulumi CLI {version}, step 1 of 2: downloading its Go modules (about 2 min, kept in Go's own cache) …")
    _run([go, "list", READ_ONLY, "-deps", PACKAGE])
    progress(f"Pulumi CLI {version}, step 2 of 2: building it (about 3 min on two cores) …")
    link = f"-s -w -X {VERSION_VARIABLE}={version}"  # -s -w: without debug information, 80 MB instead of 120
    target = folder / "bin" / "pulumi"
    _run([go, "build", READ_ONLY, "-trimpath", "-buildvcs=false", "-ldflags", link, "-o", str(target), PACKAGE])


def _go() -> str:
    """Return the `go` command, having checked that it is new enough (a newer one may fetch the toolchain it needs)."""
    needed = re.search(r"^go (\S+)", GO_MODULE.read_text(encoding="utf-8"), re.MULTILINE)
    oldest = needed.group(1) if needed else "1.23"
    go = shutil.which("go")
    if go is None:
        message = f"Go is not installed; version {oldest} or newer is needed"
        raise PulumiCliError(message)
    # Run beside go.mod, so that Go itself applies its rules about toolchains.
    answer = subprocess.run(
        [go, "version"], capture_output=True, check=False, cwd=GO_MODULE.parent, env=_environment(), text=True
    )
    found = re.search(r"go(\d+\.\d+(?:\.\d+)?)", answer.stdout)
    if answer.returncode or found is None:
        reason = (answer.stderr.strip().splitlines() or ["`go version` fails"])[-1]
        message = f"Go at {go} can't be used ({reason}); version {oldest} or newer is needed"
        raise PulumiCliError(message)
    have = Version.find(f"{found.group(1)}.0")
    need = Version.find(f"{oldest}.0")
    if have and need and have < need:
        message = f"Go {found.group(1)} at {go} is too old; version {oldest} or newer is needed"
        raise PulumiCliError(message)
    return go


def install_command() -> str:
    """Return the command that installs a new enough Go on this kind of machine."""
    if platform.system() == "Darwin":
        return "brew install go"
    if shutil.which("snap"):
        return "sudo snap install go --classic"
    if shutil.which("apt-get"):
        return "sudo apt-get install golang-go"
    return "see https://go.dev/doc/install"


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, check=False, cwd=GO_MODULE.parent, env=_environment(), text=True
    )
    if done.returncode:
        # Go's first complaint tells the cause; the download notes before it don't.
        told = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("go: downloading")]
        reason = told[0] if told else f"exit code {done.returncode}"
        message = f"`{Path(command[0]).name} {command[1]}` failed: {reason}"
        raise PulumiCliError(message)


def _environment() -> dict[str, str]:
    """Return the caller's environment less what would bend the build: workspaces, flags, C compilers."""
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
