"""The end of a program: SIGTERM and SIGINT, awaited without a race."""

import signal
import socket


def stop_signal() -> socket.socket:
    """Return a socket that can be read from once the program is to stop, for `select` or a plain `recv`.

    Call it from the main thread.
    """
    stop, told = socket.socketpair()
    told.settimeout(0)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(told.detach(), warn_on_full_buffer=False)
    return stop
