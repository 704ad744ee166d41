"""Two Dask schedulers with two machines and a checkout each, on one embedded AWS and one backend."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import yaml

from automation import runs
from automation.runs import Facts, Run
from localaws.instance import Instance
from services import images
from tests.engine.checkout import TIMEOUT, Checkout
from tests.engine.machine import Machine, outside
from tests.localaws.support import until

SIDES = ("left", "right")
EACH = int(os.environ.get("STACKS_OF_A_SIDE", "3"))  # 20 take three minutes
_MACHINES = 2  # of a scheduler
_CALLS = 4  # of each of a side's first services


def fleet() -> str:
    """A ``fleet.yaml`` with as many services on either side, none of which calls one of the other side."""
    services: dict[str, Any] = {}
    for side in SIDES:
        names = [f"{side}-{number:02}" for number in range(EACH)]
        for number, name in enumerate(names):
            called = names[_CALLS * (number + 1) : _CALLS * (number + 2)]
            backends = {f"{other.upper().replace('-', '_')}_URL": other for other in called}
            services[name] = {"image": images.NODEJS, **({"backends": backends} if backends else {})}
    services[f"{SIDES[0]}-00"]["entrance"] = True
    return yaml.safe_dump({"platforms": {"platform": {"network": "10.0.0.0/20"}}, "services": services})


class Site:
    """The whole of it; by side, a checkout, a scheduler's address and its machines."""

    def __init__(self, folder: Path) -> None:
        self.aws = folder / "aws"
        self.checkouts: dict[str, Checkout] = {}
        for side in SIDES:
            (folder / side).mkdir()
            self.checkouts[side] = made = Checkout(folder / side)
            (folder / side / "fleet.yaml").write_text(fleet(), encoding="utf-8")
            made.env["LOCALAWS_STATE"] = str(self.aws)
        self._folder = folder
        self.addresses: dict[str, str] = {}
        self.machines: dict[str, list[Machine]] = {}
        self._processes: list[subprocess.Popen[Any]] = []

    def start(self) -> None:
        """The embedded AWS with an empty platform, schedulers, and machines with a worker each."""
        first = self.checkouts[SIDES[0]]
        first.script("deploy", "platform", "--yes", "--skip-preview", "--traffic", "0")
        plugins = Instance(self.aws).standing_plugins()
        endpoint = first.shell["AWS_ENDPOINT_URL"].rpartition(":")[2]
        aws = [int(endpoint), *(int(each.rpartition(":")[2]) for each in plugins.split(","))]
        links = self._folder / "links"
        links.mkdir()
        schedulers, workers = [], []
        for side, checkout in self.checkouts.items():
            scheduler, *ports = free_ports(1 + 2 * _MACHINES)
            schedulers.append(scheduler)
            workers += ports
            self.addresses[side] = address = f"tcp://127.0.0.1:{scheduler}"
            self._dask(checkout, side, f"scheduler --host 127.0.0.1 --port {scheduler} --dashboard-address 127.0.0.1:0")
            self.machines[side] = [
                _machine(links, f"{side}-{number}", address, ports[2 * number : 2 * number + 2], [*aws, scheduler])
                for number in range(_MACHINES)
            ]
        self._processes.append(outside(links, [*aws, *schedulers], workers))
        until(lambda: all((links / str(port)).exists() for port in (*aws, *schedulers)))
        for side, machines in self.machines.items():
            for machine in machines:
                machine.start(cwd=self.checkouts[side].root, env=self.checkouts[side].env)

    def popen(self, side: str, name: str, *args: str) -> "subprocess.Popen[str]":
        """Start ``python automation/NAME.py`` for a side's services, on its scheduler."""
        quick = ("--yes", "--skip-preview", "--scheduler", self.addresses[side])
        return self.checkouts[side].popen(f"automation/{name}.py", f"{side}-*", *quick, *args)

    def run(self, side: str) -> Run | None:
        """The side's newest run."""
        return next(iter(runs.every(self.checkouts[side].root / ".runs" / "local")), None)

    def locks(self) -> list[str]:
        """The stacks that are locked in the backend, as often as they are."""
        return [path.parent.name for path in (self.aws / "pulumi-state" / ".pulumi" / "locks").rglob("*.json")]

    def until_placed(self, run: "subprocess.Popen[str]", side: str, command: str, host: str, number: int) -> Facts:
        """Wait until the side's run of a command has had so many engines on a machine; the last of them."""
        deadline = time.monotonic() + TIMEOUT
        while len(engines := self.engines(side, command, host)) < number:
            assert run.poll() is None, run.communicate()
            assert time.monotonic() < deadline, f"{host} had {len(engines)} engines"
            threading.Event().wait(0.05)
        return engines[number - 1]

    def engines(self, side: str, command: str, host: str) -> list[Facts]:
        """What the side's newest run, if it is of that command, wrote of its engines on a machine."""
        run = self.run(side)
        if run is None or run.command != command:
            return []
        return [line for line in run.of("stack-placed") if line["host"] == host]

    def updates(self, stack: str) -> list[dict[str, Any]]:
        """What the backend's history has of a stack, oldest first."""
        folder = self.aws / "pulumi-state" / ".pulumi" / "history" / "ecs-tracing" / stack
        return [json.loads(path.read_text()) for path in sorted(folder.glob("*.history.json"))]

    def close(self) -> None:
        """Turn everything off."""
        for machine in (each for machines in self.machines.values() for each in machines):
            machine.lose()
        for process in self._processes:
            process.kill()
            process.communicate()
        self.checkouts[SIDES[0]].close()

    def _dask(self, checkout: Checkout, name: str, command: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes.append(checkout.popen("-m", "dask", *command.split(), stdout=log, stderr=log))


def _machine(links: Path, name: str, address: str, ports: list[int], reached: list[int]) -> Machine:
    worker, nanny = map(str, ports)
    command = [
        sys.executable, "-m", "dask", "worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1",
        "--worker-port", worker, "--nanny-port", nanny, "--local-directory", str(links / name),
    ]  # fmt: skip
    return Machine(links, name, ports, reached, command)


def free_ports(number: int) -> list[int]:
    """Ports that nobody has."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
