"""What the daemon is to do, from its flags and environment."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from localaws.programs.loopback import Endpoint, NotLoopbackError, inside, server_of
from localaws.programs.xray_daemon.flags import End

_HERE = "127.0.0.1:2000"
_MB = 1024 * 1024
_LEAST_BUFFER = 3  # MB
_PART_OF_MEMORY = 0.01
_CONCURRENCY = 8
_LAST_PORT = 65535

NO_REGION = (
    "Cannot fetch region variable from config file, environment variables, ecs metadata, or ec2 metadata. "
    "Use local-mode to use the local config region."
)
_NO_MEMORY = f"Not enough Buffers Memory Allocated. Min Buffers Memory required: {_LEAST_BUFFER} MB."


def _as_it_is(document: bytes) -> bytes:
    return document


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a collector hands segments on. The defaults are the daemon's."""

    batch: int = 50  # documents a call, which takes no more
    idle_seconds: float = 1.0  # until a batch goes although it is not full
    failed: str = "Sending segment batch failed with: %s"
    translate: Callable[[bytes], bytes] = _as_it_is  # what becomes of a document; raises MalformedError


DAEMON = Manner()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that is decided before the daemon starts."""

    udp: Endpoint
    tcp: Endpoint
    region: str
    xray: Endpoint  # where X-Ray is
    sts: Endpoint  # where roles are assumed
    proxy: Endpoint | None  # through which to call both
    role_arn: str
    resource_arn: str
    buffer_mb: int
    concurrency: int  # calls at once
    instance: str
    hostname: str
    manner: Manner


def settings_from(flags: Mapping[str, str], variables: Mapping[str, str], manner: Manner = DAEMON) -> Settings:
    """Return the settings.

    Raises:
        End: something is missing, or not on loopback.

    """
    aws = variables.get("AWS_ENDPOINT_URL", "")
    xray = flags.get("endpoint") or variables.get("AWS_ENDPOINT_URL_XRAY") or aws
    if not xray:
        raise End(
            1, "AWS_ENDPOINT_URL is not set: this program sends to the embedded AWS alone, and does not know where"
        )
    proxy = flags.get("proxy-address", "")
    return Settings(
        udp=_bound(flags.get("bind", _HERE)),
        tcp=_bound(flags.get("bind-tcp", _HERE)),
        region=_region(flags, variables),
        xray=_server(xray),
        sts=_server(variables.get("AWS_ENDPOINT_URL_STS") or aws or xray),
        proxy=_server(proxy) if proxy else None,
        role_arn=flags.get("role-arn", ""),
        resource_arn=flags.get("resource-arn", ""),
        buffer_mb=_buffer(int(flags.get("buffer-memory", "0"))),
        concurrency=int(flags.get("concurrency", _CONCURRENCY)),
        instance=variables.get("AWS_INSTANCE_ID", ""),
        hostname=variables.get("AWS_HOSTNAME", ""),
        manner=manner,
    )


def _region(flags: Mapping[str, str], variables: Mapping[str, str]) -> str:
    region = flags.get("region") or variables.get("AWS_REGION")
    if not region and flags.get("local-mode") == "true":
        region = variables.get("AWS_DEFAULT_REGION")
    if not region:
        raise End(1, NO_REGION)
    return region


def _buffer(megabytes: int) -> int:
    if megabytes <= 0:
        megabytes = int(_PART_OF_MEMORY * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) // _MB
    if megabytes < _LEAST_BUFFER:
        raise End(1, _NO_MEMORY)
    return megabytes


def _bound(address: str) -> Endpoint:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > _LAST_PORT:
        raise End(1, f"address {address}: an address to listen on is HOST:PORT, such as {_HERE}")
    try:
        return Endpoint(inside(host), int(port))
    except NotLoopbackError as error:
        raise End(1, f"listen {address}: {error}") from error


def _server(url: str) -> Endpoint:
    try:
        return server_of(url)
    except ValueError as error:
        raise End(1, f"{error}; set AWS_ENDPOINT_URL to the embedded AWS") from error
