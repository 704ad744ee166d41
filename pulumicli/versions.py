"""Versions of the Pulumi CLI: what is needed, what is built, what an executable says of itself."""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

PROBE_TIMEOUT = 20  # seconds for `pulumi version`; it takes 0.2 s on an idle machine
GO_MODULE = Path(__file__).parent / "build" / "go.mod"


class Version(NamedTuple):
    """Major, minor, patch; what follows (`-alpha.1`, `+dirty`) is dropped."""

    major: int
    minor: int
    patch: int

    @classmethod
    def find(cls, text: str) -> "Version | None":
        """Return the first version in the text, None if there is none."""
        match = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
        return cls(*map(int, match.groups())) if match else None

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


MINIMUM_VERSION = Version(3, 200, 0)  # the oldest CLI that this project is tested with


def accepted(version: Version) -> bool:
    """Whether a CLI of this version will do: new enough, and of the major version that the SDK speaks to."""
    return version >= MINIMUM_VERSION and version.major == MINIMUM_VERSION.major


def built_version() -> Version:
    """Return the version that the checked-in Go module builds."""
    required = re.search(r"github\.com/pulumi/pulumi/pkg/v3 v(\S+)", GO_MODULE.read_text(encoding="utf-8"))
    version = Version.find(required.group(1)) if required else None
    if version is None:
        message = f"{GO_MODULE} does not require github.com/pulumi/pulumi/pkg/v3"
        raise ValueError(message)
    return version


def version_of(executable: Path) -> Version | None:
    """Return what `pulumi version` prints; None if the file is missing, damaged, hangs or is no Pulumi CLI."""
    try:
        answer = subprocess.run(
            [executable, "version"],
            capture_output=True,
            check=True,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            text=True,
            timeout=PROBE_TIMEOUT,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return Version.find(answer.stdout)
