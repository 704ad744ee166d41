"""Runs the containers of tasks as local processes: real Envoys, and programs of ours in place of the other images.

Each task has a loopback address of its own, on which its processes listen. What a redirection by iptables does on AWS,
addresses do here: callers of a task are told its Envoy's port, and its application speaks HTTP through its Envoy as
through a proxy.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from envoymesh import Endpoint
from localaws import authority
from localaws.ecs import alarm, images
from localaws.ecs.model import Container, Task
from localaws.ecs.runner import Door, Look
from localaws.tasks import envoys, programs
from localaws.tasks.addresses import Addresses, NoAddressError
from localaws.tasks.balancers import Balancers
from localaws.tasks.dns import Resolver
from localaws.tasks.envoy_image import BadVariableError
from localaws.tasks.envoys import Envoy
from localaws.tasks.health import STARTING_HASTE, Checker
from localaws.tasks.logs import Logs, Stream
from localaws.tasks.processes import Process

_STOP_TIMEOUT = 30  # seconds; Fargate's, where the container definition says nothing
_CLOSE_SECONDS = 3.0  # for all processes together when the server ends
_CANNOT_START = 1  # exit code
_LOOK_SECONDS = 0.1  # between two looks at whether an Envoy's clients have left

_log = logging.getLogger(__name__)


@dataclass
class _Running:
    """A container that was started, or could not be."""

    process: Process | None = None
    failure: str | None = None  # why it could not be started
    envoy: Envoy | None = None
    checker: Checker | None = None
    stopper: threading.Thread | None = None


@dataclass
class _Place:
    """A task that runs here."""

    task: Task
    address: str
    containers: dict[str, _Running] = field(default_factory=dict)  # by the container's ARN


class ProcessRunner:
    """Runs tasks as processes of this machine. `folder` holds what they need on disk, while they run."""

    def __init__(self, folder: Path, port: int, environment: Callable[[Task], dict[str, str]]) -> None:
        """`port`: the embedded AWS's; `environment`: what a task needs to find AWS and to be known there."""
        self._folder, self._environment = folder / "tasks", environment
        shutil.rmtree(self._folder, ignore_errors=True)  # left by a server that was killed
        self._addresses = Addresses(port)
        self._places: dict[str, _Place] = {}  # by the task's private address
        self._logs = Logs()
        self._resolver = Resolver(self._addresses.balancers, self._addresses.find)
        self._balancers = Balancers(folder / "balancers", self._addresses.balancers, self._locate)

    @property
    def doors(self) -> list[Door]:
        """Return where the load balancers listen."""
        return self._balancers.doors

    def pull(self, task: Task, container: Container) -> None:
        """See whether there is a program for the image."""
        del task
        programs.check(container.spec["image"])

    def start(self, task: Task, container: Container) -> None:
        """Start the container's process; what goes wrong is told by `look`."""
        self._begin(task, container, STARTING_HASTE)

    def _begin(self, task: Task, container: Container, haste: float) -> None:
        running = _Running()
        try:
            self._start(self._place(task), container, running, haste)
        except (BadVariableError, LookupError, NoAddressError, OSError) as error:
            running.failure = str(error)
        self._places[_private(task)].containers[container.arn] = running

    def look(self, task: Task, container: Container) -> Look:
        """Return how a container is; one that ran before the last restart of the server is started again."""
        place = self._places.get(_private(task))
        running = place.containers.get(container.arn) if place else None
        if running is None:
            if container.stop_asked is not None or not task.live:
                return Look(running=False, exit_code=0)
            self._begin(task, container, haste=1)  # on AWS it would have run on: it gets all the time that it may have
            return Look(running=False)
        if running.failure is not None:
            return Look(running=False, exit_code=_CANNOT_START, reason=running.failure)
        assert running.process is not None  # noqa: S101 - for the type checker
        if (code := running.process.exit_code) is not None:
            if running.checker:
                running.checker.stop()
            return Look(running=False, exit_code=code)
        return Look(running=True, health=running.checker.health if running.checker else "UNKNOWN")

    def stop(self, task: Task, container: Container) -> None:
        """Begin to stop a container: an Envoy sends its clients elsewhere first."""
        running = self._places[_private(task)].containers[container.arn]
        if running.checker:
            running.checker.stop()
        patience = float(container.spec.get("stopTimeout") or _STOP_TIMEOUT)
        running.stopper = threading.Thread(target=_end, args=(running, patience), daemon=True)
        running.stopper.start()

    def release(self, task: Task) -> None:
        """Forget a task, hand over the last lines of its logs, and let another have its address."""
        place = self._places.pop(_private(task), None)
        if place is None:
            return
        authority.withdraw(task.id)
        for container in task.containers:
            self._logs.close(container)
        self._addresses.give_back(_private(task))
        shutil.rmtree(self._folder / task.id, ignore_errors=True)

    def serves(self, task: Task) -> bool:
        """Return whether all load balancers that a task is registered with reach it."""
        place = self._places.get(_private(task))
        return place is not None and all(
            self._balancers.reach(each.arn, envoys.heard_at(task, each.port or 0, place.address))
            for each in task.registrations
            if each.kind == "target-group"
        )

    def refresh(self) -> None:
        """Have Envoys and load balancers follow App Mesh, Cloud Map and Elastic Load Balancing."""
        for place in self._places.values():
            for running in place.containers.values():
                if running.envoy and running.process and running.process.exit_code is None:
                    envoys.refresh(running.envoy, self._locate)
        self._balancers.refresh()

    def close(self) -> None:
        """End all processes, since the server ends; their tasks run on when it starts again."""
        for checker in [each.checker for place in self._places.values() for each in place.containers.values()]:
            if checker:
                checker.stop()
        alive = [
            running.process
            for place in self._places.values()
            for running in place.containers.values()
            if running.process
        ]
        enders = [threading.Thread(target=process.end, args=(_CLOSE_SECONDS,), daemon=True) for process in alive]
        enders.append(threading.Thread(target=self._balancers.close, daemon=True))
        self._resolver.close()
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join()
        self._logs.flush()

    def _place(self, task: Task) -> _Place:
        private = _private(task)
        if private not in self._places:
            self._places[private] = _Place(task, self._addresses.allot(private))
        return self._places[private]

    def _start(self, place: _Place, container: Container, running: _Running, haste: float) -> None:
        task, image = place.task, container.spec["image"]
        stream = self._logs.open(task, container)
        folder = self._folder / task.id
        folder.mkdir(parents=True, exist_ok=True)
        variables = self._variables(place, container)
        try:
            if programs.is_envoy(image):
                running.envoy = envoys.prepare(task, container, place.address, folder / container.name, self._locate)
                command = envoys.command(running.envoy)
            else:
                command = programs.command(container.spec, folder, place.address)
        except BadVariableError as error:
            _write(stream, f"{error}\n")
            raise
        environment = programs.environment(image, folder, variables)
        running.process = Process(command, environment, stream.write if stream else _nowhere)
        if container.checked:
            has_shell = images.find(image).has_shell
            located = partial(programs.located, image, folder)
            check = container.spec["healthCheck"]
            if programs.is_plain_envoy(image):  # which is asked by bash itself, not by a program of ours
                check = {**check, "command": programs.at_home(check["command"], place.address)}
            running.checker = Checker(check, environment, has_shell=has_shell, located=located, haste=haste)

    def _variables(self, place: _Place, container: Container) -> dict[str, str]:
        task = place.task
        attachment = task.attachment
        variables = {
            **self._environment(task),
            **container.environment,
            "LOCALAWS_TASK_ADDRESS": place.address,
            "LOCALAWS_PRIVATE_ADDRESS": attachment.address if attachment else "",
            "LOCALAWS_ZONE": attachment.zone if attachment else "",
            "LOCALAWS_DNS": self._resolver.endpoint,
            "LOCALAWS_USER": container.spec.get("user", ""),
        }
        if envoys.is_redirected(task) and not envoys.is_spared(task, container.spec.get("user", "")):
            seat = envoys.seat(task, place.address)
            variables["http_proxy"] = f"http://{seat.address}:{seat.egress_port}"
        return variables

    def _locate(self, private: str, port: int) -> Endpoint | None:
        place = self._places.get(private)
        return envoys.heard_at(place.task, port, place.address) if place else None


def _end(running: _Running, patience: float) -> None:
    assert running.process is not None  # noqa: S101 - for the type checker
    if running.envoy and running.process.exit_code is None:
        envoys.drain(running.envoy)
        last = time.monotonic() + envoys.DRAIN_SECONDS
        while (
            time.monotonic() < last
            and not running.process.wait(_LOOK_SECONDS)
            and not envoys.is_deserted(running.envoy)
        ):
            pass
    running.process.end(patience)
    alarm.wake()


def _private(task: Task) -> str:
    return task.attachment.address if task.attachment else task.id


def _write(stream: Stream | None, line: str) -> None:
    if stream:
        stream.write(line.encode())


def _nowhere(_chunk: bytes) -> None:
    """Take output that goes nowhere."""
