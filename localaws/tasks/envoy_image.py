"""How App Mesh's Envoy image reads its environment. Source: App Mesh user guide, "Envoy image variables"."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from envoymesh import Endpoint

_DEFAULT_RATE = 0.05
_XRAY = "ENABLE_ENVOY_XRAY_TRACING"
_TRACERS = (_XRAY, "ENABLE_ENVOY_DATADOG_TRACING", "ENABLE_ENVOY_JAEGER_TRACING")
_MANIFEST_VERSION = 2  # the only one that Envoy's tracer reads
_LOG_LEVELS = {
    **{level: level for level in ("trace", "debug", "info", "warning", "error", "critical", "off")},
    "warn": "warning",
}


class BadVariableError(Exception):
    """A variable that the image refuses: it ends with this message."""


@dataclass(frozen=True, kw_only=True)
class XRay:
    """The tracing that a container's environment asks for."""

    daemon: Endpoint  # as seen from within the task
    segment_name: str | None
    sampling_rate: float
    manifest: str | None


@dataclass(frozen=True, kw_only=True)
class EnvoySettings:
    """What a container's environment says."""

    resource_arn: str
    cluster: str | None  # what Envoy calls itself; None: as the resource
    log_level: str
    admin_port: int
    stats_tags: bool
    xray: XRay | None


def read(variables: Mapping[str, str]) -> EnvoySettings:
    """Return the settings that environment variables make.

    Raises:
        BadVariableError: the image would not start with them.

    """
    tracers = [name for name in _TRACERS if variables.get(name) == "1"]
    if len(tracers) > 1:
        raise BadVariableError(f"only one kind of tracing can be on, not {' and '.join(tracers)}")
    arn = variables.get("APPMESH_RESOURCE_ARN", "")
    if not arn:
        raise BadVariableError("APPMESH_RESOURCE_ARN environment variable is not set")
    level = (variables.get("ENVOY_LOG_LEVEL") or "info").lower()
    if level not in _LOG_LEVELS:
        raise BadVariableError(f"ENVOY_LOG_LEVEL has no level '{level}'; there are {', '.join(_LOG_LEVELS)}")
    return EnvoySettings(
        resource_arn=arn,
        cluster=variables.get("APPMESH_RESOURCE_CLUSTER") or None,
        log_level=_LOG_LEVELS[level],
        admin_port=_port(variables, "ENVOY_ADMIN_ACCESS_PORT", 9901),
        stats_tags=variables.get("ENABLE_ENVOY_STATS_TAGS") == "1",
        xray=_xray(variables) if _XRAY in tracers else None,
    )


def _xray(variables: Mapping[str, str]) -> XRay:
    return XRay(
        daemon=_daemon(variables),
        segment_name=variables.get("XRAY_SEGMENT_NAME") or None,
        sampling_rate=_rate(variables.get("XRAY_SAMPLING_RATE", "")),
        manifest=_manifest(variables.get("XRAY_SAMPLING_RULE_MANIFEST", "")),
    )


def _daemon(variables: Mapping[str, str]) -> Endpoint:
    port = _port(variables, "XRAY_DAEMON_PORT", 2000)
    given = variables.get("AWS_XRAY_DAEMON_ADDRESS") or "127.0.0.1"
    host, colon, own_port = given.partition(":")
    try:
        address = str(IPv4Address(host))
        if colon:
            port = _port({"port": own_port}, "port", port)
    except (ValueError, BadVariableError):
        raise BadVariableError(
            f"AWS_XRAY_DAEMON_ADDRESS must be an IPv4 address, with or without a port, not '{given}'"
        ) from None
    return Endpoint(address=address, port=port)


def _rate(given: str) -> float:
    if not given:
        return _DEFAULT_RATE
    try:
        rate = float(given)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise BadVariableError(f"XRAY_SAMPLING_RATE must be a number from 0 to 1, not '{given}'")
    return round(rate, 2)


def _manifest(path: str) -> str | None:
    if not path:
        return None
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the path is another machine's in spirit
            manifest = json.load(file)
    except (OSError, ValueError) as error:
        raise BadVariableError(f"XRAY_SAMPLING_RULE_MANIFEST can't be read: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("version") != _MANIFEST_VERSION:
        raise BadVariableError(f"XRAY_SAMPLING_RULE_MANIFEST must hold rules of version 2, unlike {path}")
    return json.dumps(manifest)


def _port(variables: Mapping[str, str], name: str, default: int) -> int:
    given = variables.get(name) or str(default)
    if not re.fullmatch(r"\d{1,5}", given) or not 0 < int(given) <= 65535:  # noqa: PLR2004 - the last port
        raise BadVariableError(f"{name} must be a port from 1 to 65535, not '{given}'")
    return int(given)
