"""The aws stand-in as a process, and a client that speaks to it as the engine does."""

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from localaws.instance import Instance

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
        self.stub.Cancel(Empty())


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
        self.said: str | None = None

    def engine(self, region: str = "us-east-1", **settings: str) -> Engine:
        """One more connection, not configured yet."""
        self.engines.append(Engine(self.port, region, **settings))
        return self.engines[-1]

    def ask_to_leave(self, by: signal.Signals | None) -> None:
        """Send a signal, or (None) close the pipe, as the death of the engine does."""
        if by is not None:
            self.process.send_signal(by)
        elif self.process.stdin is not None:
            self.process.stdin.close()
            self.process.stdin = None

    def ended(self) -> tuple[int, str]:
        """The exit code, and all that it said besides its port."""
        if self.said is None:
            output, error = self.process.communicate(timeout=LONGEST_END)
            self.said = output + error
            for engine in self.engines:
                engine.channel.close()
        return self.process.returncode, self.said


class Gate:
    """Stands before an embedded AWS, on a port of its own, and holds every call back until it is opened."""

    def __init__(self, instance: Instance) -> None:
        self.arrived, self.opened = threading.Event(), threading.Event()
        behind = instance.environment()["AWS_ENDPOINT_URL"]
        # Not urlopen: it keeps for good the proxies that were set when it was first called.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gate.arrived.set()
                gate.opened.wait(LONGEST_END)
                url, headers = f"{behind}{self.path}", dict(self.headers)
                request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - http
                with direct.open(request) as answer:
                    content = answer.read()
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.headers["Content-Type"])
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output to themselves."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.opened.set()
        self._server.shutdown()
        self._server.server_close()


def urn(token: str) -> str:
    return f"urn:pulumi:dev::project::{token}::it"
