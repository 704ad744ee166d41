"""The aws stand-in as a process, and a client that speaks to it as the engine does."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

ROOT = Path(__file__).parents[2]
LONGEST_END = 20  # seconds for a plugin to leave


def struct(values: dict[str, Any]) -> Struct:
    made = Struct()
    made.update(values)
    return made


class Engine:
    """One engine's connection to a plugin, configured for a region."""

    def __init__(self, port: int, region: str = "us-east-1", **settings: str) -> None:
        # A pool of its own: otherwise two channels to one address share a connection, which two engines do not.
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        self.settings = {"aws:config:region": region, **settings}

    def configure(self) -> Any:
        return self.stub.Configure(provider_pb2.ConfigureRequest(variables=self.settings))

    def check(self, token: str, inputs: dict[str, Any], old: dict[str, Any] | None = None) -> Any:
        return self.stub.Check(
            provider_pb2.CheckRequest(
                urn=urn(token), type=token, name="it", news=struct(inputs), olds=struct(old or {}), randomSeed=b"seed"
            )
        )

    def create(self, token: str, inputs: dict[str, Any]) -> Any:
        """Check and create; the call, which may be waited for."""
        checked = self.check(token, inputs)
        assert not checked.failures, checked.failures
        request = provider_pb2.CreateRequest(urn=urn(token), type=token, name="it", properties=checked.inputs)
        return self.stub.Create.future(request)

    def delete(self, token: str, identity: str, state: Struct) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(id=identity, urn=urn(token), type=token, name="it", properties=state)
        )

    def cancel(self) -> None:
        self.stub.Cancel(provider_pb2.google_dot_protobuf_dot_empty__pb2.Empty())


class Plugin:
    """The plugin as the engine starts it: its port on standard output, a pipe on standard input."""

    def __init__(self, environment: dict[str, str]) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "localaws.plugins.aws", "127.0.0.1:1"],
            cwd=ROOT,
            env={**inherited, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.engines: list[Engine] = []

    def engine(self, region: str = "us-east-1", **settings: str) -> Engine:
        """One more connection, not configured yet."""
        self.engines.append(Engine(self.port, region, **settings))
        return self.engines[-1]

    def end(self, by: signal.Signals | None = None) -> tuple[int, str]:
        """End it by a signal, or by closing the pipe as a dead engine does; its exit code and all that it said."""
        if by is not None:
            self.process.send_signal(by)
            output, error = self.process.communicate(timeout=LONGEST_END)
        else:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.stdin = None
            output, error = self.process.communicate(timeout=LONGEST_END)
        for engine in self.engines:
            engine.channel.close()
        return self.process.returncode, output + error


def urn(token: str) -> str:
    return f"urn:pulumi:dev::project::{token}::it"
