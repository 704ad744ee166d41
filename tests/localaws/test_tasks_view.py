"""What an Envoy is told of its mesh: read from App Mesh and Cloud Map, and accepted by the real Envoy."""

from pathlib import Path
from typing import Any

import pytest

from envoymesh import (
    AccessLog,
    Endpoint,
    HealthCheck,
    Listener,
    OutlierDetection,
    Proxy,
    Tracing,
    bootstrap,
)
from localaws.tasks.meshview import Seat
from tests.envoymesh.support import refusal
from tests.localaws.mesh_site import Mesh


def to(match: dict[str, Any], priority: int | None = None, **weights: int) -> dict[str, Any]:
    """The spec of a route to nodes with weights."""
    targets = [{"virtualNode": name, "weight": weight} for name, weight in weights.items()]
    spec: dict[str, Any] = {"httpRoute": {"match": match, "action": {"weightedTargets": targets}}}
    return spec if priority is None else {**spec, "priority": priority}


def ways(listener: Listener) -> dict[str, list[tuple[str | None, list[str]]]]:
    """By its first domain, what each virtual host of a listener matches, and where that leads."""
    return {
        host.domains[0]: [(route.match.prefix or route.match.path, sorted(route.targets)) for route in host.routes]
        for host in listener.hosts
    }


@pytest.fixture
def mesh() -> Mesh:
    return Mesh()


@pytest.fixture
def demo(mesh: Mesh) -> Mesh:
    """A gateway, a frontend and two backends, as the demo has them, each with one task."""
    mesh.node("crystal", 3000)
    mesh.node("nodejs", 3000)
    mesh.node("frontend", 3000, backends=("crystal.local", "nodejs.local"))
    for number, name in enumerate(("crystal", "nodejs", "frontend"), 1):
        mesh.service(f"{name}.local")
        mesh.announce(name, number)
    mesh.gateway(3000, all=({"prefix": "/"}, "frontend.local"))
    return mesh


def test_a_node_hears_for_its_application_and_calls_its_backends(demo: Mesh, tmp_path: Path) -> None:
    """What comes in goes to the application's port beside it; what goes out, to the tasks of the service it names."""
    seen = demo.seen_by("virtualNode/frontend")

    inbound, outbound = seen.listeners
    assert [("127.0.1.9", 15000), ("127.0.1.9", 15001)] == [
        (each.endpoint.address, each.endpoint.port) for each in seen.listeners
    ]
    assert ["inbound", "outbound"] == [inbound.direction, outbound.direction]
    assert ways(inbound) == {"*": [("/", ["cds_ingress_mesh_frontend_3000"])]}
    assert ways(outbound) == {
        "crystal.local": [("/", ["cds_egress_mesh_crystal_3000"])],
        "nodejs.local": [("/", ["cds_egress_mesh_nodejs_3000"])],
    }
    assert {
        "cds_egress_mesh_crystal_3000": [Endpoint(address="127.0.1.1", port=3000)],
        "cds_egress_mesh_nodejs_3000": [Endpoint(address="127.0.1.2", port=3000)],
        "cds_ingress_mesh_frontend_3000": [Endpoint(address="127.0.1.9", port=3000)],
    } == {each.name: each.endpoints for each in seen.destinations}
    assert refusal(bootstrap(seen), tmp_path) == ""


def test_a_gateway_is_the_edge(demo: Mesh, tmp_path: Path) -> None:
    """It hears at its own port whoever asks, and leads to the tasks of the frontend."""
    seen = demo.seen_by("virtualGateway/door")

    (listener,) = seen.listeners
    assert listener.edge
    assert Endpoint(address="127.0.1.9", port=3000) == listener.endpoint
    assert ways(listener) == {"*": [("/", ["cds_egress_mesh_frontend_3000"])]}
    assert refusal(bootstrap(seen), tmp_path) == ""


def test_what_is_no_node_and_no_gateway_has_no_envoy(demo: Mesh) -> None:
    """Nor has what is not there: App Mesh never answers such an Envoy."""
    assert demo.told("mesh/mesh/virtualNode/nobody") is None
    assert demo.told("mesh/mesh/virtualService/crystal.local") is None
    assert demo.told("mesh/mesh") is None


def test_a_full_arn_is_as_good_as_its_last_part(demo: Mesh) -> None:
    """The image takes both."""
    arn = demo.call("DescribeVirtualNode", virtualNodeName="crystal")["virtualNode"]["metadata"]["arn"]

    assert demo.told(arn) == demo.told("mesh/mesh/virtualNode/crystal")
    assert demo.told(arn) is not None


def test_names_ports_and_tags_of_an_envoy(demo: Mesh) -> None:
    """By the resource, or as the container's variables say; the redirection says where it hears."""
    usual = demo.seen_by("virtualNode/crystal")
    told = demo.seen_by(
        "virtualNode/crystal",
        Seat(address="127.0.1.9", ingress_port=16000, egress_port=16001),
        APPMESH_RESOURCE_CLUSTER="front",
        ENVOY_ADMIN_ACCESS_PORT="9999",
        ENABLE_ENVOY_STATS_TAGS="1",
    )

    assert ["mesh/mesh/virtualNode/crystal", "crystal", {}] == [usual.id, usual.cluster, usual.tags]
    assert ["front", Endpoint(address="127.0.1.9", port=9999)] == [told.cluster, told.admin]
    assert [16000, 16001] == [each.endpoint.port for each in told.listeners]
    assert told.tags == {"appmesh.mesh": "mesh", "appmesh.virtual_node": "crystal"}
    tags = demo.seen_by("virtualGateway/door", ENABLE_ENVOY_STATS_TAGS="1").tags
    assert tags == {"appmesh.mesh": "mesh", "appmesh.virtual_gateway": "door"}


def test_traces_are_named_after_mesh_and_node(demo: Mesh) -> None:
    """The task's own loopback is the address that stands for it; nothing traces unless the container says so."""
    on: dict[str, Any] = {"ENABLE_ENVOY_XRAY_TRACING": "1"}

    daemon = Endpoint(address="127.0.1.9", port=2000)
    usual = Tracing(segment_name="mesh/crystal", daemon=daemon, mesh="mesh", node="crystal", sampling_rate=0.05)
    assert usual == demo.seen_by("virtualNode/crystal", **on).tracing
    assert demo.seen_by("virtualNode/crystal").tracing is None
    elsewhere = demo.seen_by(
        "virtualGateway/door", **on, AWS_XRAY_DAEMON_ADDRESS="10.1.1.1:3", XRAY_SEGMENT_NAME="edge"
    )
    assert elsewhere.tracing is not None
    assert [Endpoint(address="10.1.1.1", port=3), "edge"] == [elsewhere.tracing.daemon, elsewhere.tracing.segment_name]


def test_a_backend_is_named_once(mesh: Mesh, tmp_path: Path) -> None:
    """A node that lists a service twice still has an Envoy."""
    mesh.node("crystal", 3000)
    mesh.service("crystal.local")
    mesh.node("frontend", 3000, backends=("crystal.local", "crystal.local"))

    seen = mesh.seen_by("virtualNode/frontend")
    assert ["crystal.local"] == list(ways(seen.listeners[-1]))
    assert len(seen.listeners[-1].hosts) == 1
    assert refusal(bootstrap(seen), tmp_path) == ""


def test_a_service_behind_which_nothing_is_has_no_route(mesh: Mesh) -> None:
    """Neither one that is not there, nor one without provider, nor one whose node hears nothing: 404, not a crash."""
    mesh.node("deaf")
    mesh.service("deaf.local")
    mesh.call("CreateVirtualService", virtualServiceName="nothing.local", spec={})
    mesh.node("frontend", 3000, backends=("none.local", "nothing.local", "deaf.local"))

    assert {"none.local": [], "nothing.local": [], "deaf.local": []} == ways(
        mesh.seen_by("virtualNode/frontend").listeners[-1]
    )


def test_a_router_leads_by_its_routes(mesh: Mesh, tmp_path: Path) -> None:
    """By priority and length; a target that nobody can call is left out, and a route of such targets alone too."""
    for name in ("old", "new"):
        mesh.node(name, 3000)
    mesh.node("deaf")
    mesh.router(
        "shop",
        a=to({"prefix": "/"}, old=90, new=10),
        b=to({"prefix": "/v2"}, new=1, deaf=1),
        c=to({"prefix": "/last"}, 999, old=1),
        d=to({"prefix": "/deaf"}, deaf=1),
    )
    mesh.service("shop.local", "virtualRouter")
    mesh.node("frontend", 3000, backends=("shop.local",))

    seen = mesh.seen_by("virtualNode/frontend")
    old, new = ("cds_egress_mesh_old_3000", "cds_egress_mesh_new_3000")
    assert ways(seen.listeners[-1]) == {"shop.local": [("/last", [old]), ("/v2", [new]), ("/", [new, old])]}
    assert {old: 90, new: 10} == seen.listeners[-1].hosts[0].routes[-1].targets
    assert refusal(bootstrap(seen), tmp_path) == ""


def test_gateway_routes_of_one_priority_go_by_the_longest_prefix(demo: Mesh) -> None:
    """Whatever their names: a route for everything does not swallow the others."""
    for name, prefix in (("before", "/crystal"), ("zebra", "/crystal/api")):
        target = {"virtualService": {"virtualServiceName": "crystal.local"}}
        spec = {"httpRoute": {"match": {"prefix": prefix}, "action": {"target": target}}}
        demo.call("CreateGatewayRoute", virtualGatewayName="door", gatewayRouteName=name, spec=spec)

    (listener,) = demo.seen_by("virtualGateway/door").listeners
    assert ["/crystal/api", "/crystal", "/"] == [prefix for prefix, _ in ways(listener)["*"]]


def test_gateway_routes_have_hosts_and_ports(mesh: Mesh, tmp_path: Path) -> None:
    """Host names apart; a route for one port is not heard at another; one that says nothing yet is passed over."""
    for name in ("old", "new"):
        mesh.node(name, 3000)
        mesh.service(f"{name}.local")
    mesh.gateway(
        80,
        90,
        old=({"prefix": "/", "hostname": {"exact": "Old.io"}}, "old.local"),
        new=({"prefix": "/", "hostname": {"suffix": ".new.io"}, "port": 90}, "new.local"),
        again=({"prefix": "/again", "hostname": {"exact": "old.io"}}, "new.local"),
    )
    mesh.call("CreateGatewayRoute", virtualGatewayName="door", gatewayRouteName="later", spec={"priority": 1})

    seen = mesh.seen_by("virtualGateway/door")
    old, new = ["cds_egress_mesh_old_3000"], ["cds_egress_mesh_new_3000"]
    assert ways(seen.listeners[0]) == {"old.io": [("/again", new), ("/", old)]}
    assert ways(seen.listeners[1]) == {"old.io": [("/again", new), ("/", old)], "*.new.io": [("/", new)]}
    assert refusal(bootstrap(seen), tmp_path) == ""


def endpoints(seen: Proxy, node: str) -> list[Endpoint]:
    name = f"cds_egress_mesh_{node}_3000"
    return next(list(each.endpoints) for each in seen.destinations if each.name == name)


def test_only_healthy_tasks_that_fit_are_called(mesh: Mesh) -> None:
    """Of the right service, namespace and attributes, healthy by Cloud Map, and running here; at the port it tells."""
    wanted = {
        "namespaceName": "local",
        "serviceName": "crystal",
        "attributes": [{"key": "stage", "value": "live"}],
    }
    mesh.node("crystal", 3000, serviceDiscovery={"awsCloudMap": wanted})
    mesh.service("crystal.local")
    mesh.node("frontend", 3000, backends=("crystal.local",))
    service = mesh.announce("crystal", 3, stage="live")
    mesh.announce("crystal", 2, stage="live", AWS_INSTANCE_PORT="8080")
    mesh.announce("crystal", 4, stage="live")
    mesh.announce("crystal", 5, stage="test")
    mesh.announce("crystal", 6)
    mesh.announce("crystal", 200, stage="live")
    mesh.announce("nodejs", 7, stage="live")
    mesh.announce("crystal", 8, "other", stage="live")
    mesh.cloud_map.update_instance_custom_health_status(service, "task-4", "UNHEALTHY")

    assert [Endpoint(address="127.0.1.2", port=8080), Endpoint(address="127.0.1.3", port=3000)] == endpoints(
        mesh.seen_by("virtualNode/frontend"), "crystal"
    )


def test_a_node_found_by_dns(mesh: Mesh, tmp_path: Path) -> None:
    """A name of Cloud Map stands for its tasks; any other is left to DNS."""
    mesh.node("crystal", 3000, serviceDiscovery={"dns": {"hostname": "crystal.local"}})
    mesh.node("db", 3000, serviceDiscovery={"dns": {"hostname": "db.example.com"}})
    for name in ("crystal", "db"):
        mesh.service(f"{name}.local")
    mesh.node("frontend", 3000, backends=("crystal.local", "db.local"))
    mesh.announce("crystal", 1)

    seen = mesh.seen_by("virtualNode/frontend")
    assert endpoints(seen, "crystal") == [Endpoint(address="127.0.1.1", port=3000)]
    assert endpoints(seen, "db") == [Endpoint(address="db.example.com", port=3000)]
    assert ["cds_egress_mesh_db_3000"] == [each.name for each in seen.destinations if each.by_dns]
    assert refusal(bootstrap(seen), tmp_path) == ""


@pytest.mark.parametrize(
    ("given", "protocol", "check"),
    [("http", "http", "http"), ("http2", "http2", "http2"), ("grpc", "http2", "grpc"), ("tcp", "tcp", "tcp")],
)
def test_callers_check_and_judge_a_node(mesh: Mesh, tmp_path: Path, given: str, protocol: str, check: str) -> None:
    """Health check and outlier detection of a node's listener are in every Envoy that calls it."""
    listener = {
        "healthCheck": {
            "protocol": given,
            "intervalMillis": 5000,
            "timeoutMillis": 2500,
            "healthyThreshold": 2,
            "unhealthyThreshold": 3,
            **({"path": "/health"} if given.startswith("http") else {}),
        },
        "outlierDetection": {
            "maxServerErrors": 5,
            "interval": {"value": 10, "unit": "s"},
            "baseEjectionDuration": {"value": 500, "unit": "ms"},
            "maxEjectionPercent": 50,
        },
    }
    mesh.node("crystal", 3000, protocol=given, listener=listener)
    mesh.service("crystal.local")
    mesh.node("frontend", 3000, backends=("crystal.local",))

    seen = mesh.seen_by("virtualNode/frontend")
    told = seen.destinations[0]
    path = "/health" if given.startswith("http") else "/"
    expected = HealthCheck(
        protocol=check,  # type: ignore[arg-type]
        interval=5,
        timeout=2.5,
        healthy_after=2,
        unhealthy_after=3,
        path=path,
    )
    outliers = OutlierDetection(errors=5, interval=10, base_ejection=0.5, most_ejected=50)
    assert [protocol, expected, outliers] == [told.protocol, told.health_check, told.outliers]
    assert refusal(bootstrap(seen), tmp_path) == ""


def test_a_node_with_several_listeners(mesh: Mesh) -> None:
    """Each has an ingress of its own and leads to its own port; a listener's timeout is that of what comes in."""
    timeout = {"http": {"perRequest": {"value": 2, "unit": "s"}}}
    mesh.node("crystal", 3000, 4000, listener={"timeout": timeout})

    seen = mesh.seen_by("virtualNode/crystal")
    assert [15000, 15101, 15001] == [each.endpoint.port for each in seen.listeners]
    assert [[("/", ["cds_ingress_mesh_crystal_3000"])], [("/", ["cds_ingress_mesh_crystal_4000"])]] == [
        ways(each)["*"] for each in seen.listeners[:2]
    ]
    assert [2, 0] == [getattr(seen.listeners[0].hosts[0].routes[0], name) for name in ("timeout", "idle_timeout")]


def test_without_a_timeout_a_listener_waits(demo: Mesh) -> None:
    """How long a request may take is for the caller to say."""
    route = demo.seen_by("virtualNode/crystal").listeners[0].hosts[0].routes[0]

    assert [0, 0] == [route.timeout, route.idle_timeout]


def test_a_tcp_listener_looks_into_nothing(mesh: Mesh) -> None:
    """Connections go on to the application as they are."""
    mesh.node("db", 5432, protocol="tcp")

    listener = mesh.seen_by("virtualNode/db").listeners[0]
    assert ["cds_ingress_mesh_db_5432", []] == [listener.tcp, list(listener.hosts)]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ({"path": "/dev/stdout"}, AccessLog(path="/dev/stdout")),
        ({"path": "/log", "format": {"text": "%PROTOCOL%\n"}}, AccessLog(path="/log", text="%PROTOCOL%\n")),
        (
            {"path": "/log", "format": {"json": [{"key": "code", "value": "%RESPONSE_CODE%"}]}},
            AccessLog(path="/log", json={"code": "%RESPONSE_CODE%"}),
        ),
    ],
    ids=["plain", "text", "JSON"],
)
def test_the_access_log(mesh: Mesh, file: dict[str, Any], expected: AccessLog) -> None:
    """In the file and format of the node."""
    mesh.node("crystal", 3000, logging={"accessLog": {"file": file}})

    assert expected == mesh.seen_by("virtualNode/crystal").access_log


def test_no_access_log_unless_the_node_has_one(demo: Mesh) -> None:
    """App Mesh writes none by itself."""
    assert demo.seen_by("virtualNode/crystal").access_log is None


def test_destinations_are_sorted(demo: Mesh) -> None:
    """The same mesh makes the same configuration, whatever the order of its making."""
    names = [each.name for each in demo.seen_by("virtualNode/frontend").destinations]

    assert sorted(names) == names
