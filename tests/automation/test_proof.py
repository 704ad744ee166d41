"""The proof that tracing works: every declared hop is seen, or its likeliest cause is named.

The demo runs for real; each cause is provoked there, one service at a time, and mended again.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from automation import proof
from automation.hops import End, Hop
from automation.proof import Proof, Search
from automation.traffic import send
from automation.verify import Aws, Target
from localaws.instance import Instance
from tests.localaws.demo_site import TRACED, WRITE_ACCESS, Demo, pairs
from tests.localaws.support import send as control
from traces.fetch import XRay

Containers = dict[str, dict[str, Any]]

CRYSTAL = "frontend → crystal"
ALL = ["gateway → frontend", "frontend → nodejs", CRYSTAL]


@pytest.fixture(scope="module")
def demo(running: Instance) -> Iterator[Demo]:
    """The demo, every request traced; this process finds its AWS as a user's would."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment().items():
            patch.setenv(name, value)
        site = Demo(running)
        site.deploy(tracing={**TRACED, "XRAY_SAMPLING_RATE": "1"})
        yield site


def hops(demo: Demo, rate: float = 1.0) -> list[Hop]:
    """The demo's calls, as the stacks' outputs would declare them."""
    return [Hop(source=_end(demo, one, rate), target=_end(demo, other, rate)) for one, other in map(_pair, ALL)]


def _pair(words: str) -> tuple[str, str]:
    one, _, other = words.partition(" → ")
    return one, other


def _end(demo: Demo, name: str, rate: float) -> End:
    target = Target(
        service=name,
        cluster=demo.cluster,
        ecs_service=name,
        task_definition=demo.service(name)["taskDefinition"],
        role=demo.role_of(name),
        tracing=True,
    )
    return End(
        service=name,
        segment_name=f"{demo.name}/{name}",
        target=target,
        log_group=demo.log_group(name),
        sampling_rate=rate,
    )


def prove(demo: Demo, expected: dict[str, str], requests: int = 10, *, rate: float = 1.0, **more: Any) -> Proof:
    """Send requests and look for what came of them, until the causes are as expected or that takes too long."""
    since, cancelled = _next_second(), threading.Event()
    if requests:
        assert not send(demo.url(), requests, cancelled=cancelled).problems()
    asked = Search(hops=hops(demo, rate), since=since, timeout=0, sent=requests, **more)
    xray, aws = XRay.of("us-east-1"), Aws(region="us-east-1")
    return demo.until(
        lambda: proof.search(asked, xray, aws, cancelled=cancelled, say=lambda _: None),
        lambda found: causes(found) == expected,
    )


def _next_second() -> float:
    """Wait for the next full second: requests of an earlier test are not this one's, and each second has its first."""
    since = int(time.time()) + 1
    threading.Event().wait(since - time.time())
    return float(since)


def causes(found: Proof) -> dict[str, str]:
    """The kind of cause by hop."""
    return {hop.words: cause.kind for hop, cause in found.causes.items()}


def message(found: Proof, words: str) -> str:
    return next(cause.message for hop, cause in found.causes.items() if hop.words == words)


@contextmanager
def changed(demo: Demo, name: str, change: Callable[[Containers], None]) -> Iterator[None]:
    """A service deployed with other containers, and as it was again afterwards."""
    before = demo.service(name)["taskDefinition"]
    demo.change(name, change)
    yield
    demo.update(name, taskDefinition=before)
    demo.until(lambda: demo.service(name), lambda service: service["deployments"][0]["rolloutState"] == "COMPLETED")


def test_all_hops_of_the_demo_are_seen(demo: Demo) -> None:
    """None is missing, and the map comes with them."""
    found = prove(demo, {})

    assert found.holds
    assert [hop.words for hop, number in found.seen.items() if number] == ALL
    assert found.problems() == []
    assert found.service_map is not None


def test_no_traffic(demo: Demo) -> None:
    """Nobody asked for a page."""
    found = prove(demo, dict.fromkeys(ALL, "no-traffic"), 0)

    assert message(found, CRYSTAL) == "no request has reached crystal"


def test_no_sidecar(demo: Demo) -> None:
    """Crystal was deployed without tracing; the calls that do not touch it are seen."""

    def untraced(containers: Containers) -> None:
        containers["envoy"]["environment"] = pairs({"APPMESH_RESOURCE_ARN": _arn(containers)})
        containers["envoy"].pop("dependsOn")
        containers.pop("xray")

    with changed(demo, "crystal", untraced):
        found = prove(demo, {CRYSTAL: "no-sidecar"})

    assert message(found, CRYSTAL) == "crystal runs no X-Ray sidecar"


def test_flag_off(demo: Demo) -> None:
    """The sidecar runs, but nobody told the Envoy."""

    def silent(containers: Containers) -> None:
        containers["envoy"]["environment"] = pairs({"APPMESH_RESOURCE_ARN": _arn(containers)})

    with changed(demo, "crystal", silent):
        found = prove(demo, {CRYSTAL: "no-sidecar"})

    assert message(found, CRYSTAL) == "crystal has an Envoy whose tracing is off"


def test_no_policy(demo: Demo) -> None:
    """Crystal's role may not write to X-Ray, so X-Ray refuses its daemon."""
    role = {"RoleName": demo.role_of("crystal"), "PolicyArn": WRITE_ACCESS}
    demo.iam.detach_role_policy(**role)
    found = prove(demo, {CRYSTAL: "no-policy"})
    demo.iam.attach_role_policy(**role)

    assert "the task role of crystal lacks AWSXRayDaemonWriteAccess" in message(found, CRYSTAL)


def test_daemon_without_region(demo: Demo) -> None:
    """It ended as soon as it was started."""

    def nowhere(containers: Containers) -> None:
        containers["xray"]["environment"] = []

    with changed(demo, "crystal", nowhere):
        found = prove(demo, {CRYSTAL: "no-region"})

    assert "the X-Ray daemon of crystal has no region" in message(found, CRYSTAL)


def test_sampled_away(demo: Demo) -> None:
    """The requests arrived, but the one that is sampled each second was another call's."""

    def rarely(containers: Containers) -> None:
        for entry in containers["envoy"]["environment"]:
            if entry["name"] == "XRAY_SAMPLING_RATE":
                entry["value"] = "0"

    with changed(demo, "frontend", rarely):
        found = prove(demo, {CRYSTAL: "sampled-away"}, 1, rate=0.0)

    assert message(found, CRYSTAL).startswith("1 requests reached crystal, and none of them was sampled")


def test_not_delivered(demo: Demo) -> None:
    """X-Ray refuses what the daemons send; their logs tell."""
    fault = {"service": "xray", "operation": "PutTraceSegments", "code": "InvalidRequestException", "status": 400}
    control(demo.instance, "POST", "/_localaws/faults", [{**fault, "times": 1000}])
    found = prove(demo, dict.fromkeys(ALL, "not-delivered"))
    control(demo.instance, "DELETE", "/_localaws/faults")

    assert "InvalidRequestException" in message(found, CRYSTAL)


def test_header_not_forwarded(demo: Demo) -> None:
    """The calls are all seen, but not in one trace with the gateway's; once the application forwards, they are."""
    entrance = f"{demo.name}/gateway"
    apart = {"frontend → nodejs": "header-not-forwarded", CRYSTAL: "header-not-forwarded"}
    found = prove(demo, apart, joined_from=[entrance])

    assert "the application of frontend does not pass X-Amzn-Trace-Id on" in message(found, CRYSTAL)

    def forwarding(containers: Containers) -> None:
        containers["frontend-app"]["environment"] += pairs({"FORWARD_TRACE_HEADER": "1"})

    with changed(demo, "frontend", forwarding):
        assert prove(demo, {}, joined_from=[entrance]).holds


def _arn(containers: Containers) -> str:
    variables = {entry["name"]: entry["value"] for entry in containers["envoy"]["environment"]}
    return str(variables["APPMESH_RESOURCE_ARN"])
