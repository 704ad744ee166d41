"""Deployments: rolling updates, the circuit breaker, and what a restart of the server does to one in the middle."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from localaws.instance import Instance
from tests.localaws.ecs_site import APP, Site, envoy, messages, xray
from tests.localaws.support import client_of

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}, "minimumHealthyPercent": 50}


@pytest.fixture
def site(client: Callable[[str], Any]) -> Site:
    return Site(client)


def app(**more: Any) -> dict[str, Any]:
    return {"name": "app", "image": APP} | more


def test_a_new_service_reaches_a_steady_state(site: Site) -> None:
    """Its first deployment goes from IN_PROGRESS to COMPLETED, and the events tell how, newest first."""
    created = site.create(site.define(), desiredCount=2)
    first = created["deployments"][0]
    assert (first["status"], first["rolloutState"]) == ("PRIMARY", "IN_PROGRESS")
    assert first["rolloutStateReason"] == f"ECS deployment {first['id']} in progress."

    service = site.stable()

    done = service["deployments"][0]
    assert (done["id"], done["rolloutState"], done["failedTasks"]) == (first["id"], "COMPLETED", 0)
    assert done["rolloutStateReason"] == f"ECS deployment {first['id']} completed."
    assert (done["desiredCount"], done["runningCount"], done["pendingCount"]) == (2, 2, 0)
    assert (service["runningCount"], service["pendingCount"]) == (2, 0)
    ids = [task["taskArn"].rpartition("/")[2] for task in site.tasks()]
    assert messages(service) == [
        "has reached a steady state.",
        f"(deployment {first['id']}) deployment completed.",
        f"has started 2 tasks: (task {ids[0]}) (task {ids[1]}).",
    ]
    assert {task["startedBy"] for task in site.tasks()} == {first["id"]}
    assert {task["group"] for task in site.tasks()} == {"service:crystal"}


def test_the_new_task_is_healthy_before_the_old_one_stops(site: Site) -> None:
    """A flip of one task with tracing keeps a healthy task at every moment, and ends with the new revision alone."""
    node = site.node()
    waiting = app(dependsOn=[{"containerName": "envoy", "condition": "HEALTHY"}])
    traced = envoy(node, dependsOn=[{"containerName": "xray", "condition": "START"}])
    site.create(site.define(waiting, envoy(node)), deploymentConfiguration=BREAKER)
    site.stable()
    old = site.tasks()[0]
    new_definition = site.define(waiting, traced, xray())

    updated = site.update(taskDefinition=new_definition)
    assert [(item["status"], item["rolloutState"]) for item in updated["deployments"]] == [
        ("PRIMARY", "IN_PROGRESS"),
        ("ACTIVE", "COMPLETED"),
    ]
    service = site.stable()

    assert service["taskDefinition"] == new_definition
    assert [item["taskDefinition"] for item in service["deployments"]] == [new_definition]
    new = site.tasks()[0]
    assert (new["taskDefinitionArn"], new["healthStatus"]) == (new_definition, "HEALTHY")
    stopped = site.described(old["taskArn"])[0]
    assert new["startedAt"] <= stopped["stoppingAt"]
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert stopped["stoppedReason"] == f"Scaling activity initiated by (deployment {old['startedBy']})"


def test_only_a_change_makes_a_deployment(site: Site) -> None:
    """The same values, another count or other percentages deploy nothing; force and another network do."""
    definition = site.define()
    site.create(definition)
    first = site.stable()["deployments"][0]["id"]

    site.update(taskDefinition=definition, desiredCount=1, networkConfiguration=site.network())
    site.update(desiredCount=2, deploymentConfiguration={"maximumPercent": 150})
    assert [item["id"] for item in site.stable()["deployments"]] == [first]

    site.update(forceNewDeployment=True)
    second = site.stable()["deployments"][0]["id"]
    site.update(networkConfiguration={"awsvpcConfiguration": {"subnets": list(site.subnets.values())[:1]}})
    third = site.stable()["deployments"][0]["id"]
    assert len({first, second, third}) == 3


@pytest.mark.parametrize(
    ("containers", "event"),
    [
        pytest.param([app(), xray(region="")], None, id="a daemon without a region"),
        pytest.param(
            [app(image="public.ecr.aws/aws-containers/ecsdemo-cristal:latest")],
            "was unable to place a task. Reason: CannotPullContainerError",
            id="an image that is not there",
        ),
        pytest.param(
            [app(), envoy("arn:aws:appmesh:us-east-1:123456789012:mesh/m/virtualNode/none")],
            "failed container health checks.",
            id="an Envoy that the mesh does not know",
        ),
    ],
)
def test_the_circuit_breaker_rolls_back(site: Site, containers: list[dict[str, Any]], event: str | None) -> None:
    """After three failures the last good deployment is PRIMARY again, its task untouched all along."""
    good_definition = site.define()
    site.create(good_definition, deploymentConfiguration=BREAKER)
    good = site.stable()["deployments"][0]["id"]
    task = site.tasks()[0]["taskArn"]
    bad_definition = site.define(*containers)

    bad = site.update(taskDefinition=bad_definition)["deployments"][0]["id"]
    service = site.stable()

    assert [(item["id"], item["rolloutState"]) for item in service["deployments"]] == [(good, "COMPLETED")]
    assert service["taskDefinition"] == good_definition
    assert [item["taskArn"] for item in site.tasks()] == [task]
    said = messages(service)
    assert f"(deployment {bad}) deployment failed: tasks failed to start." in said
    assert f"rolling back to deployment {good}." in said
    assert event is None or any(event in message for message in said)
    past = site.ecs.list_service_deployments(cluster=site.cluster, service="crystal")["serviceDeployments"]
    assert [item["status"] for item in past] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    assert past[0]["statusReason"] == "ECS deployment circuit breaker: tasks failed to start."


def test_a_failed_deployment_can_be_described(site: Site) -> None:
    """DescribeServiceDeployments tells of the breaker, DescribeServiceRevisions of what was to run."""
    site.create(site.define(), deploymentConfiguration=BREAKER)
    site.stable()
    bad = site.define(app(), xray(region=""))
    site.update(taskDefinition=bad)
    site.stable()

    brief = site.ecs.list_service_deployments(cluster=site.cluster, service="crystal")["serviceDeployments"][0]
    described = site.ecs.describe_service_deployments(serviceDeploymentArns=[brief["serviceDeploymentArn"]])
    breaker = described["serviceDeployments"][0]["deploymentCircuitBreaker"]
    assert breaker == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    revision = brief["targetServiceRevisionArn"]
    revisions = site.ecs.describe_service_revisions(serviceRevisionArns=[revision])["serviceRevisions"]
    assert [item["taskDefinition"] for item in revisions] == [bad]


def test_without_rollback_the_deployment_stays_failed(site: Site) -> None:
    """The breaker without rollback ends the attempts; the old task runs on, and the next update starts afresh."""
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    site.create(site.define(), deploymentConfiguration=breaker)
    site.stable()
    site.update(taskDefinition=site.define(app(), xray(region="")))

    site.until(site.service, lambda found: found["deployments"][0]["rolloutState"] == "FAILED")
    service = site.until(site.service, lambda found: found["runningCount"] == 1)
    assert service["deployments"][0]["rolloutState"] == "FAILED"
    assert service["deployments"][0]["failedTasks"] == 3
    assert service["deployments"][0]["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."

    repaired = site.define(app(), xray())
    site.update(taskDefinition=repaired)
    assert site.stable()["deployments"][0]["taskDefinition"] == repaired


def test_without_the_breaker_it_keeps_trying(site: Site) -> None:
    """More than three failures, each a new task, the old one kept; a mended definition then goes through."""
    site.create(site.define())
    site.stable()
    site.update(taskDefinition=site.define(app(), xray(region="")))

    service = site.until(site.service, lambda found: found["deployments"][0]["failedTasks"] > 3)
    assert service["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert service["runningCount"] >= 1
    assert any("is unable to consistently start tasks successfully" in message for message in messages(service))

    site.update(taskDefinition=site.define(app(), xray()))
    assert site.stable()["runningCount"] == 1


def test_a_task_that_was_stopped_is_replaced(site: Site) -> None:
    """Someone stops a service's task: another one comes, in the same deployment."""
    site.create(site.define())
    before = site.stable()["deployments"][0]["id"]
    stopped = site.tasks()[0]["taskArn"]

    site.ecs.stop_task(cluster=site.cluster, task=stopped)
    site.ended(stopped)
    after = site.stable()

    assert after["deployments"][0]["id"] == before
    assert [task["taskArn"] == stopped for task in site.tasks()] == [False]


def test_a_rollout_goes_on_after_a_restart(fresh: Instance) -> None:
    """The server ends in the middle of a rollout and comes back: the rollout completes, with nothing started twice."""
    fresh.start()
    site = Site(partial(client_of, fresh))
    site.create(site.define(), desiredCount=3)
    site.stable()
    new = site.define()
    site.update(taskDefinition=new)

    fresh.stop()
    fresh.start()

    service = site.stable()
    assert [item["taskDefinition"] for item in service["deployments"]] == [new]
    assert [task["taskDefinitionArn"] for task in site.tasks()] == [new] * 3
    stopped = [task["taskDefinitionArn"] for task in site.tasks(desired="STOPPED")]
    assert new not in stopped
    assert len(stopped) == 3
