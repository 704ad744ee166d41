"""Packages of the AWS SDK of which only what is used gets loaded.

`import pulumi_aws` is cheap, but the first touch of `pulumi_aws.ec2` loads all its 200 modules; the parts that we use
of ten such packages take two seconds together, which every command that runs a program would pay. Here a package is
entered without its `__init__`, and a class is loaded from a module of its own (`SecurityGroup`: `security_group`). What
is not found that way is looked for in the whole package, as ever.

What is loaded later is loaded by one thread at a time: the SDK's own way is not safe where several programs run in
threads of one process, which then fail with "module 'pulumi_aws.ecs' has no attribute …".
"""

import importlib
import importlib.util
import re
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

_LOADING = threading.RLock()


class Package(ModuleType):
    """A package of the SDK, of which only what is asked for is loaded."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        with _LOADING:
            if name not in vars(self):
                setattr(self, name, self._found(name))
        return vars(self)[name]

    def __setattr__(self, name: str, value: Any) -> None:
        # Python names a module that it has loaded here, where a function of the same name in it has to be.
        super().__setattr__(name, getattr(value, name, value) if isinstance(value, ModuleType) else value)

    def _found(self, name: str) -> Any:
        place = "_inputs" if name.endswith(("Args", "ArgsDict")) else _snake(name.removesuffix("_output"))
        try:
            module = importlib.import_module(f"{self.__name__}.{place}")
        except ModuleNotFoundError:
            return getattr(self._whole(), name)
        return getattr(module, name, module)

    def _whole(self) -> ModuleType:
        """The package with all that its `__init__` loads."""
        spec = importlib.util.spec_from_file_location(self.__name__, Path(self.__path__[0]) / "__init__.py")
        if spec is None or spec.loader is None:
            raise ImportError(self.__name__)
        spec.loader.exec_module(self)
        return self


def _snake(name: str) -> str:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", spaced).lower()


def enter(names: Iterable[str]) -> None:
    """Have `pulumi_aws.NAME` be one of ours, unless somebody has loaded it already. Before `import pulumi_aws`."""
    spec = importlib.util.find_spec("pulumi_aws")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("the pulumi_aws package is not installed")
    for name in names:
        package = Package(f"pulumi_aws.{name}")
        package.__path__ = [str(Path(spec.submodule_search_locations[0]) / name)]
        sys.modules.setdefault(package.__name__, package)
