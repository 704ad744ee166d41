"""An embedded AWS that the tests share, clients of it, and others of a test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.instance import Instance
from tests.localaws.support import client_of
from tests.localaws.xtras_site import Network


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that runs, on a state folder of its own. Tests name what they make so that they don't meet."""
    shared = Instance(tmp_path_factory.mktemp("shared"))
    shared.start()
    yield shared
    shared.stop()


@pytest.fixture(scope="session")
def client(instance: Instance) -> Callable[..., Any]:
    """Clients of the shared instance by service, such as "ecs", and region where it is not us-east-1."""
    return lambda service, region="us-east-1": client_of(instance, service, region)


@pytest.fixture
def network(client: Callable[..., Any]) -> Network:
    """A VPC of the test's own, with what a subnet needs around it."""
    return Network(client)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Instance]:
    """An instance of the test's own: not started, and stopped in the end."""
    own = Instance(tmp_path / "state")
    yield own
    own.stop()
