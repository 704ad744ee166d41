"""The descriptions of the aws stand-in against the SDK's own classes."""

import importlib
import inspect
import re
import warnings
from types import ModuleType

import pytest

from localaws.plugins.aws.catalogue import MODULES, resource


def sdk(token: str) -> tuple[ModuleType, str]:
    """The SDK's module of a type, and the name of its class there."""
    package, file = token.split(":")[1].split("/")
    module = re.sub("([A-Z])", r"_\1", file).lower()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # for a class of the ec2 package that nobody uses here
        return importlib.import_module(f"pulumi_aws.{package}.{module}"), token.rpartition(":")[2]


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@pytest.mark.parametrize("token", sorted(MODULES))
def test_every_output_of_the_sdk_is_filled(token: str) -> None:
    """What the SDK documents as set by AWS is among the properties of the type, so that programs can read it."""
    module, name = sdk(token)
    given = set(inspect.signature(getattr(module, f"{name}Args").__init__).parameters)
    state = set(inspect.signature(getattr(module, f"_{name}State").__init__).parameters)

    outputs = {camel(output) for output in state - given}

    assert set() == outputs - set(resource(token).fields)
    assert token == resource(token).token


@pytest.mark.parametrize("token", sorted(MODULES))
def test_every_property_is_one_of_the_sdk(token: str) -> None:
    """The stand-in makes no properties up: a program that it accepts is accepted by the official provider too."""
    module, name = sdk(token)
    state = inspect.signature(getattr(module, f"_{name}State").__init__).parameters

    assert set() == set(resource(token).fields) - {camel(known) for known in state}
