"""Finds a service or a call on the map by what people type: ``frontend`` for ``ecs-mesh/frontend``."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from traces.errors import RequestError
from traces.model import CLIENT, Edge, Key, Node, ServiceMap

_T = TypeVar("_T")


def label(key: Key) -> str:
    """Return the name to show: ``client`` for a caller nobody traces."""
    return CLIENT if key.type == CLIENT else key.name


def service(shown: ServiceMap, text: str) -> Node:
    """Return the service of that name. Raises `RequestError` naming the candidates where there is not exactly one."""
    services = [node for node in shown.nodes.values() if node.key.type != CLIENT]
    found = _best([node for node in services if _matches(node.key, text)], lambda node: node.key.name == text)
    return _only(found, services, lambda node: _full(node.key), f"service '{text}'")


def call(shown: ServiceMap, source: str, target: str) -> Edge:
    """Return the calls from one service to another, or from ``client``; raises as `service` does."""
    edges = list(shown.edges.values())
    found = [edge for edge in edges if _matches(edge.source, source) and _matches(edge.target, target)]
    exact = _best(found, lambda edge: (label(edge.source), label(edge.target)) == (source, target))
    return _only(exact, edges, _ends, f"edge from '{source}' to '{target}'")


def _matches(key: Key, text: str) -> bool:
    return text in (label(key), label(key).rpartition("/")[2], _full(key))


def _full(key: Key) -> str:
    """Return name and type, which tell any two services apart."""
    return f"{key.name} ({key.type})" if key.type else key.name


def _ends(edge: Edge) -> str:
    return f"{_full(edge.source)} to {_full(edge.target)}"


def _best(found: Sequence[_T], is_exact: Callable[[_T], bool]) -> Sequence[_T]:
    return [one for one in found if is_exact(one)] or found


def _only(found: Sequence[_T], all_there: Iterable[_T], told: Callable[[_T], str], asked: str) -> _T:
    if len(found) == 1:
        return found[0]
    candidates = sorted(told(one) for one in (found or all_there))
    listed = "; ".join(candidates)
    if not listed:
        raise RequestError(f"No {asked} is on the map: there are no traces in this range.")
    if found:
        raise RequestError(f"More than one {asked} is on the map. Name one of: {listed}.")
    raise RequestError(f"No {asked} is on the map. There is: {listed}.")
