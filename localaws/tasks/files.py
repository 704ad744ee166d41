"""Files that an Envoy follows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envoymesh.render import text


class Files:
    """The configuration of one Envoy in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._written: dict[str, str] = {}

    def write(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Bring the files to what the documents by their names say; Envoy sees each whole and only when it changed.

        Endpoints come first and listeners last, so that nothing points at what Envoy has not heard of.
        """
        for name in sorted(documents, key=_order):
            content = text(dict(documents[name]))
            if self._written.get(name) == content:
                continue
            temporary = self._folder / f".{name}"
            temporary.write_text(content, encoding="utf-8")
            temporary.replace(self._folder / name)
            self._written[name] = content


def _order(name: str) -> int:
    return {"clusters.json": 1, "listeners.json": 2}.get(name, 0)
