"""The SDK's servicer, made to serve several engines at once: each connection has an engine of its own (`Attach`)."""

from contextvars import ContextVar
from typing import Any

from google.protobuf.empty_pb2 import Empty
from pulumi.provider import Provider
from pulumi.provider.server import ProviderServicer

_PEER: ContextVar[str] = ContextVar("_PEER", default="")  # the connection that the call being answered came by


class Servicer(ProviderServicer):
    """Serves the engine at the address that it was started with, and those that attach."""

    def __init__(self, provider: Provider, engine: str) -> None:
        self._engines: dict[str, str] = {}  # address by connection
        self._latest = engine
        super().__init__(provider, [], engine_address=engine)

    @property
    def engine_address(self) -> str:
        """Where the engine of the call being answered takes messages for the user."""
        return self._engines.get(_PEER.get(), self._latest)

    @engine_address.setter
    def engine_address(self, address: str) -> None:
        self._latest = address

    async def Attach(self, request: Any, context: Any) -> Any:
        """Learn the address of the engine at the other end of a connection."""
        self._engines[context.peer()] = self._latest = request.address
        return Empty()

    async def Construct(self, request: Any, context: Any) -> Any:
        """Construct a component for the engine that asks."""
        _PEER.set(context.peer())
        return await super().Construct(request, context)
