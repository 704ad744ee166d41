"""The Pulumi program: the stack's name says which service to build."""

import pulumi

from services import SERVICES, split_stack_name
from services.settings import Settings


def program() -> None:
    """Build the stack's component and export its outputs."""
    environment, service = split_stack_name(pulumi.get_stack())
    component = SERVICES[service].build(environment, Settings.load())
    for key, value in component.outputs.items():
        pulumi.export(key, value)
