"""What a real Envoy does with requests, rendered from the mesh's terms."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from envoymesh import Destination, Endpoint, Match, Proxy, Retry, Route, ValueMatch, VirtualHost, bootstrap, discovered
from envoymesh.render import text
from tests.envoymesh.support import APP, Running, anywhere, hearing, proxy
from tests.localaws.support import until

_OTHERS = Route(match=Match(prefix="/"), targets={"others": 1})


class _Echo(BaseHTTPRequestHandler):
    """Tells what has come; the path /broken is answered with 503 the first two times."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # the answer leaves in one piece
    broken = 0

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "host": self.headers["Host"]}).encode()
        status = 200
        if self.path == "/broken":
            _Echo.broken += 1
            status = 503 if _Echo.broken < 3 else 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def echo() -> Iterator[Endpoint]:
    """Where an application listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Endpoint(address="127.0.0.1", port=server.server_port)
    server.shutdown()
    server.server_close()


def running(folder: Path, echo: Endpoint, *routes: Route) -> Running:
    """An Envoy with some routes to the application; `others` is a destination that nobody stands behind."""
    destinations = [Destination(name=name, endpoints=[echo]) for name in ("app", "canary")]
    return started(folder, proxy(*routes, destinations=[*destinations, Destination(name="others")]))


def started(folder: Path, rendered: Proxy) -> Running:
    path = folder / "bootstrap.json"
    path.write_text(text(bootstrap(anywhere(rendered))), encoding="utf-8")
    return Running(path)


@pytest.mark.parametrize(
    ("match", "meant", "others"),
    [
        (Match(prefix="/api"), ["/api", "/api/1", "/apis"], ["/", "/v/api"]),
        (Match(path="/api"), ["/api", "/api?page=2"], ["/api/", "/api/1"]),
        (Match(regex="/v[0-9]+/.*"), ["/v1/", "/v22/a?b=c"], ["/v/", "/x/v1/"]),
        (Match(prefix="/", parameters=[ValueMatch(name="color", exact="red")]), ["/?color=red"], ["/?color=blue", "/"]),
        (Match(prefix="/", parameters=[ValueMatch(name="color")]), ["/?color=red", "/?color="], ["/?size=1"]),
    ],
    ids=["prefix", "path", "regex", "parameter", "parameter there"],
)
def test_paths_and_parameters(
    tmp_path: Path, echo: Endpoint, match: Match, meant: list[str], others: list[str]
) -> None:
    """A request that matches reaches the route's destination, any other goes on to the next route."""
    with running(tmp_path, echo, Route(match=match, targets={"app": 1}), _OTHERS) as envoy:
        assert {**dict.fromkeys(meant, 200), **dict.fromkeys(others, 503)} == {
            path: envoy.ask(path).status for path in (*meant, *others)
        }


@pytest.mark.parametrize(
    ("wanted", "meant", "others"),
    [
        (ValueMatch(name="v"), ["1", "x"], [None]),
        (ValueMatch(name="v", invert=True), [None], ["1"]),
        (ValueMatch(name="v", exact="beta"), ["beta"], ["beta2", None]),
        (ValueMatch(name="v", prefix="be"), ["beta"], ["alpha"]),
        (ValueMatch(name="v", suffix="ta"), ["beta"], ["alpha"]),
        (ValueMatch(name="v", regex="[0-9]+"), ["12"], ["12a", "a"]),
        (ValueMatch(name="v", regex="[0-9]+", invert=True), ["12a", "a"], ["12"]),
        (ValueMatch(name="v", span=(2, 5)), ["2", "4"], ["1", "5", "x", None]),
        (ValueMatch(name="v", span=(2, 5), invert=True), ["1", "5", "x"], ["2", "4"]),
    ],
    ids=["there", "not there", "exact", "prefix", "suffix", "regex", "not regex", "range", "not range"],
)
def test_headers(
    tmp_path: Path, echo: Endpoint, wanted: ValueMatch, meant: list[str | None], others: list[str | None]
) -> None:
    """A header's value decides, or that there is none; a range ends before its end."""
    route = Route(match=Match(prefix="/", headers=[wanted]), targets={"app": 1})
    with running(tmp_path, echo, route, _OTHERS) as envoy:
        found = {value: envoy.ask("/", **({} if value is None else {"v": value})).status for value in (*meant, *others)}

    assert {**dict.fromkeys(meant, 200), **dict.fromkeys(others, 503)} == found


def test_the_first_of_prefix_path_and_regex_counts(tmp_path: Path, echo: Endpoint) -> None:
    """A match that gives several ways is for the prefix alone."""
    route = Route(match=Match(prefix="/api", path="/other", regex="/any"), targets={"app": 1})
    with running(tmp_path, echo, route, _OTHERS) as envoy:
        assert [200, 503, 503] == [envoy.ask(path).status for path in ("/api", "/other", "/any")]


@pytest.mark.parametrize(
    ("rewrite", "asked", "heard"),
    [
        (("/api", "/v1"), "/api/x?y=z", "/v1/x?y=z"),
        (("/api/", "/"), "/api/x", "/x"),
        (("/chapter", "/"), "/chapter/page", "/page"),
        (("/chapter", "/"), "/chapter1?all=1", "/1?all=1"),
        (("/chapter", "/"), "/chapter", "/"),
        (("/a.b+c", "/"), "/a.b+c/d", "/d"),
    ],
)
def test_prefixes_are_rewritten(
    tmp_path: Path, echo: Endpoint, rewrite: tuple[str, str], asked: str, heard: str
) -> None:
    """As App Mesh's user guide has it: what was matched is replaced, and no slash is doubled by that."""
    matched, becomes = rewrite
    route = Route(match=Match(prefix=matched), targets={"app": 1}, prefix=becomes)
    with running(tmp_path, echo, route) as envoy:
        assert heard == envoy.ask(asked).json()["path"]


def test_hosts_and_whole_paths_are_rewritten(tmp_path: Path, echo: Endpoint) -> None:
    """The application hears another host and path; the query stays."""
    route = Route(match=Match(prefix="/"), targets={"app": 1}, host="frontend.local", path="/all")
    with running(tmp_path, echo, route) as envoy:
        assert {"path": "/all?page=2", "host": "frontend.local"} == envoy.ask("/some/page?page=2").json()


def test_weights_share_the_requests(tmp_path: Path, echo: Endpoint) -> None:
    """Three in four go to the heavier destination; a weight of 0 gets none."""
    route = Route(match=Match(prefix="/"), targets={"app": 75, "canary": 25, "others": 0})
    with running(tmp_path, echo, route) as envoy:
        assert {200} == {envoy.ask("/").status for _ in range(400)}
        stats = envoy.told("stats?filter=upstream_rq_total&format=json")["stats"]

    shares = Counter({each["name"].split(".")[1]: each["value"] for each in stats if "name" in each})
    assert 400 == shares["app"] + shares["canary"]
    assert 240 < shares["app"] < 360  # further off by chance once in 10^10 runs


@pytest.mark.parametrize("targets", [{}, {"app": 0}, {"app": 0, "canary": 0}], ids=["none", "one", "two"])
def test_a_route_without_weight_answers_503(tmp_path: Path, echo: Endpoint, targets: dict[str, int]) -> None:
    """Nothing that it leads to is asked, and no later route takes its place; the Envoy lives."""
    with running(tmp_path, echo, Route(match=Match(prefix="/off"), targets=targets), _to_app()) as envoy:
        assert [503, 200] == [envoy.ask(path).status for path in ("/off", "/on")]


def test_what_fails_is_tried_again(tmp_path: Path, echo: Endpoint) -> None:
    """Two retries on the status that is named make a third answer; without them the first one counts."""
    _Echo.broken = 0
    with running(tmp_path, echo, _to_app()) as envoy:
        assert envoy.ask("/broken").status == 503
    _Echo.broken = 0
    with running(tmp_path, echo, _to_app(Retry(times=2, on=[], statuses=[503]))) as envoy:
        assert envoy.ask("/broken").status == 200


def test_an_unknown_host_is_not_found(tmp_path: Path, echo: Endpoint) -> None:
    """A virtual host is found by its name whatever the port; a request for another host is answered with 404."""
    host = VirtualHost(name="nodejs", domains=["nodejs.local"], routes=[_to_app()])
    listener = hearing(hosts=[host])
    with started(tmp_path, proxy(listeners=[listener], destinations=[replace(APP, endpoints=[echo])])) as envoy:
        asked = ("nodejs.local", "nodejs.local:3000", "crystal.local")
        assert [200, 200, 404] == [envoy.ask("/", host=host).status for host in asked]


def _to_app(retry: Retry | None = None) -> Route:
    return Route(match=Match(prefix="/"), targets={"app": 1}, retry=retry)


def test_a_listener_may_be_read_before_the_clusters_that_came_with_it(tmp_path: Path, echo: Endpoint) -> None:
    """GIVEN Envoy, on a busy machine, follows the files in the wrong order THEN it routes all the same."""
    files = discovered(anywhere(proxy(destinations=[replace(APP, endpoints=[echo])])), tmp_path)
    clusters = files.pop("clusters.json")
    for name, document in {**files, "clusters.json": {"resources": []}}.items():
        (tmp_path / name).write_text(text(document), encoding="utf-8")
    with Running(tmp_path / "bootstrap.json") as envoy:
        assert envoy.ask("/").status == 503
        (tmp_path / "new").write_text(text(clusters), encoding="utf-8")
        (tmp_path / "new").replace(tmp_path / "clusters.json")
        until(lambda: envoy.ask("/").status == 200)
