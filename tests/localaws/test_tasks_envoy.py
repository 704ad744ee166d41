"""Plain Envoys in tasks that run for real: the demo in a mesh of its own, and what its image does with a command."""

import json
import threading
import uuid
from collections import Counter
from typing import Any

import pytest

from automation.traffic import send
from localaws.instance import Instance
from services.images import PLAIN_ENVOY
from tests.localaws.demo_site import ALL_SERVICES, ENVOY_LOG, TRACED
from tests.localaws.envoy_site import GATEWAY, OwnMesh
from tests.localaws.test_tasks_traced import JOINED, Window, shape

ADMIN = {"admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 9901}}}}
DISTROLESS = PLAIN_ENVOY.replace(":", ":distroless-")
READY = r"printf 'GET /ready HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n' >&3 && grep -q LIVE <&3"


@pytest.fixture(scope="module")
def demo(running: Instance) -> OwnMesh:
    """The demo, every request traced, its page complete; requests are passed on with their trace header."""
    site = OwnMesh(running)
    site.deploy(variables={"FORWARD_TRACE_HEADER": "1"}, tracing={**TRACED, "XRAY_SAMPLING_RATE": "1"})
    site.until(site.page, lambda text: "Node.js backend" in text and "Crystal backend" in text)
    return site


def health(demo: OwnMesh, *check: str, seconds: int, **given: Any) -> tuple[str, str]:
    """Run a plain Envoy alone, checked so; return how its task is once its health is known.

    Until one check has passed, all may fail for so many seconds, which pass ten times faster here.
    """
    container = {
        "name": "envoy",
        "image": PLAIN_ENVOY,
        "command": ["--config-yaml", json.dumps(ADMIN)],
        "healthCheck": {"command": check, "interval": 5, "retries": 1, "startPeriod": seconds},
    }
    arn = demo.run(demo.define(container | given))
    (task,) = demo.until(lambda: demo.described(arn), lambda tasks: tasks[0]["healthStatus"] != "UNKNOWN")
    demo.ecs.stop_task(cluster=demo.cluster, task=arn)
    return task["lastStatus"], task["healthStatus"]


def test_the_demo_answers_through_plain_envoys(demo: OwnMesh) -> None:
    """From the load balancer through four Envoys: each application and its Envoy tell of the request."""
    assert "Rails frontend: Hello! from 10.0.0." in demo.page("?from=the-logs")

    told = demo.until(
        lambda: demo.log(ENVOY_LOG, "frontend"), lambda lines: any("?from=the-logs" in each for each in lines)
    )
    assert [line.split('"')[1] for line in told if "?from=the-logs" in line] == ["GET /?from=the-logs HTTP/1.1"]
    assert any("GET / HTTP/1.1" in line for line in demo.log("app", "nodejs"))


def test_traces_are_those_of_app_mesh(demo: OwnMesh) -> None:
    """Six segments of each request in one trace, called the same and below the same parents."""
    window = Window(demo)
    assert not send(demo.url(), 50, cancelled=threading.Event()).problems()

    nodes = {GATEWAY if name == "gateway" else name for name in ALL_SERVICES}
    demo.until(window.nodes, lambda found: found == dict.fromkeys(nodes, 50))
    wanted = tuple(sorted(call.replace("gateway", GATEWAY) for call in JOINED))
    assert Counter({wanted: 50}) == Counter(map(shape, window.segments()))
    assert {each["name"].partition("/")[0] for trace in window.segments() for each in trace} == {"ecs-mesh"}


def test_no_request_fails_while_all_tasks_are_replaced(demo: OwnMesh) -> None:
    """A rolling deployment of all four services at 100 requests a second, until the last old task has ended."""
    ended, told = threading.Event(), []
    sender = threading.Thread(
        target=lambda: told.append(send(demo.url(), 10**6, rate=100, cancelled=ended)), daemon=True
    )
    old = [task["taskArn"] for name in ALL_SERVICES for task in demo.tasks(name)]
    sender.start()
    for name in ALL_SERVICES:
        demo.update(name, forceNewDeployment=True)
    tasks = demo.until(
        lambda: demo.described(*old), lambda found: all(task["lastStatus"] == "STOPPED" for task in found)
    )
    ended.set()
    sender.join()

    assert told[0].problems() == []
    assert told[0].ok > 100
    assert {container["exitCode"] for task in tasks for container in task["containers"]} == {0}


@pytest.mark.parametrize(
    "given",
    [
        {"command": ["--config-yaml", json.dumps(ADMIN), "--log-level", "warning"]},
        {"command": ["bash", "-c", 'envoy "$@"', "envoy", "--config-yaml", json.dumps(ADMIN)]},
        {"command": ["/usr/local/bin/envoy", "--config-yaml", json.dumps(ADMIN)]},
        {"entryPoint": ["bash", "-c"], "command": [f"exec envoy --config-yaml '{json.dumps(ADMIN)}'"]},
        {"entryPoint": ["envoy", "--config-yaml", json.dumps(ADMIN)], "command": ["--concurrency", "2"]},
    ],
    ids=["flags", "shell", "path", "entry point", "entry point and flags"],
)
def test_the_image_runs_what_it_is_told(demo: OwnMesh, given: dict[str, Any]) -> None:
    """As its own entry point does it, or another in its place; the check asks the task's own loopback."""
    check = ("CMD", "bash", "-c", f"exec 3<>/dev/tcp/localhost/9901 && {READY}")
    assert health(demo, *check, seconds=300, **given) == ("RUNNING", "HEALTHY")


@pytest.mark.parametrize(
    ("image", "check"),
    [
        (PLAIN_ENVOY, ["CMD-SHELL", "curl -s http://localhost:9901/server_info | grep -q LIVE"]),
        (PLAIN_ENVOY, ["CMD", "/usr/bin/curl", "-sf", "http://localhost:9901/ready"]),
        (DISTROLESS, ["CMD-SHELL", "exit 0"]),
        (DISTROLESS, ["CMD", "bash", "-c", "exit 0"]),
        (DISTROLESS, ["CMD", "/bin/sh", "-c", "exit 0"]),
    ],
    ids=["no curl", "no curl in its place", "no shell", "no bash", "no sh in its place"],
)
def test_a_check_by_what_the_image_has_not_fails(demo: OwnMesh, image: str, check: list[str]) -> None:
    """App Mesh's image has curl, the plain one has not, and the distroless one has not even a shell."""
    assert health(demo, *check, seconds=10, image=image) == ("RUNNING", "UNHEALTHY")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"entryPoint": ["bash", "-c"], "command": ["exec envoy"]}, "No such file"),
        ({"command": ["envoy", "--config-yaml", json.dumps(ADMIN)]}, "Couldn't find match for argument"),
    ],
    ids=["no bash", "Envoy is the entry point"],
)
def test_the_distroless_image_has_envoy_alone(demo: OwnMesh, given: dict[str, Any], told: str) -> None:
    """What the other one runs ends it, and the log says why."""
    log = demo.logged("crystal", f"distroless-{uuid.uuid4().hex}")
    demo.ended(demo.run(demo.define({"name": "envoy", "image": DISTROLESS, "logConfiguration": log, **given})))

    prefix = log["options"]["awslogs-stream-prefix"]
    said = demo.logs.filter_log_events(logGroupName=demo.log_group("crystal"), logStreamNamePrefix=prefix)["events"]
    assert any(told in event["message"] for event in said)


def test_a_deployment_whose_envoy_refuses_its_bootstrap_is_rolled_back(demo: OwnMesh) -> None:
    """The circuit breaker brings the last good revision back, and Envoy's own words are in the log; the page stays."""
    good = demo.service("nodejs")["taskDefinition"]
    definition = demo.ecs.describe_task_definition(taskDefinition=good)["taskDefinition"]
    containers = {each["name"]: each for each in definition["containerDefinitions"]}
    containers["envoy"]["command"][-1] = json.dumps({**ADMIN, "static_resources": {"listeners": [{"name": "nowhere"}]}})
    bad = demo.define(*containers.values(), family=definition["family"], taskRoleArn=definition["taskRoleArn"])
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}

    demo.update("nodejs", taskDefinition=bad, deploymentConfiguration=breaker)
    demo.until(
        lambda: demo.service("nodejs"),
        lambda found: found["taskDefinition"] == good and found["deployments"][0]["rolloutState"] == "COMPLETED",
    )

    said = demo.logs.filter_log_events(logGroupName=demo.log_group("nodejs"), filterPattern="nowhere")["events"]
    assert any("error adding listener named 'nowhere'" in event["message"] for event in said)
    assert "Node.js backend" in demo.page()


def test_tasks_find_each_other_after_the_embedded_aws_was_restarted(demo: OwnMesh, running: Instance) -> None:
    """The same tasks, and a resolver that knows them."""
    tasks = [task["taskArn"] for task in demo.tasks("frontend")]
    running.stop()
    running.start()

    demo.until(demo.page, lambda text: "Node.js backend" in text and "Crystal backend" in text)
    assert [task["taskArn"] for task in demo.tasks("frontend")] == tasks
