"""What a plan tells of a collector: where it hears Envoy, and to which region it sends. Each has a language of its own.

Sources: aws-xray-daemon, command line; aws-otel-collector, config_factory.go and the configurations in its image;
amazon-cloudwatch-agent, translator.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import yaml

from checks.model import is_known, listed, mapped, text

PORT = "2000"  # UDP; where collectors listen and Envoy sends if neither is told otherwise
REGION = "AWS_REGION"

_ADOT, _CLOUDWATCH = "AOT_CONFIG_CONTENT", "CW_CONFIG_CONTENT"
# The configurations in ADOT's image, and those of them with which it hears segments.
_ADOT_FOLDER = "/etc/ecs/"
_ADOT_DEFAULT = "/etc/otel-config.yaml"
_ADOT_HEARING = (
    _ADOT_DEFAULT,
    "/etc/ecs/ecs-default-config.yaml",
    "/etc/ecs/container-insights/otel-task-metrics-config.yaml",
)


@dataclass(frozen=True, kw_only=True)
class Collector:
    """What is known of one; None: not known."""

    port: str | None = None  # UDP
    unheard: str = ""  # why it hears no segments at all
    region: str | None = None  # "" where it is told none, and ends
    region_is_set_by: str = REGION
    needs_root: bool = False


def read(sidecar: Mapping[str, Any], variables: Mapping[str, Any]) -> Collector | None:
    """What the sidecar's container definition tells, `variables` being its environment; None of what we do not know."""
    image = (text(sidecar.get("image")) or "").partition("@")[0].rpartition("/")[2].partition(":")[0]
    if _ADOT in variables or "aws-otel-collector" in image:
        return _adot(sidecar, variables)
    if _CLOUDWATCH in variables or "cloudwatch-agent" in image:
        return _cloudwatch_agent(variables)
    return _daemon(sidecar, variables) if "xray" in image else None


def _daemon(sidecar: Mapping[str, Any], variables: Mapping[str, Any]) -> Collector:
    region = _option(sidecar, "-n", "--region") or variables.get(REGION) or ""
    if not _knows_command(sidecar):
        return Collector(region=text(region) or None)
    bound = _option(sidecar, "-b", "--bind")
    return Collector(port=_port(bound or PORT), region=text(region))


def _adot(sidecar: Mapping[str, Any], variables: Mapping[str, Any]) -> Collector:
    region = text(variables.get(REGION, ""))
    if _ADOT in variables:
        written = text(variables[_ADOT])
        return Collector() if written is None else _adot_with(written, region)
    path = _option(sidecar, "--config", "-config") or _ADOT_DEFAULT
    if not _knows_command(sidecar) or not path.startswith((_ADOT_DEFAULT, _ADOT_FOLDER)):
        return Collector()
    unheard = "" if path in _ADOT_HEARING else f"with {path} it has no receiver awsxray"
    return Collector(port=PORT, unheard=unheard, region=region)


def _adot_with(written: str, own_region: str | None) -> Collector:
    try:
        configuration = yaml.safe_load(written)
    except yaml.YAMLError:
        return Collector(unheard=f"{_ADOT} is not YAML")
    for receiver, exporter in _ways(mapped(configuration)):
        if str(receiver.get("transport", "udp")) != "udp":
            return Collector(unheard=f"its receiver awsxray in {_ADOT} is not one of UDP")
        region = exporter.get("region")
        return Collector(
            port=_port(str(receiver.get("endpoint") or PORT)),
            region=_settled(str(region)) if region else own_region,
            region_is_set_by=f"exporters.awsxray.region in {_ADOT}" if region else REGION,
        )
    return Collector(unheard=f"{_ADOT} has no pipeline from a receiver awsxray to an exporter awsxray")


def _ways(configuration: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The settings of receiver and exporter of each pipeline that takes segments from UDP to X-Ray."""
    for name, pipeline in mapped(mapped(configuration.get("service")).get("pipelines")).items():
        ends = []
        for kind in ("receivers", "exporters"):
            defined = mapped(configuration.get(kind))
            used = [str(each) for each in listed(mapped(pipeline).get(kind))]
            ends += [mapped(defined[each]) for each in used if _is(each, "awsxray") and each in defined][:1]
        if _is(str(name), "traces") and len(ends) == len(("receiver", "exporter")):
            yield ends[0], ends[1]


def _is(name: str, component: str) -> bool:
    return name.partition("/")[0] == component


def _cloudwatch_agent(variables: Mapping[str, Any]) -> Collector:
    if _CLOUDWATCH not in variables:
        return Collector(unheard=f"{_CLOUDWATCH} is not set", needs_root=True)
    written = text(variables[_CLOUDWATCH])
    if written is None:
        return Collector(needs_root=True)
    try:
        configuration = mapped(json.loads(written))
    except ValueError:
        return Collector(unheard=f"{_CLOUDWATCH} is not JSON", needs_root=True)
    traces = mapped(configuration.get("traces"))
    xray = mapped(traces.get("traces_collected")).get("xray")
    if not isinstance(xray, Mapping):
        return Collector(unheard=f"{_CLOUDWATCH} has no traces.traces_collected.xray", needs_root=True)
    override = text(traces.get("region_override"))
    # Without one it finds its region out, which the daemon and ADOT can't.
    return Collector(
        port=_port(str(xray.get("bind_address") or PORT)),
        region=override or text(mapped(configuration.get("agent")).get("region")) or None,
        region_is_set_by=f"{'traces.region_override' if override else 'agent.region'} in {_CLOUDWATCH}",
        needs_root=True,
    )


def _port(endpoint: str) -> str | None:
    return _settled(endpoint.rpartition(":")[2])


def _settled(value: str) -> str | None:
    """The value, unless it is to be taken from a variable when the collector starts."""
    return None if "$" in value or "}" in value else value


def _knows_command(sidecar: Mapping[str, Any]) -> bool:
    return all(is_known(sidecar[key]) for key in ("command", "entryPoint") if key in sidecar)


def _option(sidecar: Mapping[str, Any], *flags: str) -> str:
    """The value of a flag on the command line, the last one given; "" without."""
    words = [str(word) for key in ("entryPoint", "command") for word in listed(sidecar.get(key))]
    found = ""
    for word, following in pairwise([*words, ""]):
        flag, equals, value = word.partition("=")
        if flag in flags:
            found = value if equals else following
    return found
