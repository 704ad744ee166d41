"""Requests through the gateway: without traffic there is nothing to trace."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import HTTPError

CLIENTS = 8  # requests under way at most
_TIMEOUT = urllib3.Timeout(connect=5, read=15)  # seconds; App Mesh's own limit for a request is 15 s
_OK = 200
_PAUSE = 0.25  # seconds between two looks whether it answers
_NOT_TRACED = {"X-Amzn-Trace-Id": "Sampled=0"}


@dataclass(kw_only=True)
class Traffic:
    """What became of the requests."""

    url: str
    wanted: int
    answers: Counter[str] = field(default_factory=Counter)  # by status, or by what kept the answer from coming
    seconds: list[float] = field(default_factory=list)  # how long each answer took

    @property
    def sent(self) -> int:
        """Requests that were sent."""
        return self.answers.total()

    @property
    def ok(self) -> int:
        """Requests answered with 200."""
        return self.answers[str(_OK)]

    def problems(self) -> list[str]:
        """What went wrong, in sentences for the user."""
        bad = {what: number for what, number in self.answers.items() if what != str(_OK)}
        return [f"{number} of {self.sent} requests to {self.url} ended in {what}" for what, number in bad.items()]


def together(parts: Sequence[Traffic]) -> Traffic:
    """What became of the requests to several pages."""
    if len(parts) == 1:
        return parts[0]
    return Traffic(
        url=" and ".join(part.url for part in parts),
        wanted=sum(part.wanted for part in parts),
        answers=sum((part.answers for part in parts), Counter()),
        seconds=[seconds for part in parts for seconds in part.seconds],
    )


def ready(url: str, *, timeout: float, cancelled: threading.Event) -> bool:
    """Whether the page at `url` answers, asked for at most `timeout` seconds.

    A gateway that was just deployed has yet to hear of the services, and its load balancer of the gateway. It asks for
    the health of the service behind the gateway, which calls nobody and is not to be traced.
    """
    pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)
    deadline = time.monotonic() + timeout
    while not cancelled.is_set():
        with contextlib.suppress(HTTPError, OSError):
            if pool.request("GET", urljoin(url, "health"), headers=_NOT_TRACED, redirect=False).status == _OK:
                return True
        if time.monotonic() >= deadline:
            break
        cancelled.wait(_PAUSE)
    return False


def send(
    url: str,
    requests: int,
    *,
    cancelled: threading.Event,
    rate: float | None = None,
    progress: Callable[[int], None] = lambda _done: None,
) -> Traffic:
    """Send GET requests over connections that are kept open, as browsers do, at most `rate` a second.

    Nothing is sent twice: a request that fails is counted, whatever it failed of. `progress` is told how many are done.
    """
    traffic = Traffic(url=url, wanted=requests)
    # Straight to where it was told to: no proxy, no redirect.
    pool = urllib3.PoolManager(maxsize=CLIENTS, timeout=_TIMEOUT, retries=False)
    numbers, counting, begun = count(), threading.Lock(), time.monotonic()

    def client() -> None:
        while not cancelled.is_set():
            with counting:
                number = next(numbers)
            if number >= requests:
                return
            if rate and cancelled.wait(max(0.0, begun + number / rate - time.monotonic())):
                return
            started = time.monotonic()
            try:
                answer = str(pool.request("GET", url, redirect=False).status)
            except (HTTPError, OSError) as error:
                answer = type(error).__name__
            taken = time.monotonic() - started
            with counting:
                traffic.answers[answer] += 1
                traffic.seconds.append(taken)
                progress(traffic.sent)

    with ThreadPoolExecutor(max_workers=CLIENTS) as clients:
        for done in [clients.submit(client) for _ in range(CLIENTS)]:
            done.result()
    pool.clear()
    return traffic
