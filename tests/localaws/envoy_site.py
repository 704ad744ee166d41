"""The demo in a mesh of its own: plain Envoys as `services` defines them, by plain AWS calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from envoymesh import bootstrap
from envoymesh.render import text
from services import images, own_mesh
from services.containers import Envoy, Logs, healthy
from services.own_mesh import OwnSeat
from services.settings import DEFAULT_SAMPLING_RATE, SHORT_DNS_TTL, Settings
from tests.localaws.demo_site import ENVOY_LOG, Demo

GATEWAY = own_mesh.GATEWAY_NAME  # as its Envoy calls itself


class OwnMesh(Demo):
    """The demo's four services in one site, with nothing of App Mesh."""

    ttl = SHORT_DNS_TTL

    def backends(self) -> Sequence[str]:
        """Return where the frontend finds crystal and nodejs."""
        return own_mesh.addresses(2)

    def serve(
        self,
        name: str,
        variables: Mapping[str, str] | None = None,
        *,
        backends: tuple[str, ...] = (),
        tracing: Mapping[str, str] | None = None,
    ) -> None:
        """Make a service of an application with its Envoy."""
        seat = own_mesh.beside_application(name, [self.host(each) for each in backends], self.settings(tracing or {}))
        app = self.application(name, variables or {})
        envoy, *sidecars = self.envoys(name, seat, tracing or {})
        envoy["dependsOn"] = [*envoy.get("dependsOn", []), healthy(app["name"])]
        self.create(
            self.define(app, envoy, *sidecars, family=f"{self.name}-{name}", taskRoleArn=self.roles[name]),
            name,
            serviceRegistries=[{"registryArn": self.announced_as(name)}],
        )

    def open_gateway(self, *, tracing: Mapping[str, str]) -> None:
        """Make the gateway; all that comes in goes to the frontend."""
        seat = own_mesh.gateway(self.host("frontend"), self.settings(tracing))
        self.behind_balancer(self.envoys("gateway", seat, tracing))

    def envoys(self, name: str, seat: OwnSeat, tracing: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return a plain Envoy and, where it traces, a collector."""
        logs = Logs(group=self.log_group(name), region="us-east-1")
        hosts = [str(host) for host in seat.hosts]
        envoy = dict(
            Envoy(log_level="info", log_prefix=ENVOY_LOG).own_container(
                images.PLAIN_ENVOY, text(bootstrap(seat.make(hosts))), logs
            )
        )
        if not tracing:
            return [envoy]
        return [{**envoy, "dependsOn": [{"containerName": "xray", "condition": "START"}]}, self.sidecar(name)]

    def settings(self, tracing: Mapping[str, str]) -> Settings:
        """Return the settings of a stack that traces so."""
        rate = float(tracing.get("XRAY_SAMPLING_RATE", DEFAULT_SAMPLING_RATE))
        return Settings(region="us-east-1", mesh="envoy", tracing=bool(tracing), sampling_rate=rate)
