"""A loopback address for each task, so that tasks may all listen on the same ports.

All of 127.0.0.0/8 is this machine's own on Linux, without any set-up. The two middle bytes are the port of the embedded
AWS, which nobody else on the machine has: two instances never meet. The last byte tells the tasks apart.
"""

import socket

_LAST = 253
_BALANCERS = 254


class NoAddressError(Exception):
    """Every loopback address of this instance is in use."""


class Addresses:
    """The loopback address of each task, by the private address of its network interface."""

    def __init__(self, port: int) -> None:
        self._prefix = f"127.{port >> 8}.{port & 0xFF}"
        self._by_private: dict[str, str] = {}
        self._next = 1

    @property
    def balancers(self) -> str:
        """Return the address that no task gets: where the load balancers are administered."""
        return f"{self._prefix}.{_BALANCERS}"

    def allot(self, private: str) -> str:
        """Return the loopback address that stands for a private one, a new one where there is none yet.

        An address is taken up again as late as possible: clients of the last task might still call it.

        Raises:
            NoAddressError: 253 tasks run already.

        """
        if private in self._by_private:
            return self._by_private[private]
        taken = set(self._by_private.values())
        for offset in range(_LAST):
            number = (self._next - 1 + offset) % _LAST + 1
            address = f"{self._prefix}.{number}"
            if address not in taken:
                self._next = number % _LAST + 1
                self._by_private[private] = address
                return address
        message = f"{_LAST} tasks run already; the embedded AWS has no address for more"
        raise NoAddressError(message)

    def find(self, private: str) -> str | None:
        """Return the loopback address that stands for a private one."""
        return self._by_private.get(private)

    def give_back(self, private: str) -> None:
        """Let another task have the address."""
        self._by_private.pop(private, None)


def available() -> bool:
    """Return whether this machine lets a program listen anywhere in 127.0.0.0/8; macOS has 127.0.0.1 alone."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.255.255.254", 0))
        except OSError:
            return False
    return True
