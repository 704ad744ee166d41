"""A review of traces as one HTML page that needs nothing else: no server, no network, no other file.

Everything is in the page, compressed. Nothing of the data is ever markup or script: it travels as base64, and the page
shows it as text only. Its Content-Security-Policy lets nothing run but the page's own scripts, and nothing be fetched.
"""

import base64
import gzip
import hashlib
import html
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from traces.model import ServiceMap, Trace, TraceSummary
from traces.page import encode, link

_PAGE = Path(__file__).parent / "page"
_STYLES = ("base.css", "charts.css")


@dataclass(frozen=True, kw_only=True)
class Review:
    """What the page shows; its range of time is the map's."""

    title: str  # such as the environment's name
    map: ServiceMap
    traces: Sequence[TraceSummary]  # the newest first, as X-Ray lists them
    details: Mapping[str, Trace] = field(default_factory=dict)  # by id; those without show what the list tells
    notes: Sequence[str] = ()  # what was left out, a sentence each
    before: "Review | None" = None  # what to compare with; its own `before` is not looked at


def write(path: Path, review: Review) -> int:
    """Write the page; return its size in bytes. A reader sees the old file or the new one, never a half.

    Raises:
        OSError: the file can't be written.

    """
    content = page(review).encode()
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    return len(content)


def page(review: Review) -> str:
    """Return the page as text, all ASCII but for its own words."""
    libraries = "\n".join(file.read_text(encoding="utf-8") for file in sorted((_PAGE / "vendor").glob("*.min.js")))
    script = link.script(_PAGE, "main")
    style = "\n".join((_PAGE / name).read_text(encoding="utf-8") for name in _STYLES)
    return Template((_PAGE / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(review.title.encode("utf-8", "replace").decode()),
        policy=_policy([libraries, script], style),
        style=style,
        libraries=libraries,
        script=script,
        licences=(_PAGE / "vendor" / "LICENSES.txt").read_text(encoding="utf-8"),
        data="\n".join(_data(review)),
    )


def _policy(scripts: Sequence[str], style: str) -> str:
    """Return the Content-Security-Policy: the page's own scripts and styles by their hashes, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {_hash(style)}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _data(review: Review) -> Iterator[str]:
    """Yield the blocks of data, which browsers neither run nor show: the index, and each set's segments in chunks."""
    yield _block("index", encode.index(review))
    for number, each in enumerate(filter(None, (review, review.before))):
        for place, content in enumerate(encode.chunks(each)):
            yield _block(f"segments-{number}-{place}", content)


def _block(name: str, content: str) -> str:
    packed = base64.b64encode(gzip.compress(content.encode("ascii"), mtime=0)).decode()
    return f'<script type="application/gzip" id="{name}">{packed}</script>'
