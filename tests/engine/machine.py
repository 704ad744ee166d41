"""A machine of its own, as far as processes can tell: network, processes and name are its own, files are shared.

What listens on 127.0.0.1 outside is not there inside, and the other way round. A port that both are to have is passed
through a Unix socket, ``<folder>/<port>``, since those are files: the side with the service serves it, the other one
listens in its place.

    python tests/engine/machine.py FOLDER --serve PORT… --reach PORT… [--name NAME --run COMMAND…]

With a command, this is the machine's first process, and all of it ends with the command.
"""

import argparse
import asyncio
import fcntl
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1  # of Linux's netdevice(7)


class Machine:
    """A machine that runs one command until it is killed."""

    def __init__(
        self, folder: Path, name: str, serve: Sequence[int], reach: Sequence[int], command: Sequence[str]
    ) -> None:
        self.name = name
        self._folder, self._serve, self._reach, self._command = folder, serve, reach, command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **given: Any) -> None:
        """Turn it on; `given` is for its process."""
        unshare = ["unshare", "--net", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"]
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
            unshare.insert(1, "--map-root-user")
        relay = _relay(self._folder, self._serve, self._reach)
        with (self._folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*unshare, *relay, "--name", self.name, "--run", *self._command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **given,
            )  # fmt: skip

    def lose(self) -> None:
        """Lose it with everything on it, at once."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


def outside(folder: Path, serve: Sequence[int], reach: Sequence[int]) -> "subprocess.Popen[bytes]":
    """The other side of all machines of a folder."""
    return subprocess.Popen(_relay(folder, serve, reach), stdin=subprocess.DEVNULL)


def _relay(folder: Path, serve: Sequence[int], reach: Sequence[int]) -> list[str]:
    ports = ["--serve", *map(str, serve), "--reach", *map(str, reach)]
    return [sys.executable, str(Path(__file__)), str(folder), *ports]


async def _pass(folder: Path, serve: Sequence[int], reach: Sequence[int]) -> None:
    for port in serve:
        await asyncio.start_unix_server(
            _to(lambda port=port: asyncio.open_connection("127.0.0.1", port)), folder / str(port)
        )
    for port in reach:
        there = str(folder / str(port))
        await asyncio.start_server(_to(lambda there=there: asyncio.open_unix_connection(there)), "127.0.0.1", port)


def _to(connect: Any) -> Any:
    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await connect()
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, back), _copy(there, writer))

    return passed


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while read := await reader.read(65536):
            writer.write(read)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


async def _main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--serve", type=int, nargs="*", default=[])
    parser.add_argument("--reach", type=int, nargs="*", default=[])
    parser.add_argument("--name")
    parser.add_argument("--run", nargs=argparse.REMAINDER, default=[])
    given = parser.parse_args()
    if given.name:
        socket.sethostname(given.name)
        _bring_loopback_up()
    await _pass(given.folder, given.serve, given.reach)
    if given.run:
        return await (await asyncio.create_subprocess_exec(*given.run)).wait()
    await asyncio.Event().wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(_main()))
