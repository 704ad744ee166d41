"""The YAML of ``fleet.yaml``: quickly read, and nothing in it lost without a word."""

from typing import Any

import yaml

from services.fleet_model import FleetError, refused

# The compiled loader takes a tenth of the time.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def document(text: str) -> Any:
    """What a YAML text holds; an empty mapping where that is nothing.

    Raises:
        FleetError: it is malformed, or declares a key twice.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return {}
        _without_duplicates(node, "", set())
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, FleetError):
            raise
        raise refused("", f"is malformed: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise refused("", "is malformed: it is nested too deeply") from error
    finally:
        loader.dispose()


def _without_duplicates(node: yaml.Node, place: str, seen: set[int]) -> None:
    """Of two equal keys YAML's loaders keep the last without a word."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for number, each in enumerate(node.value):
            _without_duplicates(each, f"{place}[{number}]", seen)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        where, line = f"{place}.{key.value}".removeprefix("."), key.start_mark.line + 1
        if key.value in lines:
            raise refused(where, f"is declared twice, in lines {lines[key.value]} and {line}")
        lines[key.value] = line
        _without_duplicates(value, where, seen)
