"""The settings of one stack, read from its configuration and checked before anything is built."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from services.collectors import COLLECTORS

DEFAULT_SAMPLING_RATE = 0.05  # share of requests; Envoy's own default

_BOOLEANS = {"true": True, "false": False}
_MESHES = {"appmesh": True, "envoy": False}  # False: planned, not built yet
_COLLECTORS = dict.fromkeys(COLLECTORS, True)


class SettingsError(ValueError):
    """A configuration value that cannot be used. The message names key, value, what is allowed and the next command."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a stack's configuration says. The defaults are those declared in Pulumi.yaml."""

    region: str  # e.g. us-east-1
    tracing: bool = False
    mesh: str = "appmesh"
    collector: str = "xray-daemon"
    sampling_rate: float = DEFAULT_SAMPLING_RATE  # share of requests, 0-1
    autoscaling: bool = False
    load_test_host: bool = False

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> "Settings":
        """From plain configuration: keys without the project's name, and ``region``; other namespaces are left alone.

        Raises:
            SettingsError: a key is unknown, or a value is not among those allowed.
        """
        unknown = sorted(key for key in values if key not in KEYS and key != "region" and ":" not in key)
        if unknown:
            raise SettingsError(
                f"unknown key '{unknown[0]}'; the keys are {', '.join(KEYS)}. Next: pulumi config rm {unknown[0]}"
            )
        region = values.get("region", "")
        if not region:
            raise SettingsError("aws:region is not set. Next: pulumi config set aws:region REGION (e.g. us-east-1)")
        return cls(
            region=region,
            tracing=_boolean("tracing", values),
            mesh=_choice("mesh", values, _MESHES),
            collector=_choice("collector", values, _COLLECTORS),
            sampling_rate=_share("samplingRate", values),
            autoscaling=_boolean("autoscaling", values),
            load_test_host=_boolean("loadTestHost", values),
        )

    @classmethod
    def load(cls) -> "Settings":
        """From the running stack's configuration; the region may come from $AWS_REGION, as for the plugin."""
        config = pulumi.Config()
        values = {key: value for key in KEYS if (value := config.get(key)) is not None}
        region = pulumi.Config("aws").get("region") or os.environ.get("AWS_REGION") or ""
        return cls.parse({**values, "region": region})


# Configuration key → its default as text; the same keys and defaults are declared in Pulumi.yaml.
KEYS: Mapping[str, str] = {
    "tracing": "false",
    "mesh": "appmesh",
    "collector": "xray-daemon",
    "samplingRate": str(DEFAULT_SAMPLING_RATE),
    "autoscaling": "false",
    "loadTestHost": "false",
}


def _boolean(key: str, values: Mapping[str, str]) -> bool:
    text = values.get(key, KEYS[key])
    if text not in _BOOLEANS:
        raise _refused(key, text, "true or false")
    return _BOOLEANS[text]


def _choice(key: str, values: Mapping[str, str], choices: Mapping[str, bool]) -> str:
    text = values.get(key, KEYS[key])
    *others, last = (choice for choice, is_built in choices.items() if is_built)
    built = f"{', '.join(others)} or {last}" if others else last
    if text not in choices:
        raise _refused(key, text, built)
    if not choices[text]:
        raise SettingsError(f"{key} '{text}' is not available yet, use {built}. Next: pulumi config set {key} {built}")
    return text


def _share(key: str, values: Mapping[str, str]) -> float:
    text = values.get(key, KEYS[key])
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    # Envoy rounds to two decimals: 0.001 would silently mean 0.
    if not 0 <= share <= 1 or round(share, 2) != share:
        raise _refused(key, text, "a number from 0 to 1 with at most two decimals")
    return share


def _refused(key: str, text: str, allowed: str) -> SettingsError:
    example = KEYS[key]
    return SettingsError(f"{key} is '{text}' but must be {allowed}. Next: pulumi config set {key} {example}")
