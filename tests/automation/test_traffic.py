"""Requests through the gateway, over real HTTP."""

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat

import pytest

from automation.traffic import Traffic, ready, send, together


class Gateway(BaseHTTPRequestHandler):
    """Answers with the statuses it is given, one after the other, and tells what it was asked."""

    protocol_version = "HTTP/1.1"
    statuses: Iterator[int]
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        type(self).asked.append((self.path, self.headers.get("X-Amzn-Trace-Id")))
        self.send_response(next(type(self).statuses))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def gateway() -> Iterator[tuple[type[Gateway], str]]:
    """A gateway and its URL."""
    made = type("Told", (Gateway,), {"statuses": repeat(200), "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_gateway_that_has_yet_to_find_its_service_is_waited_for(gateway: tuple[type[Gateway], str]) -> None:
    """Until the service's health is answered, by requests that no trace comes of."""
    told, url = gateway
    told.statuses = chain([503, 404, 503], repeat(200))
    assert ready(url, timeout=30, cancelled=threading.Event())
    assert told.asked == [("/health", "Sampled=0")] * 4


def test_a_gateway_that_never_answers_is_given_up() -> None:
    """When the time is up, or nobody wants to know any more."""
    cancelled = threading.Event()
    assert not ready("http://127.0.0.1:9/", timeout=0, cancelled=cancelled)
    cancelled.set()
    assert not ready("http://127.0.0.1:9/", timeout=10**6, cancelled=cancelled)


def test_every_answer_is_counted_and_none_asked_for_twice(gateway: tuple[type[Gateway], str]) -> None:
    """What was not 200 is told, with how often."""
    told, url = gateway
    told.statuses = chain([200, 503, 302], repeat(200))
    sent = send(url, 20, cancelled=threading.Event())
    assert sent.answers == Counter({"200": 18, "503": 1, "302": 1})
    assert sorted(sent.problems()) == [f"1 of 20 requests to {url} ended in {status}" for status in ("302", "503")]
    assert len(told.asked) == 20


def test_requests_to_several_pages_are_told_together() -> None:
    """What went wrong with any of them shows."""
    shop = Traffic(url="http://shop/", wanted=3, answers=Counter({"200": 3}), seconds=[0.1] * 3)
    pay = Traffic(url="http://pay/", wanted=2, answers=Counter({"200": 1, "503": 1}), seconds=[0.2] * 2)
    both = together([shop, pay])
    assert (both.wanted, both.sent, both.ok, len(both.seconds)) == (5, 5, 4, 5)
    assert both.problems() == ["1 of 5 requests to http://shop/ and http://pay/ ended in 503"]
    assert together([shop]) == shop
