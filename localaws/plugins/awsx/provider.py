"""The provider: one component, constructed in the program's stack."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.provider import ConstructResult, Provider

from localaws.plugins import PLUGINS
from localaws.plugins.aws.aws import EndpointError, endpoint
from localaws.plugins.awsx import arguments
from localaws.plugins.awsx.errors import ArgumentError
from localaws.plugins.awsx.vpc import TYPE, Vpc

OUTPUTS = (
    *("vpc", "vpcId", "internetGateway", "subnets", "publicSubnets", "privateSubnets", "isolatedSubnets"),
    *("publicSubnetIds", "privateSubnetIds", "isolatedSubnetIds", "subnetLayout", "vpcEndpoints"),
    *("routeTables", "routeTableAssociations", "routes", "natGateways", "eips"),
)


class AwsxProvider(Provider):
    """Constructs `awsx:ec2:Vpc`."""

    def __init__(self) -> None:
        version = PLUGINS["awsx"]
        super().__init__(version, json.dumps({"name": "awsx", "version": version}))

    def construct(
        self, name: str, resource_type: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Register the component and its children.

        Raises:
            InputPropertyError, InputPropertiesError: what can't be done, which the engine shows without a traceback.

        """
        if resource_type != TYPE:
            message = f"{resource_type} is {arguments.NOT_SERVED}"
            raise _refusal(message)
        try:
            endpoint()
            checked = arguments.read(inputs)
        except EndpointError as error:
            raise _refusal(str(error)) from error
        except ArgumentError as error:
            raise pulumi.InputPropertyError(error.argument, error.reason) from error
        component = Vpc(name, options)
        if checked.advice:
            pulumi.log.warn(checked.advice, component)
        # The outputs are awaited by the server, which answers the engine when all children are registered.
        built: pulumi.Output[dict[str, Any]] = pulumi.Output.from_input(
            asyncio.ensure_future(_built(component, checked))
        )
        return ConstructResult(component.urn, {output: built[output] for output in OUTPUTS})


async def _built(component: Vpc, checked: arguments.Arguments) -> dict[str, Any]:
    try:
        return await component.build(checked)
    except ArgumentError as error:
        raise pulumi.InputPropertyError(error.argument, error.reason) from error
    except Exception as error:
        # What the engine says, such as a failed look-up of the availability zones; the traceback through here helps
        # nobody.
        raise _refusal(str(error)) from error


def _refusal(message: str) -> pulumi.InputPropertiesError:
    """Return an error that the engine shows as this one message; without the empty list SDK 3.272.0 stumbles."""
    return pulumi.InputPropertiesError(message, [])
