"""The calls that the deployed services declare, and how they are found on a map."""

from typing import Any

from automation import hops
from traces.model import CLIENT, Edge, Key, Node, ServiceMap, Statistics, TraceSummary

PROXY = "AWS::AppMesh::Proxy"


def outputs(name: str, **more: Any) -> dict[str, Any]:
    """A stack's outputs, as far as the hops need them."""
    common = {
        "clusterName": "container-demo",
        "serviceName": f"ecsdemo-{name}",
        "taskDefinitionArn": f"arn:aws:ecs:us-east-1:123456789012:task-definition/{name}:1",
        "taskRoleName": name,
        "tracing": True,
        "samplingRate": 0.05,
        "meshName": "ecs-mesh",
        "logGroupName": name,
    }
    node = {"virtualNodeName": name, "virtualServiceName": f"{name}.local", "backends": [], "entrance": False}
    return {**common, **({} if name == "platform" else node), **more}


FLEET = {
    "platform": outputs("platform", virtualGatewayName="vgw"),
    "crystal": outputs("crystal"),
    "nodejs": outputs("nodejs"),
    "frontend": outputs("frontend", backends=["crystal.local", "nodejs.local"], entrance=True),
}


def words(found: list[hops.Hop]) -> list[str]:
    return [hop.words for hop in found]


def test_the_gateway_calls_the_entrance_and_each_service_its_backends() -> None:
    """Three hops for the demo; names are those of the segments."""
    found = hops.declared(FLEET)

    assert words(found) == ["platform → frontend", "frontend → crystal", "frontend → nodejs"]
    assert (found[0].source.segment_name, found[1].target.segment_name) == ("ecs-mesh/vgw", "ecs-mesh/crystal")


def test_only_hops_with_both_ends_traced_are_to_be_seen() -> None:
    """A service that is not traced, or not deployed, takes its hops with it."""
    untraced = {**FLEET, "crystal": outputs("crystal", tracing=False)}
    assert words(hops.declared(untraced)) == ["platform → frontend", "frontend → nodejs"]

    missing = {name: found for name, found in FLEET.items() if name != "platform"}
    assert words(hops.declared(missing)) == ["frontend → crystal", "frontend → nodejs"]


def test_calls_are_counted_by_their_ends_clients_left_aside() -> None:
    """A client has the name of what it calls, and is no service for that."""
    frontend, crystal = Key("ecs-mesh/frontend", PROXY), Key("ecs-mesh/crystal", PROXY)
    client = Key("ecs-mesh/frontend", CLIENT)
    edges = [
        Edge(source=frontend, target=crystal, statistics=Statistics(total=7, ok=7)),
        Edge(source=client, target=crystal, statistics=Statistics(total=100, ok=100)),
    ]
    shown = ServiceMap(
        start=0,
        end=60,
        nodes={key: Node(key=key, statistics=None) for key in (frontend, crystal, client)},
        edges={(edge.source, edge.target): edge for edge in edges},
    )
    seen = {hop.words: hops.calls(hop, shown) for hop in hops.declared(FLEET)}

    assert seen == {"platform → frontend": 0, "frontend → crystal": 7, "frontend → nodejs": 0}


def test_each_platforms_gateway_calls_its_own_entrance() -> None:
    """GIVEN a second platform THEN its gateway is another; one without an entrance has no page."""
    pay = {"meshName": "ecs-mesh-pay"}
    fleet = {
        **{name: {**found, "gatewayDns": f"{name}.example"} for name, found in FLEET.items() if name == "platform"},
        "pay": outputs("platform", virtualGatewayName="vgw-pay", gatewayDns="pay.example") | pay,
        "idle": outputs("platform", virtualGatewayName="vgw-idle", gatewayDns="idle.example", meshName="idle"),
        "frontend": FLEET["frontend"],
        "till": outputs("till", entrance=True) | pay,
    }
    assert words(hops.declared(fleet)) == ["platform → frontend", "pay → till"]
    assert hops.gateways(fleet) == ["platform.example", "pay.example"]


def test_a_joined_call_is_in_one_trace_with_the_entrance() -> None:
    """A trace that begins at the frontend does not count."""

    def trace(number: int, *names: str) -> TraceSummary:
        services = tuple(Key(f"ecs-mesh/{name}", PROXY) for name in names)
        return TraceSummary(id=str(number), start=0, duration=1, response_time=1, state="ok", services=services)

    summaries = [trace(1, "vgw", "frontend"), trace(2, "frontend", "crystal"), trace(3, "vgw", "frontend", "nodejs")]
    seen = {hop.words: hops.joined(hop, ["ecs-mesh/vgw"], summaries) for hop in hops.declared(FLEET)}

    assert seen == {"platform → frontend": 2, "frontend → crystal": 0, "frontend → nodejs": 1}
