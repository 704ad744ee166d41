"""ECS, completed: services that deploy, tasks that run, task definitions checked as AWS does it.

`install()` puts it in the place of moto's before the server is built; between `start_reconciler()` and
`stop_reconciler()` things move. Everything that is kept can be pickled, and goes on where it was.
"""

from moto.ecs.models import ecs_backends

from localaws.ecs.backend import EcsBackend
from localaws.ecs.reconcile import Reconciler
from localaws.ecs.runner import TaskRunner

__all__ = ["install", "start_reconciler", "stop_reconciler"]

_running: list[Reconciler] = []


def install() -> None:
    """Put this ECS in the place of moto's; to be called before the first request."""
    ecs_backends.backend = EcsBackend


def start_reconciler(runner: TaskRunner) -> None:
    """Let things move, from where they were; containers run as `runner` runs them."""
    reconciler = Reconciler(runner)
    reconciler.start()
    _running.append(reconciler)


def stop_reconciler() -> None:
    """Let nothing move any more; nothing to do where nothing did."""
    while _running:
        _running.pop().stop()
