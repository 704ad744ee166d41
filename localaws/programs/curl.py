"""A small curl for health checks; needs nothing but the standard library: `python -I -S curl.py …`.

Exit codes are curl's: 2 bad usage, 3 bad URL, 6 unknown host, 7 refused, 22 error under -f, 28 too late, 56 cut off.
"""

import argparse
import os
import signal
import sys
from typing import NoReturn
from urllib.parse import urlsplit

sys.modules["ssl"] = None  # type: ignore[assignment] # not used; its import would take as long as all others together
import http.client  # noqa: E402


def main() -> None:
    """Fetch one URL."""
    parser = argparse.ArgumentParser("curl")
    for short, long in (("-s", "--silent"), ("-S", "--show-error"), ("-f", "--fail")):
        parser.add_argument(short, long, action="store_true")
    parser.add_argument("-o", "--output", default=1)  # standard output
    parser.add_argument("-m", "--max-time", type=float, default=0)
    parser.add_argument("--connect-timeout", type=float)
    parser.add_argument("url")
    given = parser.parse_args()

    def end(code: int, message: str) -> NoReturn:
        if code and (given.show_error or not given.silent):
            print(f"curl: ({code}) {message}", file=sys.stderr)
        sys.exit(code)

    signal.signal(signal.SIGALRM, lambda *_: end(28, f"Operation timed out after {given.max_time} s"))
    signal.setitimer(signal.ITIMER_REAL, given.max_time)
    parts = urlsplit(given.url if "://" in given.url else f"http://{given.url}")
    if parts.scheme != "http":
        end(3, f"{given.url} is no http:// URL")
    host = parts.hostname or ""
    address = os.environ.get("LOCALAWS_TASK_ADDRESS", "127.0.0.1") if host in ("localhost", "127.0.0.1") else host
    if not (address.startswith("127.") and address.replace(".", "").isdecimal()):
        end(6, f"Could not resolve host: {host}")
    connection = http.client.HTTPConnection(address, parts.port or 80, timeout=given.connect_timeout)
    try:
        connection.connect()
    except OSError as error:
        end(28 if isinstance(error, TimeoutError) else 7, f"Failed to connect to {parts.netloc}: {error}")
    try:
        connection.sock.settimeout(None)
        target = parts._replace(scheme="", netloc="", path=parts.path or "/").geturl()
        connection.request("GET", target, headers={"Host": parts.netloc, "User-Agent": "curl/8.0"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        end(56, f"Failure when receiving data from {parts.netloc}: {error}")
    if given.fail and response.status >= http.HTTPStatus.BAD_REQUEST:
        end(22, f"The requested URL returned error: {response.status}")
    with open(given.output, "wb") as output:  # noqa: PTH123 - a path or a number
        output.write(body)


main()
