"""The stand-in for the CloudWatch agent: reads the original's configuration, and does of it what concerns segments.

Source: amazon-cloudwatch-agent, translator/cmdutil, translator/translate/otel/receiver/awsxray and cmd/start-….
"""

import json
from collections.abc import Mapping
from typing import Any

from localaws.programs.otel import Wanted, part, run
from localaws.programs.xray_daemon.flags import End
from localaws.programs.xray_daemon.log import Style

_STYLE = Style(line="%(asctime)s %(levelname)s %(message)s", levels=("D!", "I!", "W!", "E!"))
_VARIABLE = "CW_CONFIG_CONTENT"
_HEARD = "127.0.0.1:2000"
_ROOT = ("", "0", "root")  # "": as the image says
_WRITTEN = "/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.toml"


def main() -> None:
    """Run it."""
    run("the CloudWatch agent", _STYLE, read)


def read(variables: Mapping[str, str]) -> Wanted:
    """Return what the configuration asks for.

    Raises:
        End: there is none, or it is wrong, or nothing in it hears segments; or the container's user may not write it.

    """
    configuration = _configuration(variables)
    user = variables.get("LOCALAWS_USER", "").partition(":")[0]
    if user not in _ROOT:
        raise _untranslated(f"open {_WRITTEN}: permission denied: only root may write there, not user {user}")
    xray = part(configuration, "traces", "traces_collected", "xray")
    if not isinstance(xray, dict):
        raise _untranslated(f"{_VARIABLE} has no traces.traces_collected.xray: nothing hears segments")
    zone = variables.get("LOCALAWS_ZONE", "")  # what the original asks the task's metadata for
    regions = (part(configuration, "traces", "region_override"), part(configuration, "agent", "region"), zone[:-1])
    region = next((each for each in regions if each), "")
    if not region:
        raise _untranslated("Under path : /agent/ruleRegion/ | Error : Region info is missing for mode: ec2")
    return Wanted(
        udp=xray.get("bind_address") or _HEARD, tcp=part(xray, "tcp_proxy", "bind_address") or _HEARD, region=region
    )


def _configuration(variables: Mapping[str, str]) -> Any:
    if not variables.get(_VARIABLE):
        raise _untranslated(
            f"No json config files found: {_VARIABLE} is not set, and by default nothing hears segments"
        )
    try:
        return json.loads(variables[_VARIABLE])
    except ValueError as error:
        raise _untranslated(
            f"unable to get json map from environment variable {_VARIABLE} with error: {error}"
        ) from error


def _untranslated(reason: str) -> End:
    return End(1, f"Cannot translate JSON, ERROR is {reason}")


if __name__ == "__main__":
    main()
