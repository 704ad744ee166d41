"""The page's scripts as one: each module becomes a function of its own, called once, those it imports before it.

What is understood is what the page's modules use: ``import { a, b } from "./other.js";`` and ``export`` before a
function, class or const. So the page needs neither a bundler nor a server, and browsers run what is in the repository.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{\s*([^}]+?)\s*\} from "\./([a-z]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def script(folder: Path, entry: str) -> str:
    """Return the module `entry` of a folder with all that it imports.

    Raises:
        ValueError: modules import each other in a circle, or in words not understood here.

    """
    linked: dict[str, str] = {}
    _link(folder, entry, linked, ())
    return "\n".join(linked.values())


def _link(folder: Path, name: str, linked: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"the page's modules import each other in a circle: {' → '.join((*above, name))}")
    if name in linked:
        return
    source = (folder / f"{name}.js").read_text(encoding="utf-8")
    for _, other in _IMPORT.findall(source):
        _link(folder, other, linked, (*above, name))
    body = _EXPORT.sub("", _IMPORT.sub(r"const { \1 } = $\2;\n", source))
    if found := _LEFT_OVER.search(body):
        raise ValueError(f"{name}.js: not understood when linking the page: {found.group()}")
    linked[name] = f"const ${name} = (() => {{\n{body}return {{ {', '.join(_EXPORT.findall(source))} }};\n}})();"
