"""Start the plugin: print the port, serve until the engine ends us or is gone, finish what is under way, leave quietly.

The engine ends its plugins with SIGINT and, five seconds later, with SIGKILL. An engine that was killed itself says
nothing; then the pipe on our standard input closes, or our parent process changes.
"""

import os
import signal
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc

from localaws.plugins.aws.answering import IN_FLIGHT
from localaws.plugins.aws.protocol import provider_grpc
from localaws.plugins.aws.provider import AwsProvider

THREADS = 128  # calls at once: four engines, each with more steps under way than it has to wait for
LONGEST_MESSAGE = 400 << 20  # bytes; the engine's own limit
LONGEST_LEAVE = 60  # seconds for what is under way; it only finishes calls already made, waits are called off
PARENT_CHECK = 1.0  # seconds between two looks at who our parent is


def main() -> None:
    """Serve one engine, or any number where PULUMI_DEBUG_PROVIDERS names the printed port."""
    leave = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: leave.set())

    servicer = AwsProvider()
    limits = [("grpc.max_receive_message_length", LONGEST_MESSAGE), ("grpc.max_send_message_length", LONGEST_MESSAGE)]
    server = grpc.server(ThreadPoolExecutor(THREADS), options=limits)
    provider_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)

    threading.Thread(target=_watch_standard_input, args=(leave,), daemon=True).start()
    parent = os.getppid()
    while not leave.wait(PARENT_CHECK) and os.getppid() == parent:
        pass

    stopped = server.stop(grace=LONGEST_LEAVE)
    servicer.cancel_all()
    IN_FLIGHT.wait_for_none()
    stopped.wait(LONGEST_LEAVE)
    os._exit(0)  # idle threads of the pool are no reason to stay


def _watch_standard_input(leave: threading.Event) -> None:
    """Whoever started us holds the other end of the pipe for as long as it lives."""
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        while os.read(0, 4096):
            pass
        leave.set()


if __name__ == "__main__":
    main()
