"""Wakes the reconciler. A module of its own, so that everything may ring without knowing who listens."""

import threading

rung = threading.Event()


def wake() -> None:
    """Say that something may have to be done; returns at once. Any thread may call this."""
    rung.set()
