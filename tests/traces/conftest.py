"""An X-Ray of a test's own."""

from collections.abc import Iterator

import pytest

from tests.traces.fake_xray import FakeXRay, served


@pytest.fixture
def fake() -> Iterator[FakeXRay]:
    """An X-Ray that knows nothing yet."""
    with served(FakeXRay()) as running:
        yield running


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback needs no proxy, whatever the machine has."""
    monkeypatch.setenv("NO_PROXY", "*")
