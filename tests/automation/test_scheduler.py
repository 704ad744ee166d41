"""A run on a Dask cluster: what it agrees on with the workers, and what becomes of a job; no engine runs."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster, Queue, get_client

from automation import elsewhere, flip, remote, retries, scheduler
from automation.cli import Shared
from automation.engine import Update
from automation.errors import UsageError
from automation.events import Progress
from automation.leftovers import Leftovers
from automation.remote import Done, Job, Lease
from automation.sameness import Facts
from automation.session import Session
from automation.wish import Wish
from tests.automation.fakes import fake_session
from tests.localaws.support import until

HERE: Mapping[str, Any] = {"processes": False, "protocol": "tcp", "dashboard_address": "127.0.0.1:0"}
OWN = Facts(program="aa", backend="", endpoint="", account="123456789012", region="us-east-1")


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=1, threads_per_worker=1, **HERE) as made:
        yield made


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    with fake_session(tmp_path) as (made, engine):
        engine.executable = Path("pulumi")  # type: ignore[attr-defined]
        monkeypatch.setattr(remote, "here", lambda _: OWN)
        monkeypatch.setattr(elsewhere, "LEASE_LOCAL", Lease(seconds=0.1, grace=0.1))
        yield made


@pytest.fixture
def joined(session: Session, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setattr(remote, "about", agreeing)
    with scheduler.joined(session, cluster.scheduler_address, None):
        yield session


async def agreeing(_environment: str, _mark: str) -> Facts:
    return OWN


async def differing(_environment: str, _mark: str) -> Facts:
    return replace(OWN, program="bb")


async def blind(_environment: str, _mark: str) -> Facts:
    raise UsageError("it does not see /state", next_command="give it a bucket")


async def without_packages(_environment: str, _mark: str) -> Facts:
    raise ModuleNotFoundError("No module named 'pulumi'")


REFUSED = {
    differing: ("its checkout differs from this one (bb, not aa)", "git status --short"),
    blind: ("it does not see /state", "give it a bucket"),
    without_packages: ("cannot use its checkout: No module named 'pulumi'", "docs/scheduler.md"),
}


@pytest.mark.parametrize("about", REFUSED)
def test_a_worker_that_would_do_something_else_is_refused(
    session: Session, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch, about: Any
) -> None:
    """The error names the worker and what to do; nothing was given to it."""
    told, following = REFUSED[about]
    monkeypatch.setattr(remote, "about", about)
    with pytest.raises(UsageError) as refused, scheduler.joined(session, cluster.scheduler_address, None):
        pass
    assert cluster.scheduler is not None
    (worker,) = cluster.scheduler.workers
    assert str(refused.value).startswith(f"worker {worker}")
    assert told in str(refused.value)
    assert following in str(refused.value.next_command)


def test_a_scheduler_that_does_not_answer(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for long."""
    monkeypatch.setattr(scheduler, "_WAIT_SECONDS", 0.2)
    with pytest.raises(UsageError) as refused, scheduler.joined(session, "tcp://127.0.0.1:9", None):
        pass
    assert str(refused.value).startswith("No Dask scheduler answers at 'tcp://127.0.0.1:9'")
    assert "dask scheduler" in str(refused.value.next_command)


@pytest.fixture
def empty() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=0, **HERE) as made:
        yield made


def test_a_cluster_without_workers(session: Session, empty: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may still be about to come, so they are waited for a little."""
    monkeypatch.setattr(scheduler, "_WAIT_SECONDS", 0.5)
    with pytest.raises(UsageError) as refused, scheduler.joined(session, empty.scheduler_address, None):
        pass
    assert str(refused.value).endswith("has no workers.")
    assert f"dask worker {empty.scheduler_address}" in str(refused.value.next_command)


def test_dask_is_not_installed(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is needed for this option alone; the command that installs it is named."""
    monkeypatch.setattr(flip, "find_spec", lambda _: None)
    shared = Shared(environment="local", as_json=False, yes=True, parallel=None)
    with pytest.raises(UsageError, match="--scheduler needs the package 'distributed'") as refused:
        flip._beyond(session, shared, Wish(tracing=True, scheduler="tcp://127.0.0.1:9"))
    assert "requirements-dask.txt" in str(refused.value.next_command)


def test_a_folder_that_a_worker_does_not_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that this machine made in the backend is not there."""
    monkeypatch.setattr(remote, "_place", lambda _: None)
    monkeypatch.setattr(remote, "load_program", lambda: None)
    with pytest.raises(UsageError, match="it does not see"):
        remote._about("local", str(tmp_path / "mark"))


def test_what_a_worker_did_is_known_here(joined: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its configuration and its progress; what the stack had applied in an earlier try is in there, too."""
    monkeypatch.setattr(remote, "deploy", configuring)
    progress = Progress(applied=Counter(create=1))
    update = joined.engine.up("local-crystal", progress, configured={"ecs-tracing:tracing": "true"})
    assert update.problem is None
    assert update.progress is progress
    assert progress.applied == {"create": 1, "update": 2}
    assert joined.environment.files.path("crystal").read_text() == "config: {'ecs-tracing:tracing': 'true'}\n"
    assert joined.parallel == 1


def test_a_job_is_begun_once(joined: Session) -> None:
    """GIVEN the cluster takes a worker for dead WHEN it gives the job to another THEN that one does not begin."""
    client = joined.engine.cluster._client  # type: ignore[attr-defined]
    ticket: Any = Queue("once", client=client)
    ticket.put("begin")
    assert client.submit(took, "once", pure=False).result()
    assert client.submit(remote.deploy, job("once"), pure=False).result() is None
    ticket.close()


def test_a_worker_that_is_gone_is_one_that_may_be_tried_again(joined: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """But only once its engine has ended for certain: after the time that it goes on without a sign of its run."""
    monkeypatch.setattr(remote, "deploy", vanishing)
    begun = time.monotonic()
    update = joined.engine.up("local-crystal", Progress())
    assert time.monotonic() - begun >= elsewhere.LEASE_LOCAL.over
    assert retries.passes([str(update.problem)])


def test_a_scheduler_that_is_gone_fails_what_is_left(joined: Session) -> None:
    """It is no failure that passes, and the run still ends in order."""
    engine: Any = joined.engine
    engine.cluster._client.close()
    problem = engine.up("local-crystal", Progress()).problem
    assert problem == "the Dask scheduler is gone"
    assert not retries.passes([problem])


def test_after_a_killed_run_its_engines_elsewhere_are_waited_for(tmp_path: Path) -> None:
    """As long as they may go on without a sign of their run; a run that ends in order has none left."""
    leftovers = Leftovers(tmp_path)
    assert leftovers.seconds_left() == 0
    with leftovers.elsewhere(60) as sign:
        file = tmp_path / "engines" / "elsewhere"
        os.utime(file, (time.time() - 50, time.time() - 50))
        assert 5 < leftovers.seconds_left() <= 10
        sign()
        assert 55 < leftovers.seconds_left() <= 60
    assert leftovers.seconds_left() == 0


def test_an_interrupted_run_takes_back_what_was_not_begun(joined: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIVEN one thread and two jobs WHEN interrupted THEN the second ends without a worker."""
    monkeypatch.setattr(remote, "deploy", waiting)
    RELEASED.clear()
    BEGUN.clear()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(joined.engine.up, "local-crystal", Progress())
        until(BEGUN.is_set)
        second = pool.submit(joined.engine.up, "local-nodejs", Progress())
        joined.engine.interrupt()
        assert second.result().problem == "no worker had begun it"
        assert not first.done()
        RELEASED.set()
        assert first.result().problem is None


BEGUN, RELEASED = threading.Event(), threading.Event()


def job(name: str) -> Job:
    return Job(
        id=name, run="run", environment="local", stack="local-crystal", configuration=None, configured={},
        refresh=False, progress=Progress(), tag="", lease=Lease(seconds=1, grace=1), expected=OWN,
    )  # fmt: skip


def configuring(given: Job) -> Done:
    given.progress.applied["update"] += 2
    return Done(update=Update(progress=given.progress), configuration=f"config: {dict(given.configured)}\n")


def vanishing(_given: Job) -> None:
    return None


def waiting(given: Job) -> Done:
    took(given.id)
    BEGUN.set()
    assert RELEASED.wait(20)
    return Done(update=Update(progress=given.progress), configuration=None)


def took(name: str) -> bool:
    ticket: Any = Queue(name, client=get_client())
    return bool(ticket.get(timeout=1))
