"""The Pulumi program: the stack's name says which service of which environment is built."""

from collections.abc import Mapping

import pulumi

from services import SERVICES, StackNameError, aws, split_stack_name
from services.fleet_model import FleetError
from services.neighbours import FORESEEN, Outputs
from services.run import RUN
from services.settings import Settings, SettingsError

__all__ = ["aws", "program"]  # the SDK is loaded with this module, before several threads would load it at once


def program(foreseen: Mapping[str, Outputs] | None = None, run: str = "") -> None:
    """Build the current stack and export its outputs. May run in several threads of one process at once.

    `foreseen` are the outputs that other services of the environment will have, where a plan is made of several stacks.
    `run` is the id of the run that replaces task definitions.
    """
    FORESEEN.set(foreseen or {})
    RUN.set(run)
    try:
        environment, service = split_stack_name(pulumi.get_stack())
        component = SERVICES[service].build(environment, Settings.load())
    except (FleetError, SettingsError, StackNameError) as error:
        raise pulumi.RunError(str(error)) from error  # shown without a traceback
    for key, value in component.outputs.items():
        pulumi.export(key, value)
