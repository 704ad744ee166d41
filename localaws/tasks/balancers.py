"""Network load balancers: one real Envoy passes connections from loopback ports on to the tasks.

Each listener of a load balancer gets a port of 127.0.0.1 of its own, and keeps it over a restart of the server where
nobody has taken it meanwhile. AWS's own health checks are half a minute apart; these are faster.
"""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

from moto.elbv2.models import ELBv2Backend, FakeListener, FakeLoadBalancer, FakeTargetGroup, elbv2_backends

from envoymesh import Destination, Endpoint, HealthCheck, Listener, Proxy, discovered
from localaws.ecs.runner import Door
from localaws.tasks import envoys
from localaws.tasks.files import Files
from localaws.tasks.meshview import Locate
from localaws.tasks.processes import Process
from localaws.tasks.targets import Targets

_ADMIN_PORT = 9901
_HEALTH_CHECK = HealthCheck(protocol="tcp", interval=0.25, timeout=1, healthy_after=1, unhealthy_after=2)
_END_SECONDS = 2.0


class Balancers:
    """All network load balancers of this server."""

    def __init__(self, folder: Path, admin_address: str, locate: Locate) -> None:
        self._folder, self._admin, self._locate = folder, admin_address, locate
        self._files: Files | None = None
        self._process: Process | None = None
        self._record = folder / "ports.json"
        self._ports: dict[str, int] = {}  # by the listener's ARN
        with contextlib.suppress(OSError, ValueError):
            self._ports = json.loads(self._record.read_text(encoding="utf-8"))
        self._checked = False
        self._targets = Targets(Endpoint(address=admin_address, port=_ADMIN_PORT))
        self._balanced: set[str] = set()  # ARNs of the target groups that a listener forwards to
        self.doors: list[Door] = []

    def refresh(self) -> None:
        """Follow what Elastic Load Balancing says; `state.lock` must be held."""
        found = list(_listeners())
        if not found and self._process is None:
            return
        self._settle_ports([listener.arn for _, listener, _ in found])
        destinations = {_name(group): self._destination(group) for _, _, group in found if group}
        listeners = [
            Listener(
                name=f"listener_{self._ports[listener.arn]}",
                endpoint=Endpoint(address="127.0.0.1", port=self._ports[listener.arn]),
                direction="inbound",
                tcp=_name(group),
            )
            for _, listener, group in found
            if group
        ]
        self._run(
            Proxy(
                id="load-balancers",
                cluster="load-balancers",
                admin=Endpoint(address=self._admin, port=_ADMIN_PORT),
                listeners=listeners,
                destinations=[destinations[name] for name in sorted(destinations)],
            )
        )
        self._balanced = {group.arn for _, _, group in found if group}
        self._targets.expect({endpoint for each in destinations.values() for endpoint in each.endpoints})
        self.doors = [
            Door(
                balancer=balancer.name,
                dns_name=balancer.dns_name,
                port=int(listener.port),
                local_port=self._ports[listener.arn],
            )
            for balancer, listener, _ in found
        ]

    def reach(self, group: str, endpoint: Endpoint) -> bool:
        """Return whether a target group (ARN) leads to an endpoint; one that nothing forwards to always does."""
        return group not in self._balanced or self._targets.is_healthy(endpoint)

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.end(_END_SECONDS)

    def _run(self, proxy: Proxy) -> None:
        if self._files is None:
            self._files = Files(self._folder)
        self._files.write(discovered(proxy, self._folder))
        if self._process is None or self._process.exit_code is not None:
            argv = envoys.command_of(self._folder / "bootstrap.json", "warning")
            self._process = Process(argv, {}, self._log)

    def _log(self, chunk: bytes) -> None:
        with (self._folder / "envoy.log").open("ab") as log:
            log.write(chunk)

    def _destination(self, group: FakeTargetGroup) -> Destination:
        places = [self._locate(target["Id"], int(target["Port"])) for target in group.targets.values()]
        endpoints = sorted(place for place in places if place)
        return Destination(name=_name(group), protocol="tcp", endpoints=endpoints, health_check=_HEALTH_CHECK)

    def _settle_ports(self, arns: list[str]) -> None:
        """Give each listener a port, that of last time if it is free."""
        kept = {arn: port for arn, port in self._ports.items() if arn in arns}
        if not self._checked:  # the first time: others may have taken them while this server was away
            kept = {arn: port for arn, port in kept.items() if _free_port(port) == port}
            self._checked = True
        kept |= {arn: _free_port(0) for arn in arns if arn not in kept}
        if kept != self._ports:
            self._ports = kept
            self._folder.mkdir(parents=True, exist_ok=True)
            self._record.write_text(json.dumps(kept), encoding="utf-8")


def _listeners() -> Iterator[tuple[FakeLoadBalancer, FakeListener, FakeTargetGroup | None]]:
    """Yield each load balancer of layer 4 with each of its listeners and the target group that this forwards to."""
    backends: list[ELBv2Backend] = [backend for _, _, backend in list(elbv2_backends.iter_backends())]  # type: ignore[misc]
    for backend in backends:
        for balancer in backend.load_balancers.values():
            if balancer.type == "network":
                for listener in balancer.listeners.values():
                    yield balancer, listener, backend.target_groups.get(_forwards_to(listener))


def _forwards_to(listener: FakeListener) -> str:
    """Return the ARN of the target group that a listener forwards to; of several, the first."""
    for action in listener.default_actions:
        if action.type == "forward":
            groups = action.data.get("ForwardConfig", {}).get("TargetGroups", [])
            return str(action.data.get("TargetGroupArn") or (groups[0]["TargetGroupArn"] if groups else ""))
    return ""


def _name(group: FakeTargetGroup) -> str:
    """Return the name of the destination that a target group is."""
    return "-".join(group.arn.split("/")[-2:])


def _free_port(wanted: int) -> int:
    """Return the port, or any other that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
