"""The seven kinds of things in App Mesh, how they nest, and how their names in the API follow from it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of resource, such as VirtualNode."""

    name: str
    parent: "Kind | None" = None

    @property
    def member(self) -> str:
        """Its key in answers: virtualNode."""
        return self.name[0].lower() + self.name[1:]

    @property
    def members(self) -> str:
        """Its key in lists: virtualNodes."""
        return f"{self.member}es" if self.name == "Mesh" else f"{self.member}s"

    @property
    def plural(self) -> str:
        """Its name in the names of calls that list: VirtualNodes."""
        return self.members[0].upper() + self.members[1:]

    @property
    def key(self) -> str:
        """The parameter that names one: virtualNodeName."""
        return f"{self.member}Name"

    @property
    def keys(self) -> tuple[str, ...]:
        """The parameters that name one and all that it is in, outermost first."""
        return (*(self.parent.keys if self.parent else ()), self.key)

    @property
    def words(self) -> str:
        """Its name in messages: virtual node."""
        return re.sub(r"(?<!^)([A-Z])", r" \1", self.name).lower()

    def arn(self, names: tuple[str, ...]) -> str:
        """Return the resource part of its ARN: mesh/M/virtualNode/N."""
        own = f"{self.member}/{names[-1]}"
        return f"{self.parent.arn(names[:-1])}/{own}" if self.parent else own


MESH = Kind("Mesh")
VIRTUAL_GATEWAY = Kind("VirtualGateway", MESH)
GATEWAY_ROUTE = Kind("GatewayRoute", VIRTUAL_GATEWAY)
VIRTUAL_NODE = Kind("VirtualNode", MESH)
VIRTUAL_ROUTER = Kind("VirtualRouter", MESH)
ROUTE = Kind("Route", VIRTUAL_ROUTER)
VIRTUAL_SERVICE = Kind("VirtualService", MESH)

KINDS = (MESH, VIRTUAL_GATEWAY, GATEWAY_ROUTE, VIRTUAL_NODE, VIRTUAL_ROUTER, ROUTE, VIRTUAL_SERVICE)
