"""Routes of App Mesh's API as an Envoy gets them: which comes first, what it matches, where it leads."""

from typing import Any

import pytest

from envoymesh import Match, Retry, Route, ValueMatch
from envoymesh.model import DEFAULT_RETRY
from localaws.tasks import gateway_routes, routes

NAMES = {"crystal": "to-crystal", "canary": "to-canary"}
SERVICE = "crystal.service.local"
EVERYTHING = routes.everything_to("to-crystal")


def http(match: dict[str, Any], *, kind: str = "httpRoute", priority: int | None = None, **more: Any) -> dict[str, Any]:
    """The spec of a route to the node crystal."""
    action = {"weightedTargets": [{"virtualNode": "crystal", "weight": 1}]}
    spec: dict[str, Any] = {kind: {"match": match, "action": action, **more}}
    return spec if priority is None else {**spec, "priority": priority}


def one(match: dict[str, Any], **more: Any) -> Route:
    """The one route that a spec makes."""
    (route,) = routes.of_router([http(match, **more)], NAMES)
    return route


def tried(*specs: dict[str, Any]) -> list[str]:
    """What is matched first, second and so on."""
    matches = [route.match for route in routes.of_router(specs, NAMES)]
    return [match.prefix or match.path or str(match.regex) for match in matches]


def test_a_lower_number_comes_first() -> None:
    """0 before 1 before none at all, whatever the prefixes; in the order given where nothing tells them apart."""
    specs = [http({"prefix": "/none-but-long"}), http({"prefix": "/1"}, priority=1), http({"prefix": "/"}, priority=0)]

    assert ["/", "/1", "/none-but-long"] == tried(*specs)
    assert ["/a", "/b"] == tried(http({"prefix": "/a"}), http({"prefix": "/b"}))


def test_without_priorities_the_longest_prefix_comes_first() -> None:
    """An exact path is before all of them, however short it is."""
    specs = [http({"prefix": prefix}) for prefix in ("/", "/crystal/api/v1", "/crystal")]

    assert ["/crystal/api/v1", "/crystal", "/"] == tried(*specs)
    assert ["/x", "/crystal/api/v1", "/crystal", "/"] == tried(*specs, http({"path": {"exact": "/x"}}))


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, Match(prefix="/", headers=[], parameters=[])),
        ({"prefix": "/a"}, Match(prefix="/a", headers=[], parameters=[])),
        ({"path": {"exact": "/a"}}, Match(path="/a", headers=[], parameters=[])),
        ({"path": {"regex": "/a.*"}}, Match(regex="/a.*", headers=[], parameters=[])),
    ],
    ids=["all", "prefix", "path", "regex"],
)
def test_paths(match: dict[str, Any], expected: Match) -> None:
    """A match without any word about the path is for every path."""
    assert expected == one(match).match


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ValueMatch(name="v")),
        ({"invert": True}, ValueMatch(name="v", invert=True)),
        ({"match": {"exact": "1"}}, ValueMatch(name="v", exact="1")),
        ({"match": {"prefix": "1"}}, ValueMatch(name="v", prefix="1")),
        ({"match": {"suffix": "1"}}, ValueMatch(name="v", suffix="1")),
        ({"match": {"regex": "1*"}, "invert": False}, ValueMatch(name="v", regex="1*")),
        ({"match": {"range": {"start": 0, "end": 9}}, "invert": True}, ValueMatch(name="v", span=(0, 9), invert=True)),
    ],
)
def test_headers(given: dict[str, Any], expected: ValueMatch) -> None:
    """Every way of App Mesh to say what a header, or gRPC metadata, has to be."""
    assert [expected] == one({"prefix": "/", "headers": [{"name": "v", **given}]}).match.headers
    assert [expected] == one({"metadata": [{"name": "v", **given}]}, kind="grpcRoute").match.headers


def test_method_scheme_and_parameters() -> None:
    """Method and scheme are headers to Envoy; a parameter has one value, or is there."""
    match = one(
        {
            "method": "GET",
            "scheme": "https",
            "queryParameters": [{"name": "color", "match": {"exact": "red"}}, {"name": "size"}],
        }
    ).match

    assert [ValueMatch(name=":method", exact="GET"), ValueMatch(name=":scheme", exact="https")] == match.headers
    assert [ValueMatch(name="color", exact="red"), ValueMatch(name="size")] == match.parameters


def test_grpc_is_matched_by_service_and_method() -> None:
    """A method is meant exactly: Get is not GetAll; a service stands for all its methods; nothing, for everything."""
    method = one({"serviceName": "shop.Cart", "methodName": "Get"}, kind="grpcRoute").match
    service = one({"serviceName": "shop.Cart"}, kind="grpcRoute").match

    assert [None, "/shop.Cart/Get"] == [method.prefix, method.path]
    assert ["/shop.Cart/", None] == [service.prefix, service.path]
    assert one({}, kind="grpcRoute").match.prefix == "/"


def test_targets_that_are_not_there_get_nothing() -> None:
    """Weights go by the destinations' names; nodes that nobody can call are left out."""
    targets = [{"virtualNode": name, "weight": weight} for name, weight in (("crystal", 9), ("canary", 1), ("no", 5))]
    (route,) = routes.of_router([{"tcpRoute": {"action": {"weightedTargets": targets}}}], NAMES)

    assert {"to-crystal": 9, "to-canary": 1} == route.targets


def test_a_route_that_says_nothing_is_passed_over() -> None:
    """Its spec has no protocol."""
    assert routes.of_router([{"priority": 1}], NAMES) == []


def test_timeouts() -> None:
    """For a request and for silence, each on its own; 0 is none, nothing is App Mesh's default."""
    short = one({}, timeout={"perRequest": {"value": 1500, "unit": "ms"}, "idle": {"value": 2, "unit": "s"}})
    never = one({}, timeout={"perRequest": {"value": 0, "unit": "s"}})

    assert [1.5, 2] == [short.timeout, short.idle_timeout]
    assert [0, 300] == [never.timeout, never.idle_timeout]
    assert [15, 300] == [one({}).timeout, one({}).idle_timeout]


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (None, 7),
        ({}, 7),
        ({"unit": "ms"}, 7),
        ({"value": 3}, 3),
        ({"value": 250, "unit": "ms"}, 0.25),
        ({"value": 0, "unit": "s"}, 0),
    ],
)
def test_durations(duration: dict[str, Any] | None, expected: float) -> None:
    """The API requires neither value nor unit: without a value nothing is said, without a unit it is seconds."""
    assert expected == routes.seconds(duration, 7)


def test_retry_policies() -> None:
    """App Mesh's words in Envoy's; a policy takes the place of the default one, which is in force without any."""
    events = ["server-error", "gateway-error", "client-error", "stream-error", "something-new"]
    policy = {
        "maxRetries": 3,
        "perRetryTimeout": {"value": 250, "unit": "ms"},
        "httpRetryEvents": events,
        "tcpRetryEvents": ["connection-error"],
        "grpcRetryEvents": ["cancelled", "unavailable"],
    }
    on = ["5xx", "gateway-error", "retriable-4xx", "refused-stream", "connect-failure", "cancelled", "unavailable"]

    assert Retry(times=3, on=on, per_try=0.25) == one({}, retryPolicy=policy).retry
    none = {"maxRetries": 0, "perRetryTimeout": {"value": 0, "unit": "s"}}
    assert Retry(times=0, on=[]) == one({}, retryPolicy=none).retry
    assert one({}).retry == DEFAULT_RETRY


def gateway(match: dict[str, Any], kind: str = "httpRoute", **rewrite: Any) -> dict[str, Any]:
    """The spec of a gateway route."""
    target = {"virtualService": {"virtualServiceName": SERVICE}}
    return {kind: {"match": match, "action": {"target": target, **({"rewrite": rewrite} if rewrite else {})}}}


def through(spec: dict[str, Any], *inner: dict[str, Any]) -> list[Route]:
    """What a gateway route makes of a router's routes by these matches; of all that comes, where there are none."""
    behind = routes.of_router([http(match) for match in inner], NAMES) if inner else [EVERYTHING]
    return gateway_routes.through(spec, behind, SERVICE)


def test_a_gateway_names_the_service_to_it() -> None:
    """The host becomes the virtual service's name, unless that is turned off."""
    kept = gateway({"prefix": "/"}, hostname={"defaultTargetHostname": "DISABLED"})

    assert [SERVICE] == [route.host for route in through(gateway({"prefix": "/"}))]
    assert [None] == [route.host for route in through(kept)]


@pytest.mark.parametrize(
    ("spec", "prefix", "path"),
    [
        (gateway({"prefix": "/"}), None, None),
        (gateway({"prefix": "/chapter"}), "/", None),
        (gateway({"prefix": "/chapter"}, prefix={"defaultPrefix": "ENABLED"}), "/", None),
        (gateway({"prefix": "/chapter"}, prefix={"defaultPrefix": "DISABLED"}), None, None),
        (gateway({"prefix": "/chapter/"}, prefix={"value": "/v1/"}), "/v1/", None),
        (gateway({"prefix": "/"}, prefix={"value": "/v1/"}), "/v1/", None),
        (gateway({"prefix": "/chapter"}, path={"exact": "/all"}), None, "/all"),
        (gateway({"path": {"exact": "/chapter"}}), None, None),
        (gateway({"path": {"exact": "/chapter"}}, path={"exact": "/all"}), None, "/all"),
        (gateway({"path": {"regex": "/c.*"}}), None, None),
        (gateway({"path": {"regex": "/c.*"}}, path={"exact": "/all"}), None, "/all"),
        (gateway({"headers": [{"name": "v"}]}), None, None),
        (gateway({"serviceName": "shop.Cart"}, "grpcRoute"), None, None),
    ],
)
@pytest.mark.parametrize("by_router", [False, True], ids=["node", "router"])
def test_a_gateway_rewrites_what_it_matched(
    spec: dict[str, Any], prefix: str | None, path: str | None, *, by_router: bool
) -> None:
    """A prefix becomes / unless told otherwise, paths and gRPC stay; the same before a node and a router for all."""
    (route,) = through(spec, {"prefix": "/"}) if by_router else through(spec)

    assert [prefix, path] == [route.prefix, route.path]
    wanted = routes.match(routes.body(spec)["match"])
    assert [wanted.prefix, wanted.path, wanted.regex] == [route.match.prefix, route.match.path, route.match.regex]


@pytest.mark.parametrize(
    ("spec", "inner", "match", "becomes"),
    [
        # What the gateway matches, the router's prefix behind it; what the Envoy matches, what that prefix becomes.
        (gateway({"prefix": "/api"}), "/v1", "/api/v1", "/v1"),
        (gateway({"prefix": "/api/"}), "/v1", "/api/v1", "/v1"),
        (gateway({"prefix": "/"}), "/v1", "/v1", None),
        (gateway({"prefix": "/api"}, prefix={"defaultPrefix": "DISABLED"}), "/api/v1", "/api/v1", None),
        (gateway({"prefix": "/api"}, prefix={"defaultPrefix": "DISABLED"}), "/ap", "/api", None),
        (gateway({"prefix": "/api/"}, prefix={"value": "/b/"}), "/b/v1", "/api/v1", "/b/v1"),
        (gateway({"prefix": "/api/"}, prefix={"value": "/b/"}), "/b", "/api/", "/b/"),
    ],
)
def test_a_routers_prefix_is_about_the_rewritten_path(
    spec: dict[str, Any], inner: str, match: str, becomes: str | None
) -> None:
    """A request reaches the router's route as if it had been rewritten first."""
    (route,) = through(spec, {"prefix": inner})

    assert [match, becomes] == [route.match.prefix, route.prefix]


@pytest.mark.parametrize(
    ("spec", "inner", "fits"),
    [
        (gateway({"prefix": "/api/"}, prefix={"value": "/b/"}), {"prefix": "/api"}, False),
        (gateway({"prefix": "/api"}, prefix={"defaultPrefix": "DISABLED"}), {"prefix": "/v1"}, False),
        (gateway({"prefix": "/api"}, prefix={"defaultPrefix": "DISABLED"}), {"path": {"exact": "/v1"}}, False),
        (gateway({"prefix": "/api"}, prefix={"defaultPrefix": "DISABLED"}), {"path": {"regex": "/v.*"}}, False),
        (gateway({"path": {"exact": "/api"}}), {"prefix": "/v1"}, False),
        (gateway({"path": {"exact": "/api"}}), {"prefix": "/a"}, True),
        (gateway({"path": {"exact": "/api"}}), {"path": {"exact": "/api"}}, True),
        (gateway({"path": {"exact": "/api"}}), {"path": {"exact": "/apis"}}, False),
        (gateway({"path": {"exact": "/api"}}), {"path": {"regex": "/a.*"}}, True),
        (gateway({"path": {"exact": "/api"}}), {"path": {"regex": "/a"}}, False),
        (gateway({"path": {"regex": "/a.*"}}, path={"exact": "/all"}), {"path": {"exact": "/all"}}, True),
        (gateway({"path": {"regex": "/a.*"}}, path={"exact": "/all"}), {"prefix": "/a/"}, False),
    ],
)
def test_a_route_that_no_rewritten_path_fits_is_left_out(
    spec: dict[str, Any], inner: dict[str, Any], *, fits: bool
) -> None:
    """Where gateway and router can't both be satisfied no request gets through by that route."""
    assert fits == bool(through(spec, inner))


def test_a_grpc_method_behind_a_grpc_service() -> None:
    """Nothing is rewritten, and of the service the one method gets through."""
    behind = routes.of_router([http({"serviceName": "shop.Cart", "methodName": "Get"}, kind="grpcRoute")], NAMES)
    outside = [gateway({"serviceName": name}, "grpcRoute") for name in ("shop.Cart", "shop.Till")]

    (route,) = gateway_routes.through(outside[0], behind, SERVICE)
    assert ["/shop.Cart/Get", None, None] == [route.match.path, route.path, route.prefix]
    assert gateway_routes.through(outside[1], behind, SERVICE) == []


def test_exact_paths_and_regexes_behind_a_prefix() -> None:
    """They are about the rewritten path too; the query is no part of it."""
    (path,) = through(gateway({"prefix": "/api"}), {"path": {"exact": "/v1"}})
    (kept,) = through(gateway({"prefix": "/"}), {"path": {"exact": "/v1"}})
    (regex,) = through(gateway({"prefix": "/a.b"}), {"path": {"regex": "/v[0-9]"}})

    assert ["/api/v1", "/v1", None] == [path.match.path, path.path, path.match.prefix]
    assert ["/v1", None] == [kept.match.path, kept.path]
    assert ["/a.b", "/"] == [regex.match.prefix, regex.prefix]
    assert [ValueMatch(name=":path", regex=r"/a\.b(?:/v[0-9])(?:\?.*)?")] == regex.match.headers


@pytest.mark.parametrize(
    ("inner", "wanted"),
    [
        ({"prefix": "/"}, []),
        ({"prefix": "/v1"}, [ValueMatch(name=":path", prefix="/v1")]),
        ({"path": {"exact": "/v.1"}}, [ValueMatch(name=":path", regex=r"/v\.1(?:\?.*)?")]),
        ({"path": {"regex": "/v|/w"}}, [ValueMatch(name=":path", regex=r"(?:/v|/w)(?:\?.*)?")]),
    ],
)
def test_behind_a_regex_both_have_to_fit(inner: dict[str, Any], wanted: list[ValueMatch]) -> None:
    """The gateway's regex stays, and what the route wants of the path comes as a condition beside it."""
    (route,) = through(gateway({"path": {"regex": "/.*"}}), inner)

    assert ["/.*", wanted] == [route.match.regex, route.match.headers]


def test_conditions_of_gateway_and_router_add_up() -> None:
    """Headers and parameters of both have to fit."""
    outer = {"prefix": "/", "method": "GET", "queryParameters": [{"name": "a"}]}
    (route,) = through(gateway(outer), {"headers": [{"name": "v"}], "queryParameters": [{"name": "b"}]})

    assert [ValueMatch(name=":method", exact="GET"), ValueMatch(name="v")] == route.match.headers
    assert [ValueMatch(name="a"), ValueMatch(name="b")] == route.match.parameters


def test_a_gateway_routes_hosts_and_ports() -> None:
    """A host name, all that end the same, or any; one port, or all."""
    found = [
        gateway_routes.domains(gateway({"hostname": host})) for host in ({"exact": "Www.io"}, {"suffix": ".io"}, {})
    ]

    assert [("www.io",), ("*.io",), ("*",)] == found
    assert [True, False, True] == [
        gateway_routes.is_heard_at(gateway(match), 80) for match in ({"port": 80}, {"port": 90}, {})
    ]
