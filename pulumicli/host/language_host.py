"""Python language host of the Pulumi engine, for CLIs built from Go modules, which come without one.

The engine starts it as `pulumi-language-python [-OPTION=VALUE …] -root=FOLDER ENGINE_ADDRESS`, reads the port from its
first line of stdout and then talks gRPC (service `LanguageRuntime`). Whatever else this process and the programs that
it starts print is shown to the user as it comes.

Plugins are not announced beforehand (GetRequiredPackages answers nothing): the engine finds each by itself when the
program registers the first resource of it, and so asks the network for none that isn't used.
"""

import importlib.metadata
import json
import os
import platform
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Interrupted by the engine or from a terminal: end at once, without a traceback in the user's output.
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)

import grpc  # noqa: E402 - the signals first: a Ctrl-C during the imports must be as quiet
from google.protobuf import empty_pb2  # noqa: E402
from language_protocol import language_pb2, language_pb2_grpc, plugin_pb2  # noqa: E402

PROGRAM_RUNNER = Path(__file__).with_name("language_program.py")
IMPORT_WRITER = Path(__file__).with_name("import_code.py")
EXIT_TOLD = 32  # of language_program.py: the engine already knows why the program failed
MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes; what the engine allows itself


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The `LanguageRuntime` service; one instance serves one engine.

    Args:
        engine: address of the engine, host:port.
        root: folder of Pulumi.yaml.

    """

    def __init__(self, engine: str, root: str) -> None:
        self._engine = engine
        self._root = root

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, _context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Learn the engine's address, when attached to instead of started."""
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: empty_pb2.Empty, _context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Tell the version: that of the SDK."""
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPackages(
        self, _request: language_pb2.GetRequiredPackagesRequest, _context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        """Announce no plugins (see above)."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(
        self, _request: language_pb2.GetRequiredPluginsRequest, _context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPluginsResponse:
        """Answer older engines as GetRequiredPackages does."""
        return language_pb2.GetRequiredPluginsResponse()

    def About(self, _request: language_pb2.AboutRequest, _context: grpc.ServicerContext) -> language_pb2.AboutResponse:
        """Tell `pulumi about` which Python runs the programs."""
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def GetProgramDependencies(
        self, request: language_pb2.GetProgramDependenciesRequest, _context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        """List the installed packages; only those that no other one needs, unless all are asked for."""
        installed = {
            _canonical(found.metadata["Name"]): found
            for found in importlib.metadata.distributions()
            if found.metadata["Name"]
        }
        needed = {
            _canonical(re.split(r"[^\w.-]", requirement, maxsplit=1)[0])
            for found in installed.values()
            for requirement in found.requires or []
            if "extra ==" not in requirement
        }
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=found.metadata["Name"], version=found.version)
                for name, found in sorted(installed.items())
                if request.transitiveDependencies or name not in needed
            ]
        )

    def InstallDependencies(
        self, _request: language_pb2.InstallDependenciesRequest, _context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Leave `pulumi install` to the project's own set-up, which has checked hashes."""
        text = (
            f"Python packages are taken from {sys.executable} as they are; `make setup` in the project installs them.\n"
        )
        yield language_pb2.InstallDependenciesResponse(stdout=text.encode())

    def RuntimeOptionsPrompts(
        self, _request: language_pb2.RuntimeOptionsRequest, _context: grpc.ServicerContext
    ) -> language_pb2.RuntimeOptionsResponse:
        """Ask nothing at `pulumi new`."""
        return language_pb2.RuntimeOptionsResponse()

    def GenerateProgram(
        self, request: language_pb2.GenerateProgramRequest, _context: grpc.ServicerContext
    ) -> language_pb2.GenerateProgramResponse:
        """Write the Python that `pulumi import` offers for what it has imported."""
        source = "\n".join(request.source[name] for name in sorted(request.source))
        python = subprocess.run(
            [sys.executable, str(IMPORT_WRITER)], capture_output=True, check=False, input=source, text=True
        )
        if python.returncode:  # the resource is imported by now: show what there is rather than an error
            notice = "# This could not be put into Python; it is Pulumi's HCL.\n"
            return language_pb2.GenerateProgramResponse(source={"__main__.py": f"{notice}{source}".encode()})
        return language_pb2.GenerateProgramResponse(source={"__main__.py": python.stdout.encode()})

    def Run(self, request: language_pb2.RunRequest, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        """Run the program in a process of its own until it ends or the engine gives up."""
        options = dict(request.info.options.items())
        python, environment = _interpreter(
            str(options.get("virtualenv") or ""), request.info.root_directory or self._root
        )
        program = request.info.entry_point or request.program or "."
        folder = request.info.program_directory or request.pwd
        told = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization or "organization",
            "root": request.info.root_directory or self._root,
            "parallel": request.parallel,
            "dryRun": request.dryRun,
            "args": list(request.args),
        }
        child = subprocess.Popen(
            [python, "-u", str(PROGRAM_RUNNER), str(Path(folder, program)), json.dumps(told)],
            cwd=request.pwd or None,
            env={
                **environment,
                "PULUMI_CONFIG": json.dumps(dict(request.config)),
                "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            },
            stdin=subprocess.DEVNULL,
        )
        context.add_callback(child.terminate)  # the engine has hung up; does nothing once the child has ended
        code = child.wait()
        if code == EXIT_TOLD:
            return language_pb2.RunResponse(bail=True)
        if code < 0:
            return language_pb2.RunResponse(error=f"Program was killed by {signal.Signals(-code).name}")
        return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {code}" if code else "")


def _interpreter(virtualenv: str, root: str) -> tuple[str, dict[str, str]]:
    """Return the Python for the program, and its environment: the project's virtualenv, else the host's own."""
    environment = dict(os.environ)
    if not virtualenv:
        return sys.executable, environment
    folder = Path(root, virtualenv)
    python = folder / "bin" / "python"
    if not os.access(python, os.X_OK):
        print(
            f"The virtualenv {virtualenv!r} of Pulumi.yaml is not at {folder}; using {sys.executable}.", file=sys.stderr
        )
        return sys.executable, environment
    environment.pop("PYTHONHOME", None)
    path = os.pathsep.join([str(python.parent), environment.get("PATH", os.defpath)])
    return str(python), {**environment, "VIRTUAL_ENV": str(folder), "PATH": path}


def _canonical(name: str) -> str:
    """Spell a package's name as PEP 503 does, so that pulumi_aws and pulumi-aws are one."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _end_with_engine() -> None:
    """End this process group when the engine has died: it holds the other end of our stdin and never writes to it."""
    while sys.stdin.buffer.read(1):
        pass
    # The engine made us the leader of a group; with a group of somebody else's, only we ourselves may be ended.
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)


def _argument(arguments: Iterable[str], option: str, default: str) -> str:
    """Return VALUE of the last -OPTION=VALUE."""
    prefix = f"-{option}="
    return next((text.removeprefix(prefix) for text in reversed(list(arguments)) if text.startswith(prefix)), default)


def main() -> None:
    """Serve the engine until it ends us."""
    arguments = sys.argv[1:]
    engine = arguments[-1] if arguments and not arguments[-1].startswith("-") else ""
    limits = [("grpc.max_receive_message_length", MESSAGE_LIMIT), ("grpc.max_send_message_length", MESSAGE_LIMIT)]
    server = grpc.server(ThreadPoolExecutor(), options=limits)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(
        LanguageHost(engine, _argument(arguments, "root", str(Path.cwd()))), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    threading.Thread(target=_end_with_engine, daemon=True).start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
