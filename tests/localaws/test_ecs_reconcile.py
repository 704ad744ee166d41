"""The reconciler's turn, on its own clock: one fault stays one fault, and nothing is kept for ever."""

import pickle

import pytest
from moto.ec2.models import ec2_backends

from localaws import state
from localaws.ecs import definitions, launch, tasks
from localaws.ecs.backend import EcsBackend
from localaws.ecs.model import Container, Task
from localaws.ecs.reconcile import KEEP_SECONDS, MOST_STOPPED, TICK_SECONDS, Reconciler, turn
from localaws.ecs.runner import Look, SimulatedRunner
from localaws.ecs.scheduler import pause_after

NOON = 1_800_000_000.0  # seconds since the epoch
ACCOUNT, REGION = "111122223333", "us-east-1"


class Runner(SimulatedRunner):
    """Runs at once whatever it is asked to, but has no luck with the image `cursed`."""

    def pull(self, task: Task, container: Container) -> None:
        if container.spec["image"] == "cursed":
            message = f"the runner stumbles over {task.id}"
            raise RuntimeError(message)

    def look(self, task: Task, container: Container) -> Look:  # noqa: ARG002 - as the protocol has it
        return Look(running=container.stop_asked is None, exit_code=None if container.stop_asked is None else 0)


@pytest.fixture
def backend() -> EcsBackend:
    made = EcsBackend(REGION, ACCOUNT)
    made.create_cluster("default")
    return made


def started(backend: EcsBackend, image: str = "app", now: float = NOON) -> Task:
    """Start a task as RunTask does."""
    subnet = ec2_backends[ACCOUNT][REGION].get_default_subnets()["us-east-1a"].id
    registered = definitions.register_task_definition(
        backend,
        {
            "family": image,
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": [{"name": "app", "image": image}],
        },
    )
    network = {"networkConfiguration": {"awsvpcConfiguration": {"subnets": [subnet]}}}
    return launch.for_run_task(backend, "default", registered["taskDefinition"], network, now)


def turns(backend: EcsBackend, count: int, now: float = NOON) -> float:
    """Take some turns, a tick apart, and return the pause that the last one asks for."""
    pauses = [turn(backend, Runner(), now + number * TICK_SECONDS) for number in range(count)]
    return pauses[-1]


def test_one_fault_does_not_stop_the_others(backend: EcsBackend, caplog: pytest.LogCaptureFixture) -> None:
    """A task that can't be looked after is in the log; the one after it runs."""
    cursed, fine = started(backend, "cursed"), started(backend)

    turns(backend, 5)

    assert (cursed.status, fine.status) == ("PENDING", "RUNNING")
    assert f"the runner stumbles over {cursed.id}" in caplog.text


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.05), (2, 0.1), (3, 0.2), (9, 12.8), (100_000, 12.8)])
def test_a_failing_service_is_tried_less_and_less_often(failures: int, seconds: float) -> None:
    """The pause before the next try doubles with each failure in a row, up to 12.8 s, for ever."""
    assert pause_after(failures) == pytest.approx(seconds)


def test_it_sleeps_while_nothing_moves(backend: EcsBackend) -> None:
    """A task in motion asks for the next tick, a settled one for nothing."""
    started(backend)

    assert turns(backend, 2) == TICK_SECONDS
    assert turns(backend, 10) == KEEP_SECONDS


def test_everything_can_be_pickled_in_the_middle(backend: EcsBackend) -> None:
    """What is pickled half-way goes on where it was."""
    task = started(backend)
    turns(backend, 1)

    revived: EcsBackend = pickle.loads(pickle.dumps(backend))  # noqa: S301 - our own
    turns(revived, 5)

    assert (task.status, revived.tasks_by_id[task.id].status) == ("PENDING", "RUNNING")


class Mortal(Runner):
    """Its containers end by themselves when told so."""

    def __init__(self) -> None:
        self.started = 0
        self.ended = False

    def start(self, task: Task, container: Container) -> None:  # noqa: ARG002 - as the protocol has it
        self.started, self.ended = self.started + 1, False

    def look(self, task: Task, container: Container) -> Look:
        return Look(running=False, exit_code=1) if self.ended else super().look(task, container)


@pytest.mark.parametrize(("age", "restarted"), [(10, False), (61, True)])
def test_a_container_is_restarted_in_place_once_it_ran_for_a_minute(
    backend: EcsBackend, age: float, *, restarted: bool
) -> None:
    """With a restart policy the task lives on; a container that ends sooner stays stopped (restartAttemptPeriod)."""
    task, runner = started(backend), Mortal()
    task.containers[0].spec["restartPolicy"] = {"enabled": True}
    for number in range(5):
        turn(backend, runner, NOON + number)
    runner.ended = True
    turn(backend, runner, NOON + age)
    turn(backend, runner, NOON + age + 1)

    assert (runner.started, task.live) == ((2, True) if restarted else (1, False))


def test_stopped_tasks_are_forgotten_in_the_end(backend: EcsBackend) -> None:
    """A stopped task is described for an hour, and never more than a bounded number of them."""
    crowd = [started(backend, now=NOON + number) for number in range(MOST_STOPPED + 10)]
    for number, task in enumerate(crowd):
        task.status, task.desired, task.stopped = "STOPPED", "STOPPED", NOON + number

    turn(backend, Runner(), NOON + len(crowd))
    assert list(backend.tasks_by_id) == [task.id for task in crowd[10:]]

    turn(backend, Runner(), NOON + len(crowd) + KEEP_SECONDS)
    assert tasks.list_tasks(backend, {"desiredStatus": "STOPPED"}) == {"taskArns": []}
    assert backend.tags.keys() & {task.arn for task in crowd} == set()


def test_load_balancers_are_back_before_the_first_request() -> None:
    """Whoever asks for their addresses right after a restart gets them, before the first turn has been taken."""
    refreshed: list[bool] = []

    class Routing(Runner):
        def refresh(self) -> None:
            refreshed.append(True)

    reconciler = Reconciler(Routing())
    with state.lock:  # so that no turn is taken
        reconciler.start()
        assert refreshed
    reconciler.stop()
