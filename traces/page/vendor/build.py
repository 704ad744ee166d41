"""Copy the browser builds of the page's libraries from npm to this folder: `make vendor`, after package.json changed.

npm checks every package against package-lock.json; what lands here is each package's own minified file, byte for byte
but for the link to a source map nobody has. Users and tests need no npm: the files are kept in the repository.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# In the order of loading: each finds those it builds on already there.
PACKAGES = (
    "d3-array",
    "d3-color",
    "d3-dispatch",
    "d3-ease",
    "d3-format",
    "d3-path",
    "d3-selection",
    "d3-time",
    "d3-timer",
    "d3-interpolate",
    "d3-time-format",
    "d3-transition",
    "d3-drag",
    "d3-axis",
    "d3-shape",
    "d3-scale",
    "d3-zoom",
    "d3-brush",
    "@dagrejs/dagre",
)
_INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
_SOURCE_MAP = re.compile(rb"^//# sourceMappingURL=.*\n?", re.MULTILINE)
_README = """\
# Libraries of the review page

Browser builds from npm, kept here so that a page is written without a network. Versions are those of
`package-lock.json`; `make vendor` (npm needed) re-creates the rest. Licences: `LICENSES.txt`, which every page carries.

| file | package | SHA-256 |
|---|---|---|
"""


def main() -> None:
    """Install what the lock file says into a scratch folder, and copy what the page needs."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, scratch)
        subprocess.run(_INSTALL, cwd=scratch, check=True)
        modules = Path(scratch, "node_modules")
        for old in HERE.glob("*.min.js"):
            old.unlink()
        rows = [_copy(modules / package, position) for position, package in enumerate(PACKAGES, start=1)]
        (HERE / "LICENSES.txt").write_text(_licences(modules))
    (HERE / "README.md").write_text(_README + "\n".join(rows) + "\n")


def _copy(package: Path, position: int) -> str:
    """Copy one package's file, numbered by its place in the order of loading; return its line of the README."""
    about = json.loads((package / "package.json").read_text())
    content = _SOURCE_MAP.sub(b"", (package / "dist" / f"{package.name}.min.js").read_bytes())
    target = HERE / f"{position:02}-{package.name}.min.js"
    target.write_bytes(content)
    return f"| {target.name} | {about['name']} {about['version']} | {hashlib.sha256(content).hexdigest()} |"


def _licences(modules: Path) -> str:
    """Return every licence once, headed by its packages; internmap and graphlib are parts of others' builds."""
    packages: dict[str, list[str]] = {}
    for package in (*PACKAGES, "internmap", "@dagrejs/graphlib"):
        packages.setdefault((modules / package / "LICENSE").read_text().strip(), []).append(package)
    return "\n\n".join(f"{', '.join(names)}\n\n{text}" for text, names in packages.items()) + "\n"


if __name__ == "__main__":
    main()
