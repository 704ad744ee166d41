"""Engines end with their worker, and with their run; a program that waits for signals stands in for one."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation import guard

WAITS = "import signal; print(flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {WAITS}"

LONG = 60.0  # seconds; no test takes as long


class Guarded:
    """A guard, and engines that it is told of."""

    def __init__(self) -> None:
        self.guard = subprocess.Popen([sys.executable, str(Path(guard.__file__))], stdin=subprocess.PIPE, text=True)
        self.engines: list[subprocess.Popen[str]] = []

    def engine(self, program: str, *, lease: float, grace: float) -> "subprocess.Popen[str]":
        engine = subprocess.Popen(
            [sys.executable, "-S", "-c", program],
            start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert engine.stdout is not None
        engine.stdout.readline()
        self.engines.append(engine)
        self.tell(f"+{engine.pid} {lease} {grace} {time.monotonic()}")
        return engine

    def tell(self, line: str) -> None:
        assert self.guard.stdin is not None
        self.guard.stdin.write(f"{line}\n")
        self.guard.stdin.flush()


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    made = Guarded()
    yield made
    for engine in made.engines:
        engine.kill()
        engine.communicate()
    made.guard.kill()
    made.guard.communicate()


def test_of_a_worker_that_is_gone(guarded: Guarded) -> None:
    """Its engines are interrupted, and one that does not heed that is killed; then nobody has to watch any more."""
    orderly = guarded.engine(WAITS, lease=LONG, grace=LONG)
    stubborn = guarded.engine(STUBBORN, lease=LONG, grace=0.1)
    assert guarded.guard.stdin is not None
    guarded.guard.stdin.close()
    assert orderly.wait(LONG) == -signal.SIGINT
    assert stubborn.wait(LONG) == -signal.SIGKILL
    assert guarded.guard.wait(LONG) == 0


def test_of_a_run_that_is_silent(guarded: Guarded) -> None:
    """GIVEN two runs WHEN one gives no more signs THEN its engine is ended, the other one's is not."""
    heard = guarded.engine(WAITS, lease=1.0, grace=LONG)
    silent = guarded.engine(WAITS, lease=1.0, grace=LONG)
    guarded.tell(f"={heard.pid} {time.monotonic() + LONG}")
    assert silent.wait(LONG) == -signal.SIGINT
    assert heard.poll() is None


def test_an_engine_that_ended_is_let_go(guarded: Guarded) -> None:
    """Its number may be another process's by then."""
    engine = guarded.engine(WAITS, lease=LONG, grace=0.0)
    guarded.tell(f"-{engine.pid}")
    assert guarded.guard.stdin is not None
    guarded.guard.stdin.close()
    assert guarded.guard.wait(LONG) == 0
    assert engine.poll() is None
