"""Pulumi's own installer, in a process of its own.

The installer downloads without a time limit and prints tracebacks where there is no network. So its site is probed
first, for a few seconds, and what it prints is kept and cut down to its last line.

    python -m pulumicli.official FOLDER VERSION     what the child process runs
"""

import importlib.metadata
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

from pulumicli.errors import PulumiCliError
from pulumicli.versions import MINIMUM_VERSION, Version

SITE = "https://get.pulumi.com"
PROBE_TIMEOUT = 5  # seconds; a reachable site answers in well under one
INSTALL_TIMEOUT = 900  # seconds; about 150 MB, 2 minutes on an ordinary line


def version() -> Version:
    """Return the version to install: that of the SDK in use, so that both speak the same protocol."""
    return Version.find(importlib.metadata.version("pulumi")) or MINIMUM_VERSION


def unreachable() -> str | None:
    """Return why Pulumi's download site can't be reached, None if it can. Takes at most PROBE_TIMEOUT seconds."""
    answer: list[str | None] = []

    def probe() -> None:
        try:
            urllib.request.build_opener().open(SITE, timeout=PROBE_TIMEOUT).close()
        except urllib.error.HTTPError as error:
            answer.append(f"it answers {error.code}")
        except urllib.error.URLError as error:
            answer.append(str(error.reason))
        except (OSError, ValueError) as error:
            answer.append(str(error))
        else:
            answer.append(None)

    # In a thread, because looking up a host name knows no timeout.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_TIMEOUT)
    return answer[0] if answer else f"no answer within {PROBE_TIMEOUT} s"


def install(folder: Path) -> None:
    """Install the CLI, language hosts included, as FOLDER/bin/pulumi.

    Raises:
        PulumiCliError: in one line, why it did not work.

    """
    command = [sys.executable, "-m", "pulumicli.official", str(folder), str(version())]
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, cwd=Path(__file__).parents[1], text=True, timeout=INSTALL_TIMEOUT
        )
    except subprocess.TimeoutExpired:
        message = f"it was not done after {INSTALL_TIMEOUT // 60} minutes"
        raise PulumiCliError(message) from None
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise PulumiCliError(lines[-1].strip() if lines else f"it ended with exit code {done.returncode}")


def main(folder: str, wanted: str) -> None:
    """Run the installer of the Automation API."""
    import semver  # noqa: PLC0415 - here and below: importing the SDK takes 0.5 s, which only this process should pay
    from pulumi.automation import PulumiCommand  # noqa: PLC0415

    try:
        PulumiCommand.install(root=folder, version=semver.VersionInfo.parse(wanted))
    except subprocess.CalledProcessError as error:
        # The install script's own words, which check_output keeps to itself.
        sys.exit(error.output.decode(errors="replace"))


if __name__ == "__main__":
    main(*sys.argv[1:])
