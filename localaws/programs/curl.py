"""A small curl for health checks; needs nothing but the standard library: `python -I -S curl.py …`.

Exit codes: 2 usage, 3 bad URL, 6 unknown host, 7 refused, 22 error under -f, 23 output, 28 too late, 52 no answer.
Checks run ten times a second while a task starts, hence neither argparse nor http.client, which take most of the CPU.
"""

import os
import socket
import sys
import time

_LETTERS = {"s": "silent", "S": "show-error", "f": "fail", "o": "output", "m": "max-time"}
_VALUED = ("output", "max-time", "connect-timeout")
_BAD_REQUEST = 400


class CurlError(Exception):
    """An exit code and a reason."""


def main(words: list[str]) -> int:
    """Fetch one URL; return the exit code."""
    given = {"output": "", "max-time": "1e6", "connect-timeout": "1e6", "url": ""}
    try:
        parse(words, given)
        status, body = get(given["url"], float(given["connect-timeout"]), float(given["max-time"]))
        if "fail" in given and status >= _BAD_REQUEST:
            raise CurlError(22, f"The requested URL returned error: {status}")  # noqa: TRY301
        with open(given["output"] or 1, "wb") as output:  # noqa: PTH123 - 1 is standard output
            output.write(body)
    except CurlError as error:
        code, reason = error.args
    except ValueError as error:
        code, reason = 2, error
    except OSError as error:
        code, reason = 23, error
    else:
        return 0
    if "show-error" in given or "silent" not in given:
        print(f"curl: ({code}) {reason}", file=sys.stderr)
    return int(code)


def parse(words: list[str], given: dict[str, str]) -> None:
    """Add what the command line says."""
    while words:
        word = words.pop(0)
        name, rest = (word[2:], "") if word.startswith("--") else (_LETTERS.get(word[1:2], ""), word[2:])
        if not word.startswith("-"):
            given["url"] = word
        elif name in _VALUED and (rest or words):
            given[name] = rest or words.pop(0)
        elif name in _LETTERS.values() and name not in _VALUED:
            given[name] = "yes"
            words[:0] = [f"-{rest}"] if rest else []
        else:
            raise CurlError(2, f"option {word}: is unknown or lacks its value")
    if not given["url"]:
        raise CurlError(2, "no URL specified")


def get(url: str, connect_seconds: float, seconds: float) -> tuple[int, bytes]:
    """Return status and body."""
    scheme, _, rest = url.rpartition("://")
    authority, _, path = rest.partition("/")
    host, _, port = authority.partition(":")
    if scheme not in ("", "http") or not (port or "80").isdecimal():
        raise CurlError(3, f"'{url}' is no http:// URL")
    address = os.environ.get("LOCALAWS_TASK_ADDRESS", "127.0.0.1") if host in ("localhost", "127.0.0.1") else host
    if not (address.startswith("127.") and address.replace(".", "").isdecimal()):
        raise CurlError(6, f"Could not resolve host: {host}")
    head = (
        f"GET /{path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: curl/8.0\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
    deadline, answer = time.monotonic() + seconds, b""
    try:
        with socket.create_connection((address, int(port or 80)), min(connect_seconds, seconds)) as connection:
            connection.sendall(head.encode())
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            while piece := connection.recv(65_536):
                answer += piece
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
    except TimeoutError:
        raise CurlError(28, f"Operation timed out after {seconds} s") from None
    except ConnectionRefusedError:
        raise CurlError(7, f"Failed to connect to {authority}") from None
    except OSError as error:
        raise CurlError(56, f"{authority}: {error}") from None
    top, _, body = answer.partition(b"\r\n\r\n")
    if not top.startswith(b"HTTP/1."):
        raise CurlError(52, f"No answer from {authority}")
    chunked = b"\r\ntransfer-encoding: chunked" in top.lower()
    return int(top[9:12]), joined(body) if chunked else body


def joined(chunks: bytes) -> bytes:
    """Return the body that chunks make."""
    body = b""
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        body, chunks = body + chunks[:length], chunks[length + 2 :]
    return body


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
