"""Start the plugin: print the port, serve until the engine ends us or is gone."""

import asyncio
import os
import signal
import sys
import threading

# Interrupted by the engine: end at once and without a traceback, even during the imports below. Nothing is lost: this
# plugin only registers children, the work on them is the `aws` plugin's.
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)

import grpc.aio  # noqa: E402
from pulumi.runtime.proto import provider_pb2_grpc  # noqa: E402

from localaws.plugins.awsx.provider import AwsxProvider  # noqa: E402
from localaws.plugins.awsx.servicer import Servicer  # noqa: E402

_LIMITS = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]  # the engine's


def _end_with_engine() -> None:
    """End when whoever started us has died without ending us: it holds the other end of our standard input."""
    while os.read(0, 4096):
        pass
    os._exit(0)


async def _serve(engine: str) -> None:
    server = grpc.aio.server(options=_LIMITS)
    servicer = Servicer(AwsxProvider(), engine)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


def main() -> None:
    """Serve the engine that the first argument is the address of, or any number (PULUMI_DEBUG_PROVIDERS)."""
    threading.Thread(target=_end_with_engine, daemon=True).start()
    asyncio.run(_serve(next((given for given in sys.argv[1:] if not given.startswith("-")), "")))


if __name__ == "__main__":
    main()
