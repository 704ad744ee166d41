"""Plugins that serve all engines of an embedded AWS, and the key that engines encrypt with."""

import contextlib
import os
import signal
import socket
from pathlib import Path

import pytest

from localaws.instance import STATE_KEY, Instance
from localaws.plugins import PLUGINS
from tests.localaws.plugin_aws_support import Engine
from tests.localaws.support import client_of, until

LOGS = "aws:cloudwatch/logGroup:LogGroup"


def ports(instance: Instance) -> dict[str, int]:
    named = (each.split(":") for each in instance.standing_plugins().split(","))
    return {name: int(port) for name, port in named}


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_all_engines_are_led_to_the_same_plugins(instance: Instance) -> None:
    """One process a plugin, however often one asks."""
    first = ports(instance)
    assert set(PLUGINS) == set(first)
    assert first == ports(instance)


def test_a_plugin_that_died_is_started_again(instance: Instance) -> None:
    """The next run gets one that works."""
    before = ports(instance)["aws"]
    os.kill(_process(instance, "localaws.plugins.aws"), signal.SIGKILL)
    until(lambda: not listens(before))

    engine = Engine(ports(instance)["aws"], "us-east-1")
    engine.configure()
    assert "after-death" == engine.create(LOGS, {"name": "after-death"}).result(timeout=20).id


def _process(instance: Instance, module: str) -> int:
    """The process id of an instance's plugin."""
    endpoint = f"AWS_ENDPOINT_URL={instance.status().endpoint}"
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line, environ = ((folder / name).read_text().split("\0") for name in ("cmdline", "environ"))
            if module in line and endpoint in environ:
                return int(folder.name)
    raise LookupError(module)


def test_they_end_with_the_embedded_aws(fresh: Instance) -> None:
    """Nothing is left behind, even where it is killed."""
    fresh.start()
    served = ports(fresh).values()
    assert all(map(listens, served))
    os.kill(fresh.status().pid or 0, signal.SIGKILL)
    until(lambda: not any(map(listens, served)))


def test_the_official_plugins_are_not_shared(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not ours to start."""
    monkeypatch.setenv("LOCALAWS_PLUGINS", "official")
    assert instance.standing_plugins() == ""


def test_what_was_encrypted_can_be_read_for_ever(fresh: Instance) -> None:
    """The key of the stacks' secrets outlives a restart, and a reset: the stacks' files do, too."""
    fresh.start()
    sealed = client_of(fresh, "kms").encrypt(KeyId=STATE_KEY, Plaintext=b"a data key")["CiphertextBlob"]
    fresh.stop()
    fresh.start()
    assert b"a data key" == client_of(fresh, "kms").decrypt(CiphertextBlob=sealed)["Plaintext"]
    fresh.reset()
    fresh.start()
    assert b"a data key" == client_of(fresh, "kms").decrypt(CiphertextBlob=sealed)["Plaintext"]
