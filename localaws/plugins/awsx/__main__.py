"""Start the plugin: print the port, serve the engine until it ends us or has gone."""

import os
import signal
import sys
import threading

# Interrupted by the engine: end at once and without a traceback, even during the imports below. Nothing is lost: this
# plugin only registers children, the work on them is the `aws` plugin's.
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)

import pulumi.provider  # noqa: E402

from localaws.plugins.awsx.provider import AwsxProvider  # noqa: E402


def _end_with_engine() -> None:
    """End when the engine has died without ending us: it holds the other end of our standard input."""
    while os.read(0, 4096):
        pass
    os._exit(0)


def main() -> None:
    """Serve one engine."""
    threading.Thread(target=_end_with_engine, daemon=True).start()
    pulumi.provider.main(AwsxProvider(), sys.argv[1:])


if __name__ == "__main__":
    main()
