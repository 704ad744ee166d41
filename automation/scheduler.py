"""--scheduler ADDRESS: the run's engines on the workers of a Dask cluster that can do what this machine would.

What is deployed when, what a failure means and what is written down stays with the run (`automation.run`).
"""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client

from automation import remote
from automation.cluster import Placed
from automation.elsewhere import RemoteEngine, Terms
from automation.errors import AutomationError, UsageError
from automation.leftovers import Leftovers
from automation.sameness import Facts
from automation.session import Session

_WAIT_SECONDS = 10
_DOCUMENT = "docs/scheduler.md"


@contextmanager
def joined(session: Session, address: str, parallel: int | None) -> Iterator[None]:
    """Have the session's engines run on a cluster's workers, `parallel` at most, else as many as it has threads.

    Raises `UsageError` where the cluster cannot do what this machine would do.
    """
    # What becomes of the cluster is told in our own words.
    for name in ("distributed", "distributed.client"):  # the latter has a level of its own
        logging.getLogger(name).setLevel(logging.CRITICAL)
    environment = session.environment
    leftovers = Leftovers(environment.runs)
    with _client(address) as client:
        try:
            client.wait_for_workers(1, timeout=_WAIT_SECONDS)
        except TimeoutError as error:
            message = f"The Dask cluster at {address} has no workers."
            following = f".venv/bin/python -m dask worker {address}   (see {_DOCUMENT})"
            raise UsageError(message, next_command=following) from error
        threads = client.nthreads()
        terms = Terms(environment=environment, expected=_agreed(client, session))

        def placed(job: Placed) -> None:
            stack, (host, process) = job.job.stack, job.owner or ("", 0)
            service = stack.removeprefix(f"{environment.name}-")
            session.record("stack-placed", service=service, stack=stack, worker=job.worker, host=host, process=process)

        session.engine = engine = RemoteEngine(session.engine.executable, client, terms, placed)
        session.parallel = parallel or sum(threads.values())
        words = f"{len(threads)} workers" if len(threads) > 1 else "one worker"
        session.say(f"Engines run on {words} of the Dask cluster at {address}, {session.parallel} stacks at once.")
        with leftovers.elsewhere(terms.lease.over) as sign, engine.cluster.attended(sign):
            yield


@contextmanager
def _client(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=_WAIT_SECONDS, direct_to_workers=False, set_as_default=False)
    except (OSError, ValueError) as error:
        message = f"No Dask scheduler answers at '{address}': {_first_line(error)}."
        raise UsageError(message, next_command=f".venv/bin/python -m dask scheduler   (see {_DOCUMENT})") from error
    try:
        yield client
    finally:
        client.close(timeout=_WAIT_SECONDS)


def _agreed(client: Client, session: Session) -> Facts:
    """What all workers and this machine deploy with. Raises `UsageError` where they differ."""
    own = remote.here(session.environment)
    with _mark(own.backend) as mark:
        found = client.run(remote.about, session.environment.name, mark, on_error="return")
    for worker, told in sorted(found.items()):
        if isinstance(told, AutomationError):
            raise UsageError(f"worker {worker}: {told}", next_command=told.next_command) from told
        if isinstance(told, BaseException):
            message = f"worker {worker} cannot use its checkout: {_first_line(told)}."
            following = f"start it from the folder of a checkout that was set up (see {_DOCUMENT})"
            raise UsageError(message, next_command=following) from told
        told.require(own, f"worker {worker}")
    return own


@contextmanager
def _mark(backend: str) -> Iterator[str]:
    """A file in a backend that is a folder, while it is looked for; "" for other backends."""
    if not backend.startswith("file://"):
        yield ""
        return
    file = Path(backend.removeprefix("file://")).expanduser() / f".seen-by-workers-{uuid.uuid4().hex}"
    file.touch()
    try:
        yield str(file)
    finally:
        file.unlink()


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
