"""The stand-in for the ADOT collector: reads the original's configuration, and does of it what concerns segments.

Source: aws-otel-collector, pkg/config/config_factory.go, and the configurations in its image.
"""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from localaws.programs.otel import BATCH_SECONDS, Wanted, part, run, section
from localaws.programs.xray_daemon.flags import End
from localaws.programs.xray_daemon.log import Style

_STYLE = Style(line="%(asctime)s\t%(levelname)s\t%(message)s", levels=("debug", "info", "warn", "error"))
_HEARD = "localhost:2000"
_HEALTH = "localhost:13133"
_BATCH = 8192  # spans, where the configuration says nothing
_DEFAULT = "/etc/otel-config.yaml"
# The configurations of the image with which it hears segments; they are the same in what concerns those.
_HEARING = (
    _DEFAULT,
    "/etc/ecs/ecs-default-config.yaml",
    "/etc/ecs/container-insights/otel-task-metrics-config.yaml",
)
_OF_THE_IMAGE = """
extensions: {health_check: }
receivers: {awsxray: {endpoint: "0.0.0.0:2000", transport: udp}}
processors: {batch/traces: {timeout: 1s, send_batch_size: 50}}
exporters: {awsxray: }
service:
  extensions: [health_check]
  pipelines: {traces: {receivers: [awsxray], processors: [batch/traces], exporters: [awsxray]}}
"""
_VARIABLE = re.compile(r"\$\{(?:env:)?(\w+)\}")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def main() -> None:
    """Run it."""
    run("the ADOT collector (aws-otel-collector)", _STYLE, read)


def read(variables: Mapping[str, str]) -> Wanted:
    """Return what the configuration asks for.

    Raises:
        End: there is none, or it is wrong, or it has nothing that hears segments.

    """
    configuration = _parsed(_VARIABLE.sub(lambda match: variables.get(match[1], ""), _text(variables)))
    if not configuration:
        raise _refused("invalid configuration: empty configuration file")
    if not isinstance(configuration, dict):
        raise _refused(f"cannot resolve the configuration: retrieved value (type={type(configuration).__name__})")
    pipeline = _pipeline(configuration)
    receiver, exporter, batch = (
        section(configuration, kind, pipeline[kind]) for kind in ("receivers", "exporters", "processors")
    )
    region = exporter.get("region") or variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION")
    if not region:
        raise End(1, "cannot fetch region variable from config file, environment variables and ec2 metadata")
    health = _first("health_check", part(configuration, "service", "extensions"))
    return Wanted(
        udp=str(receiver.get("endpoint") or _HEARD),
        tcp=str(part(receiver, "proxy_server", "endpoint") or _HEARD),
        region=str(region),
        batch=_number(batch.get("send_batch_size")) if pipeline["processors"] else 1,
        idle_seconds=_seconds(batch.get("timeout")) if pipeline["processors"] else 0,
        health=str(part(configuration, "extensions", health, "endpoint") or _HEALTH) if health else "",
    )


def _text(variables: Mapping[str, str]) -> str:
    """Return the configuration: the variable's, or that of the image which the command line names."""
    if "AOT_CONFIG_CONTENT" in variables:
        return variables["AOT_CONFIG_CONTENT"]
    path = _DEFAULT
    for number, word in enumerate(sys.argv):
        if word.lstrip("-").partition("=")[0] == "config":
            path = word.partition("=")[2] or "".join(sys.argv[number + 1 : number + 2])
    if path not in _HEARING:
        raise End(1, f"Error: AOT_CONFIG_CONTENT is not set, and with {path} nothing hears X-Ray segments")
    return _OF_THE_IMAGE


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    import yaml  # noqa: PLC0415 - JSON is YAML, too, and needs no such import: Envoy does not wait for this program

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise _refused(f"cannot resolve the configuration: cannot retrieve the configuration: {reason}") from error


def _pipeline(configuration: dict[str, Any]) -> dict[str, str]:
    """Return the receiver, the exporter and the batch processor ("" without) of the pipeline that segments take."""
    for name, pipeline in section(configuration, "service", "pipelines").items():
        found = {
            "receivers": _first("awsxray", part(pipeline, "receivers")),
            "exporters": _first("awsxray", part(pipeline, "exporters")),
            "processors": _first("batch", part(pipeline, "processors")),
        }
        if not _is(name, "traces") or not found["receivers"] or not found["exporters"]:
            continue
        for kind, component in found.items():
            if component and component not in section(configuration, kind):
                reference = f'references {kind.removesuffix("s")} "{component}" which is not configured'
                raise _refused(f"invalid configuration: service::pipelines::{name}: {reference}")
        return found
    raise _refused("no pipeline of traces leads from a receiver awsxray to an exporter awsxray: nothing hears segments")


def _first(component: str, names: Any) -> str:
    """Return the first name of a list that is of a kind of component, such as batch/traces; "" without."""
    return next((str(name) for name in names if _is(name, component)), "") if isinstance(names, list) else ""


def _is(name: object, component: str) -> bool:
    return str(name).partition("/")[0] == component


def _number(given: object) -> int:
    return given if isinstance(given, int) and given > 0 else _BATCH


def _seconds(duration: object) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", str(duration or ""))
    return float(match[1]) * _SECONDS[match[2]] if match else BATCH_SECONDS


def _refused(reason: str) -> End:
    return End(1, f"Error: failed to get config: {reason}")


if __name__ == "__main__":
    main()
