"""Pulumi's gRPC messages and stubs, without the rest of the SDK.

Importing the `pulumi` package takes 0.4 s, its generated protocol modules next to nothing. The language host needs only
those, so empty stand-ins for the packages around them are put in place first: their __init__ files then never run. That
is safe in a process that runs no user code; the user's program has a process of its own.
"""

import importlib.util
import sys
import types
from pathlib import Path

_sdk = importlib.util.find_spec("pulumi")
if _sdk is None or not _sdk.submodule_search_locations:
    sys.exit(f"{sys.executable} has no pulumi package. Run `make setup` in the project.")
_folder = Path(_sdk.submodule_search_locations[0])
for _package, _path in {
    "pulumi": _folder,
    "pulumi.runtime": _folder / "runtime",
    "pulumi.runtime.proto": _folder / "runtime" / "proto",
}.items():
    _stand_in = types.ModuleType(_package)
    _stand_in.__path__ = [str(_path)]
    sys.modules[_package] = _stand_in

from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2  # noqa: E402 - see above

__all__ = ["language_pb2", "language_pb2_grpc", "plugin_pb2"]
