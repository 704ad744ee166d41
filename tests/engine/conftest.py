"""Fixtures for tests on the real engine. One deployed checkout serves a module."""

from collections.abc import Iterator

import pytest

from tests.engine.checkout import Checkout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A clone in which nothing was run yet."""
    made = Checkout(tmp_path_factory.mktemp("checkout"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def deployed(checkout: Checkout) -> Checkout:
    """A clone with all four services deployed, tracing off."""
    checkout.script("disable", "--yes", "--skip-preview")
    return checkout
