"""The daemon as a program."""

import os
import sys

from localaws.programs.loopback import NotLoopbackError
from localaws.programs.stopping import stop_signal
from localaws.programs.xray_daemon import flags
from localaws.programs.xray_daemon.flags import End
from localaws.programs.xray_daemon.log import log, open_log
from localaws.programs.xray_daemon.serving import listening, serve
from localaws.programs.xray_daemon.settings import settings_from


def main() -> None:
    """Run the daemon until SIGTERM or SIGINT."""
    stop = stop_signal()
    try:
        given = flags.read(sys.argv[1:])
    except End as end:
        print(end.message, file=sys.stderr if end.code else sys.stdout, flush=True)
        sys.exit(end.code)
    try:
        open_log(given.get("log-level", "prod"), given.get("log-file", ""))
        log.info("Initializing AWS X-Ray daemon %s", flags.VERSION)
        settings = settings_from(given, os.environ)
        log.info("Using buffer memory limit of %d MB", settings.buffer_mb)
        log.info("Using region: %s", settings.region)
        log.info("HTTP Proxy server using X-Ray Endpoint : http://%s", settings.xray)
        serve(settings, listening(settings.udp), stop)
    except (End, OSError, NotLoopbackError) as error:
        log.error("%s", error.message if isinstance(error, End) else error)
        sys.exit(1)


if __name__ == "__main__":
    main()
