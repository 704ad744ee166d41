"""Fixtures for tests on the real engine. One checkout serves a module."""

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.checkout import Checkout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A clone in which nothing was run yet."""
    made = Checkout(tmp_path_factory.mktemp("checkout"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A clone with all four services deployed, tracing off, its embedded AWS stopped: one for all workers of a run."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "deployed"
    with folder.with_name("deployed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            made = folder.with_name(f"deployed-by-{worker_id}")
            made.mkdir()
            site = Checkout(made)
            try:
                site.script("disable", "--yes", "--skip-preview")
            finally:
                site.close()
            made.rename(folder)
    return folder


@pytest.fixture(scope="module")
def deployed(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A clone with all four services deployed, tracing off."""
    folder = tmp_path_factory.mktemp("copy") / "clone"
    shutil.copytree(original, folder, symlinks=True)
    made = Checkout(folder)
    made.python("-m", "localaws", "start")
    yield made
    made.close()
