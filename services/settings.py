"""The settings of one stack, read from its configuration and checked before anything is built."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from services.collectors import COLLECTORS

DNS_TTL = 60  # seconds
SHORT_DNS_TTL = 5  # seconds, for callers that find tasks by DNS alone

DEFAULT_SAMPLING_RATE = 0.05  # share of requests; Envoy's own default

# What there is on Fargate: CPU units, and MiB. Which goes with which the checks know. Source: RegisterTaskDefinition.
_SIZES: Mapping[str, Sequence[int]] = {
    "cpu": (256, 512, 1024, 2048, 4096, 8192, 16384),
    "memory": (512, *range(1024, 122880 + 1, 1024)),
}
_BOOLEANS = {"true": True, "false": False}
MESHES = ("appmesh", "envoy")


class SettingsError(ValueError):
    """A configuration value that cannot be used. The message names key, value, what is allowed and the next command."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a stack's configuration says. The defaults are those declared in Pulumi.yaml."""

    region: str  # e.g. us-east-1
    tracing: bool = False
    mesh: str = "appmesh"
    both_meshes: bool = False  # while stacks move between the meshes: what tasks in either one need is there
    collector: str = "xray-daemon"
    sampling_rate: float = DEFAULT_SAMPLING_RATE  # share of requests, 0-1
    cpu: int | None = None  # units of a task, 1024 a vCPU; None: as the service has it
    memory: int | None = None  # MiB, likewise
    autoscaling: bool = False
    load_test_host: bool = False

    @property
    def has_app_mesh(self) -> bool:
        """Whether the stack has objects in App Mesh."""
        return self.mesh == "appmesh" or self.both_meshes

    @property
    def has_own_mesh(self) -> bool:
        """Whether callers may find its tasks in DNS, and call them at the port of their Envoys."""
        return self.mesh == "envoy" or self.both_meshes

    @property
    def dns_ttl(self) -> int:
        """How long (seconds) a task's address in DNS may be kept."""
        return SHORT_DNS_TTL if self.has_own_mesh else DNS_TTL

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
            mesh=_choice("mesh", values, MESHES),
            both_meshes=_boolean("bothMeshes", values),
            collector=_choice("collector", values, tuple(COLLECTORS)),
            sampling_rate=_share("samplingRate", values),
            cpu=_size("cpu", values),
            memory=_size("memory", values),
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


_AUTO = "auto"  # as the service has it

# Configuration key → its default as text; the same keys and defaults are declared in Pulumi.yaml.
KEYS: Mapping[str, str] = {
    "tracing": "false",
    "mesh": "appmesh",
    "bothMeshes": "false",
    "collector": "xray-daemon",
    "samplingRate": str(DEFAULT_SAMPLING_RATE),
    "cpu": _AUTO,
    "memory": _AUTO,
    "autoscaling": "false",
    "loadTestHost": "false",
}


def _boolean(key: str, values: Mapping[str, str]) -> bool:
    text = values.get(key, KEYS[key])
    if text not in _BOOLEANS:
        raise _refused(key, text, "true or false")
    return _BOOLEANS[text]


def _choice(key: str, values: Mapping[str, str], choices: Sequence[str]) -> str:
    text = values.get(key, KEYS[key])
    if text not in choices:
        raise _refused(key, text, f"{', '.join(choices[:-1])} or {choices[-1]}")
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


def _size(key: str, values: Mapping[str, str]) -> int | None:
    text = values.get(key, KEYS[key])
    if text == _AUTO:
        return None
    if not text.isdecimal() or int(text) not in _SIZES[key]:
        lowest, highest = _SIZES[key][0], _SIZES[key][-1]
        raise _refused(key, text, f"{_AUTO}, or a size that Fargate has, from {lowest} to {highest}")
    return int(text)


def _refused(key: str, text: str, allowed: str) -> SettingsError:
    example = KEYS[key]
    return SettingsError(f"{key} is '{text}' but must be {allowed}. Next: pulumi config set {key} {example}")
