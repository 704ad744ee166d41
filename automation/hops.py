"""The calls that the deployed services declare: what has to be on the service map once they are traced."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automation.verify import Target
from traces.model import Key, ServiceMap, TraceSummary

Outputs = Mapping[str, Any]  # of one stack


@dataclass(frozen=True, kw_only=True)
class End:
    """A service at one end of a call."""

    service: str  # ours, such as crystal
    segment_name: str  # X-Ray's, such as ecs-mesh/crystal
    target: Target
    log_group: str
    sampling_rate: float


@dataclass(frozen=True, kw_only=True)
class Hop:
    """A call from one service to another."""

    source: End
    target: End

    @property
    def words(self) -> str:
        """``frontend → crystal``."""
        return f"{self.source.service} → {self.target.service}"


def declared(deployed: Mapping[str, Outputs]) -> list[Hop]:
    """The hops whose two ends are both to be traced, from the outputs of the deployed stacks by service."""
    ends = {service: _end(service, outputs) for service, outputs in deployed.items() if outputs.get("tracing")}
    by_name = {
        outputs["virtualServiceName"]: name for name, outputs in deployed.items() if "virtualServiceName" in outputs
    }
    platforms = {outputs["meshName"]: name for name, outputs in deployed.items() if _is_platform(outputs)}
    pairs = [(platforms.get(outputs["meshName"], ""), name) for name, outputs in entrances(deployed).items()]
    for name, outputs in deployed.items():
        pairs += [(name, by_name[backend]) for backend in outputs.get("backends", ()) if backend in by_name]
    return [
        Hop(source=ends[source], target=ends[target]) for source, target in pairs if {source, target} <= ends.keys()
    ]


def entrances(deployed: Mapping[str, Outputs]) -> dict[str, Outputs]:
    """The services that a gateway leads to."""
    return {service: outputs for service, outputs in deployed.items() if outputs.get("entrance")}


def gateways(deployed: Mapping[str, Outputs]) -> list[str]:
    """The DNS names of the gateways that lead to a service."""
    meshes = {outputs["meshName"] for outputs in entrances(deployed).values()}
    return [
        outputs["gatewayDns"]
        for outputs in deployed.values()
        if _is_platform(outputs) and outputs["meshName"] in meshes and "gatewayDns" in outputs
    ]


def calls(hop: Hop, shown: ServiceMap) -> int:
    """How often the map has the hop; 0: never."""
    return sum(
        edge.statistics.total
        for edge in shown.edges.values()
        if (edge.source.name, edge.target.name) == (hop.source.segment_name, hop.target.segment_name)
        and not _is_client(edge.source)
    )


def joined(hop: Hop, origins: Collection[str], summaries: Sequence[TraceSummary]) -> int:
    """How many traces have the hop together with one of the segments named `origins`, where all requests come in."""
    wanted = {hop.source.segment_name, hop.target.segment_name}
    named = ({key.name for key in summary.services} for summary in summaries)
    return sum(wanted <= names and not names.isdisjoint(origins) for names in named)


def _end(service: str, outputs: Outputs) -> End:
    node = outputs.get("virtualNodeName") or outputs["virtualGatewayName"]
    return End(
        service=service,
        segment_name=f"{outputs['meshName']}/{node}",
        target=Target.from_outputs(service, outputs, tracing=True),
        log_group=outputs["logGroupName"],
        sampling_rate=float(outputs["samplingRate"]),
    )


def _is_platform(outputs: Outputs) -> bool:
    return "virtualGatewayName" in outputs


def _is_client(key: Key) -> bool:
    return key.type == "client"
