"""The calls that the deployed services declare: what has to be on the service map once they are traced."""

from collections.abc import Mapping, Sequence
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
    pairs = [("platform", name) for name, outputs in deployed.items() if outputs.get("entrance")]
    for name, outputs in deployed.items():
        pairs += [(name, by_name[backend]) for backend in outputs.get("backends", ()) if backend in by_name]
    return [
        Hop(source=ends[source], target=ends[target]) for source, target in pairs if {source, target} <= ends.keys()
    ]


def calls(hop: Hop, shown: ServiceMap) -> int:
    """How often the map has the hop; 0: never."""
    return sum(
        edge.statistics.total
        for edge in shown.edges.values()
        if (edge.source.name, edge.target.name) == (hop.source.segment_name, hop.target.segment_name)
        and not _is_client(edge.source)
    )


def joined(hop: Hop, entrance: str, summaries: Sequence[TraceSummary]) -> int:
    """How many traces have the hop together with the segment named `entrance`, where all requests come in."""
    wanted = {entrance, hop.source.segment_name, hop.target.segment_name}
    return sum(wanted <= {key.name for key in summary.services} for summary in summaries)


def _end(service: str, outputs: Outputs) -> End:
    node = outputs.get("virtualNodeName") or outputs["virtualGatewayName"]
    return End(
        service=service,
        segment_name=f"{outputs['meshName']}/{node}",
        target=Target.from_outputs(service, outputs, tracing=True),
        log_group=outputs["logGroupName"],
        sampling_rate=float(outputs["samplingRate"]),
    )


def _is_client(key: Key) -> bool:
    return key.type == "client"
