"""An X-Ray of a test's own, and a reader in UTC."""

import time
from collections.abc import Iterator

import pytest

from tests.traces.fake_xray import FakeXRay, served


@pytest.fixture
def fake() -> Iterator[FakeXRay]:
    """An X-Ray that knows nothing yet."""
    with served(FakeXRay()) as running:
        yield running


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown in the zone of the reader, wherever the tests run."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback needs no proxy, whatever the machine has."""
    monkeypatch.setenv("NO_PROXY", "*")
