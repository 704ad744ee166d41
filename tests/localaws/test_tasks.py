"""Tasks that run for real: the demo answers, follows its mesh, is replaced without a loss, leaves nothing behind."""

import os
import signal
import threading

import pytest

from automation.traffic import send
from localaws.instance import Instance
from tests.localaws.demo_site import ALL_SERVICES, ENVOY_LOG, Demo, processes_of
from tests.localaws.ecs_site import messages


@pytest.fixture(scope="module")
def demo(running: Instance) -> Demo:
    """The demo, untraced."""
    site = Demo(running)
    site.deploy()
    return site


def test_the_demo_answers_through_its_mesh(demo: Demo) -> None:
    """From the load balancer through four Envoys: the page shows what each backend says, each from its own address."""
    page = demo.page()

    assert "Rails frontend: Hello! from 10.0.0." in page
    assert "Node.js backend: Hello! from 10.0.0." in page
    assert "Crystal backend: Hello! from 10.0.0." in page


def test_what_containers_print_is_in_cloudwatch_logs(demo: Demo) -> None:
    """The Envoys' access log tells the request, the application its own."""
    demo.page("?from=the-logs")

    told = demo.until(
        lambda: demo.log(ENVOY_LOG, "frontend"), lambda lines: any("?from=the-logs" in each for each in lines)
    )
    assert [line.split('"')[1] for line in told if "?from=the-logs" in line] == ["GET /?from=the-logs HTTP/1.1"]
    assert any("GET / HTTP/1.1" in line for line in demo.log("app", "nodejs"))


def test_envoys_follow_the_mesh_while_they_run(demo: Demo) -> None:
    """A backend that is taken from the frontend's virtual node can't be called any more, and given back, it can."""
    node = {"meshName": demo.name, "virtualNodeName": "frontend"}
    spec = demo.mesh.describe_virtual_node(**node)["virtualNode"]["spec"]
    tasks = [task["taskArn"] for task in demo.tasks("frontend")]

    demo.mesh.update_virtual_node(**node, spec={**spec, "backends": spec["backends"][:1]})
    page = demo.until(demo.page, lambda text: "Node.js" not in text)
    assert "Crystal backend" in page

    demo.mesh.update_virtual_node(**node, spec=spec)
    demo.until(demo.page, lambda text: "Node.js" in text)
    assert [task["taskArn"] for task in demo.tasks("frontend")] == tasks


def test_a_stopped_service_is_missing_on_the_page(demo: Demo) -> None:
    """With no task behind it a backend's line is hidden, the page still answers, and more tasks share the work."""
    demo.update("crystal", desiredCount=0)
    demo.stable("crystal")
    assert "Crystal" not in demo.until(demo.page, lambda text: "Crystal" not in text)

    demo.update("crystal", desiredCount=3)
    demo.stable("crystal")
    seen = {demo.page().partition("Crystal backend: Hello! from ")[2].partition(" ")[0] for _ in range(30)}
    assert len(seen) == 3


def test_no_request_fails_while_all_tasks_are_replaced(demo: Demo) -> None:
    """A rolling deployment of all four services under steady traffic: every request is answered with 200."""
    ended, told = threading.Event(), []
    sender = threading.Thread(
        target=lambda: told.append(send(demo.url(), 100_000, rate=50, cancelled=ended)), daemon=True
    )
    sender.start()
    before = {name: {task["taskArn"] for task in demo.tasks(name)} for name in ALL_SERVICES}
    for name in ALL_SERVICES:
        demo.update(name, forceNewDeployment=True)
    for name, old in before.items():
        _replaced(demo, name, old)
    ended.set()
    sender.join()

    assert not told[0].problems()
    assert told[0].ok > 50


def _replaced(demo: Demo, name: str, old: set[str]) -> None:
    """Wait until none of a service's old tasks runs."""
    demo.until(lambda: {task["taskArn"] for task in demo.tasks(name)}, lambda found: bool(found) and not found & old)
    demo.stable(name)


def test_an_image_that_nothing_stands_for_fails_the_task(demo: Demo) -> None:
    """The reason names the image and what there is."""
    arn = demo.run(demo.define({"name": "web", "image": "public.ecr.aws/docker/library/httpd:2.4"}))

    task = demo.ended(arn)
    assert task["stopCode"] == "TaskFailedToStart"
    assert "CannotPullContainerError" in task["stoppedReason"]
    assert "public.ecr.aws/docker/library/httpd:2.4" in task["stoppedReason"]


def test_a_log_group_that_is_not_there_keeps_a_container_from_starting(demo: Demo) -> None:
    """As in ECS, where the log driver is asked first."""
    options = demo.logged("crystal", "app")
    options["options"]["awslogs-group"] = "nowhere"
    image = "public.ecr.aws/aws-containers/ecsdemo-crystal:latest"
    arn = demo.run(demo.define({"name": "app", "image": image, "logConfiguration": options}))

    task = demo.ended(arn)
    assert "The specified log group does not exist" in task["containers"][0]["reason"]


def test_a_deployment_whose_envoy_refuses_its_settings_is_rolled_back(demo: Demo) -> None:
    """The circuit breaker brings the last good revision back, the log says why, and the page never stops."""
    good = demo.service("nodejs")["taskDefinition"]
    definition = demo.ecs.describe_task_definition(taskDefinition=good)["taskDefinition"]
    containers = definition["containerDefinitions"]
    envoy = next(each for each in containers if each["name"] == "envoy")
    envoy["environment"] = [*envoy["environment"], {"name": "ENVOY_LOG_LEVEL", "value": "loud"}]
    bad = demo.define(*containers, family=definition["family"], proxyConfiguration=definition["proxyConfiguration"])
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}

    demo.update("nodejs", taskDefinition=bad, deploymentConfiguration=breaker)
    service = demo.until(
        lambda: demo.service("nodejs"),
        lambda found: found["taskDefinition"] == good and found["deployments"][0]["rolloutState"] == "COMPLETED",
    )

    assert any("deployment failed: tasks failed to start" in message for message in messages(service))
    streams = demo.logs.filter_log_events(logGroupName=demo.log_group("nodejs"), filterPattern="loud")["events"]
    assert any("ENVOY_LOG_LEVEL has no level 'loud'" in event["message"] for event in streams)
    assert "Node.js backend" in demo.page()


def test_tasks_run_on_after_the_embedded_aws_was_restarted(demo: Demo, running: Instance) -> None:
    """The same tasks, the same address of the page; between stop and start no process is left."""
    url, tasks = demo.url(), [task["taskArn"] for task in demo.tasks("frontend")]

    running.stop()
    assert processes_of(running) == []

    running.start()
    assert demo.url() == url  # from the first moment, though the tasks only start
    assert "Crystal backend" in demo.until(demo.page, lambda text: "Crystal backend" in text)
    assert [task["taskArn"] for task in demo.tasks("frontend")] == tasks


def test_nothing_is_left_behind_when_the_embedded_aws_is_killed(demo: Demo, running: Instance) -> None:
    """Even a SIGKILL of the server ends all processes; the next start runs the tasks again."""
    pid = running.status().pid
    assert pid is not None
    assert processes_of(running)

    os.kill(pid, signal.SIGKILL)
    demo.until(lambda: processes_of(running), lambda found: not found)

    running.start()
    assert "Crystal backend" in demo.until(demo.page, lambda text: "Crystal backend" in text)
