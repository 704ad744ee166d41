"""The generated gRPC classes of Pulumi's provider protocol, without the SDK around them.

`import pulumi` loads the whole SDK, about half a second that every engine run would pay before its first step. The
generated modules need nothing of it, so the packages above them are entered here as empty ones, unless the SDK is
loaded already (in the tests).
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def _enter_bare_packages() -> None:
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the pulumi package is not installed; install the requirements with: make setup")
    root = Path(next(iter(spec.submodule_search_locations)))
    for name, folder in (("pulumi", root), ("pulumi.runtime", root / "runtime")):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package


if "pulumi" not in sys.modules:
    _enter_bare_packages()

from pulumi.runtime.proto import plugin_pb2 as plugin  # noqa: E402 (the packages above it are entered first)
from pulumi.runtime.proto import provider_pb2 as provider  # noqa: E402
from pulumi.runtime.proto import provider_pb2_grpc as provider_grpc  # noqa: E402
from pulumi.runtime.proto import status_pb2 as status  # noqa: E402

__all__ = ["plugin", "provider", "provider_grpc", "status"]
