"""Make docs/comments.md: the comments of three real changes, as the program writes them.

python -m tests.engine.comments
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.engine.checkout import ROOT, Checkout
from tests.engine.committed import commit, configure, git

_HEAD = """\
# What a reviewer reads

The comments that [the workflow](pull-requests.md) writes on three pull requests, as they are. This page is made by
`python -m tests.engine.comments`.
"""
# A heading, what was changed, and the texts that took the places of others, by file; the flag is in the configuration.
_EDITS: Mapping[str, tuple[str, Mapping[str, tuple[str, str]]]] = {
    "Tracing is turned on": ("`tracing: true` in the four files of `stacks/`", {}),
    "A service gets a larger task": (
        "`cpu=1024, memory=2048` in `services/crystal.py`",
        {
            "services/crystal.py": (
                "        envoy_log_level=",
                "        cpu=1024,\n        memory=2048,\n        envoy_log_level=",
            )
        },
    ),
    "The platform's network gets another CIDR": (
        "`10.7.0.0/24` in `services/network.py`",
        {"services/network.py": ("10.0.0.", "10.7.0.")},
    ),
}


def _comments(checkout: Checkout) -> Iterator[str]:
    commit(checkout)
    for heading, (changed, edits) in _EDITS.items():
        configure(checkout, tracing=not edits)
        for name, (old, new) in edits.items():
            file = checkout.root / name
            file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        comment = checkout.root / "comment.md"
        checkout.script("preview", "--env", "prod", "--against", "main", "--markdown", str(comment))
        yield f"---\n\n# {heading}\n\nThe change: {changed}.\n\n{comment.read_text(encoding='utf-8')}\n"
        git(checkout, "checkout", "--quiet", "--", ".")


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join([_HEAD, *_comments(Checkout(Path(folder)))])
    (ROOT / "docs" / "comments.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
