"""The descriptions of the aws stand-in against the SDK's own classes."""

import importlib
import inspect
import re
import warnings

import pytest

from localaws.plugins.aws.catalogue import MODULES, resource

# Outputs of features that the stand-in does not have; the official provider leaves them out as well where unused.
UNUSED = {
    "aws:ec2/instance:Instance": set(),
}


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@pytest.mark.parametrize("token", sorted(MODULES))
def test_every_output_of_the_sdk_is_filled(token: str) -> None:
    """What the SDK documents as set by AWS is among the properties of the type, so that programs can read it."""
    package, file = token.split(":")[1].split("/")
    name = token.rpartition(":")[2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = importlib.import_module(f"pulumi_aws.{package}.{re.sub('([A-Z])', r'_\1', file).lower()}")
    given = set(inspect.signature(getattr(module, f"{name}Args").__init__).parameters)
    state = set(inspect.signature(getattr(module, f"_{name}State").__init__).parameters)

    outputs = {camel(output) for output in state - given}

    assert set() == outputs - set(resource(token).fields)
    assert token == resource(token).token


@pytest.mark.parametrize("token", sorted(MODULES))
def test_every_property_is_one_of_the_sdk(token: str) -> None:
    """The stand-in makes no properties up: a program that it accepts is accepted by the official provider too."""
    package, file = token.split(":")[1].split("/")
    name = token.rpartition(":")[2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = importlib.import_module(f"pulumi_aws.{package}.{re.sub('([A-Z])', r'_\1', file).lower()}")
    kind = getattr(module, name)
    documented = {getter.fget._pulumi_name for getter in vars(kind).values() if hasattr(getattr(getter, "fget", None), "_pulumi_name")}

    assert set() == set(resource(token).fields) - documented
