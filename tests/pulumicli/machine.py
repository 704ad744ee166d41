"""A made-up machine: a PATH of its own, an empty cache, no network; `go` and `pulumi` are a few lines of shell."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pulumicli import ensure, language_files

REPOSITORY = Path(__file__).parents[2]
NEEDED = ("cat", "chmod", "dirname", "mkdir", "readlink", "sh")
NOWHERE = "http://127.0.0.1:9"  # the discard port: refused at once, as on a machine without network
REFUSED = f"[Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}"

GO = """\
#!/bin/sh
echo "$1" >> "{log}"
case $1 in
    version) echo "go version go{version} linux/amd64" ;;
    build)
        {before_build}
        while [ "$1" != -o ]; do shift; done
        mkdir -p "$(dirname "$2")"
        printf '#!/bin/sh\\necho v3.200.0\\n' > "$2"
        chmod 755 "$2"
        ;;
esac
"""


class Machine:
    """What a test arranges and looks at. `said` is every line of progress so far."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bin = root / "bin"
        self.cache = root / "cache" / "ecs-tracing"
        self.said: list[str] = []
        self._go_log = root / "go.log"
        self.bin.mkdir()
        for tool in NEEDED:
            self.bin.joinpath(tool).symlink_to(shutil.which(tool) or "/bin/false")
        monkeypatch.setenv("PATH", str(self.bin))
        monkeypatch.setenv("XDG_CACHE_HOME", str(root / "cache"))
        for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(proxy, NOWHERE)
        for exception in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(exception, raising=False)

    def install_go(self, version: str = "1.24.1", before_build: str = ":") -> None:
        """Put a `go` on PATH whose build makes a `pulumi` that says 3.200.0."""
        self._write("go", GO.format(log=self._go_log, version=version, before_build=before_build))

    def install_pulumi(self, version: str, *, language_host: bool = True) -> Path:
        """Put a `pulumi` on PATH, as its own installer would."""
        if language_host:
            self._write(language_files.HOST, "#!/bin/sh\n")
        return self._write("pulumi", f"#!/bin/sh\necho v{version}\n")

    def ensure(self) -> Path:
        """Run the set-up in this process."""
        return ensure(self.said.append)

    def start(self) -> subprocess.Popen[str]:
        """Run the set-up in a process of its own, as make does, and in a group of its own, so that it can be killed."""
        return subprocess.Popen(
            [sys.executable, "-m", "pulumicli"],
            cwd=REPOSITORY,
            env=dict(os.environ),
            start_new_session=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def built(self) -> Path:
        """Where the CLI built from Go modules belongs."""
        return self.cache / "pulumi-3.200.0" / "bin" / "pulumi"

    @property
    def go_calls(self) -> list[str]:
        """The subcommands that `go` was called with."""
        return self._go_log.read_text().split() if self._go_log.exists() else []

    def _write(self, name: str, text: str) -> Path:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path
