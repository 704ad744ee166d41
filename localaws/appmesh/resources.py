"""A mesh, or anything in one."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localaws.appmesh.kinds import GATEWAY_ROUTE, MESH, ROUTE, VIRTUAL_NODE, VIRTUAL_ROUTER, VIRTUAL_SERVICE, Kind

# The kind of a resource, and the names of all that it is in and its own, outermost first.
Address = tuple[Kind, tuple[str, ...]]

# What these kinds name under these keys has to exist, and can't be deleted meanwhile. The backends of a virtual node
# are no such reference: two nodes may well call each other.
_REFERRING = (VIRTUAL_SERVICE, ROUTE, GATEWAY_ROUTE)
_REFERENCES = {
    "virtualNode": VIRTUAL_NODE,  # of a route's weighted target; elsewhere a structure goes by this name
    "virtualNodeName": VIRTUAL_NODE,
    "virtualRouterName": VIRTUAL_ROUTER,
    "virtualServiceName": VIRTUAL_SERVICE,
}


@dataclass
class Resource:
    """One resource, as App Mesh keeps it."""

    kind: Kind
    names: tuple[str, ...]
    arn: str
    account: str
    spec: dict[str, Any]
    tags: dict[str, str]
    token: str  # of the call that made it what it is
    version: int = 1
    uid: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.updated_at = self.created_at

    def update(self, spec: dict[str, Any], token: str) -> None:
        """Become what the call with this token asks for, unless that has happened already."""
        if token != self.token:
            self.spec, self.token = spec, token
            self.version += 1
            self.updated_at = datetime.now(UTC)

    def is_in(self, other: "Resource") -> bool:
        """Return whether the other holds it, directly or not."""
        return self.arn.startswith(f"{other.arn}/")

    def described(self, status: str = "ACTIVE") -> dict[str, Any]:
        """Return all of it, as Describe answers."""
        metadata = {**self._metadata, "uid": self.uid}
        return {**self._named, "spec": self.spec, "status": {"status": status}, "metadata": metadata}

    def listed(self) -> dict[str, Any]:
        """Return as much of it as List answers."""
        return {**self._named, **self._metadata}

    @property
    def _named(self) -> dict[str, str]:
        return dict(zip(self.kind.keys, self.names, strict=True))

    @property
    def _metadata(self) -> dict[str, Any]:
        return {
            "arn": self.arn,
            "createdAt": self.created_at,
            "lastUpdatedAt": self.updated_at,
            "meshOwner": self.account,
            "resourceOwner": self.account,
            "version": self.version,
        }


def with_defaults(kind: Kind, spec: dict[str, Any] | None) -> dict[str, Any]:
    """Return a spec with what App Mesh adds where nothing is said."""
    return {"egressFilter": {"type": "DROP_ALL"}, **(spec or {})} if kind == MESH else spec or {}


def references(kind: Kind, mesh: str, spec: object) -> Iterator[Address]:
    """Yield what a resource of this kind and spec depends on."""
    if kind not in _REFERRING:
        return
    if isinstance(spec, list):
        for item in spec:
            yield from references(kind, mesh, item)
    elif isinstance(spec, dict):
        for key, value in spec.items():
            if key in _REFERENCES and isinstance(value, str):
                yield _REFERENCES[key], (mesh, value)
            else:
                yield from references(kind, mesh, value)
