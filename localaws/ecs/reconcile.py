"""The reconciler: one thread that moves all of ECS towards what is wanted, and sleeps while nothing is to be done."""

import logging
import threading
import time

from moto.ecs.models import ecs_backends

from localaws import state
from localaws.ecs import alarm, definitions, lifecycle, scheduler
from localaws.ecs.backend import EcsBackend
from localaws.ecs.model import ENDED
from localaws.ecs.runner import TaskRunner

TICK_SECONDS = 0.02  # between two looks while something is moving
KEEP_SECONDS = 3600  # how long a stopped task or an inactive service can still be described, as on AWS
MOST_STOPPED = 500  # tasks kept at most, so that a service failing for hours fills nothing

_log = logging.getLogger(__name__)


class Reconciler:
    """Runs `turn` for each account and region, whenever there may be something to do."""

    def __init__(self, runner: TaskRunner) -> None:
        self._runner = runner
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ecs-reconciler", daemon=True)

    def start(self) -> None:
        """Begin; what is in motion since before a restart goes on.

        Load balancers are back when this returns: the first request may ask for their addresses, and the first turn,
        which starts the processes of all tasks again, takes long on a busy machine.
        """
        with state.lock:
            self._refresh()
        alarm.wake()
        self._thread.start()

    def stop(self) -> None:
        """End, the current turn completed."""
        self._ending.set()
        alarm.wake()
        self._thread.join()
        with state.lock:
            self._runner.close()

    def _run(self) -> None:
        was_moving = False
        while not self._ending.is_set():
            alarm.rung.clear()
            with state.lock:
                turns = [turn(backend, self._runner, time.time()) for backend in _backends()]
                self._refresh()
            pause = min(turns, default=float(KEEP_SECONDS))
            moving = pause <= TICK_SECONDS
            if moving or was_moving:
                state.changed.set()
            was_moving = moving
            alarm.rung.wait(pause)

    def _refresh(self) -> None:
        try:
            self._runner.refresh()
        except Exception:  # noqa: BLE001 - the tasks run on as they are
            _log.exception("What routes to the tasks could not be brought up to date")


def turn(backend: EcsBackend, runner: TaskRunner, now: float) -> float:
    """Take every task and service one step further; return after how many seconds to look again at the latest."""
    for task in list(backend.tasks_by_id.values()):
        try:
            lifecycle.step(backend, runner, task, now)
            task.served = not task.live or runner.serves(task)
        except Exception:  # noqa: BLE001 - one task must not stop the others
            _log.exception("Task %s could not be looked after", task.arn)
    pauses = [float(KEEP_SECONDS)]
    for service in list(backend.services_by_name.values()):
        try:
            scheduler.step(backend, service, now)
        except Exception:  # noqa: BLE001 - likewise
            _log.exception("Service %s could not be looked after", service.arn)
        if pause := scheduler.retry_in(service, now):
            pauses.append(pause)
    _forget(backend, now)
    if not all(task.settled(now) for task in backend.tasks_by_id.values()):
        pauses.append(TICK_SECONDS)
    return min(pauses)


def _forget(backend: EcsBackend, now: float) -> None:
    """Forget what ended long ago, so that memory stays bounded."""
    ended = [task for task in backend.tasks_by_id.values() if task.status == ENDED]
    spare = len(ended) - MOST_STOPPED
    for place, task in enumerate(sorted(ended, key=lambda task: task.stopped or 0.0)):
        if place < spare or now - (task.stopped or now) > KEEP_SECONDS:
            del backend.tasks_by_id[task.id]
            backend.tags.pop(task.arn, None)
    for key, service in list(backend.services_by_name.items()):
        if service.ended is not None and now - service.ended > KEEP_SECONDS:
            del backend.services_by_name[key]
            backend.tags.pop(service.arn, None)
    definitions.forget_deleted(backend)


def _backends() -> list[EcsBackend]:
    return [backend for _, _, backend in list(ecs_backends.iter_backends()) if isinstance(backend, EcsBackend)]
