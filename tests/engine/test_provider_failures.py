"""The aws stand-in under the real engine when AWS, or the program, is not as it should be."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.instance import Instance
from localaws.plugins import install
from tests.engine.project import Project

pytestmark = pytest.mark.engine

LOGS = """
    from pulumi_aws import cloudwatch

    cloudwatch.LogGroup("logs", name="{name}", retention_in_days=7)
"""
TYPO = """
    from pulumi_aws import ecs

    ecs.Cluster("cluster", settings=[{"name": "containerInsights", "valeu": "enabled"}])
"""
LABEL = "CloudWatch Logs Log Group"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    own = Instance(tmp_path_factory.mktemp("aws"))
    own.start()
    yield own
    own.stop()


@pytest.fixture
def project(instance: Instance, tmp_path: Path) -> Project:
    made = Project(tmp_path / "project", instance.environment())
    install(made.folder / "home")
    return made


def fault(project: Project, **what: Any) -> None:
    """Make the embedded AWS fail once, as described."""
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{project.environment['AWS_ENDPOINT_URL']}/_localaws/faults",
        data=json.dumps([{"times": 1, **what}]).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()


def test_half_made_resources_are_kept_and_finished(project: Project) -> None:
    """What exists when its create fails is in the state, the reason is one line, and the next update finishes it."""
    project.program(LOGS.format(name="half-made"))
    fault(project, service="logs", operation="PutRetentionPolicy", status=400, code="OperationAbortedException")

    shown = project.pulumi("up", "--yes", "--skip-preview", exits=255)

    assert f"creating {LABEL} (half-made): operation error CloudWatch Logs: PutRetentionPolicy, " in shown
    assert "Traceback" not in shown
    assert ["half-made"] == [resource["id"] for resource in project.resources()]
    assert "~ 1 updated" in project.pulumi("up", "--yes", "--skip-preview")
    assert [7] == [resource["outputs"]["retentionInDays"] for resource in project.resources()]


def test_aws_saying_no_is_one_line(project: Project) -> None:
    """An error of AWS names what was being done, the operation, the status and AWS's own words."""
    project.program(LOGS.format(name="refused"))
    fault(project, service="logs", operation="CreateLogGroup", status=400, code="InvalidParameterException")

    shown = project.pulumi("up", "--yes", "--skip-preview", exits=255)

    assert (
        f"creating {LABEL} (refused): operation error CloudWatch Logs: CreateLogGroup, "
        "https response error StatusCode: 400, InvalidParameterException: "
    ) in shown
    assert [] == project.resources()


def test_a_typo_is_named_before_anything_is_made(project: Project) -> None:
    """A property that does not exist fails the preview, with the place and the nearest one that does."""
    project.program(TYPO)

    shown = project.pulumi("preview", exits=255)

    assert "property settings[0].valeu" in shown
    assert "did you mean `value`?" in shown


def test_one_resource_imports_by_hand(project: Project) -> None:
    """`pulumi import` on the command line adopts one resource into a stack."""
    project.program(LOGS.format(name="adopted"))
    project.pulumi("up", "--yes", "--skip-preview")
    project.pulumi("stack", "init", "other")

    project.pulumi(
        "import",
        "aws:cloudwatch/logGroup:LogGroup",
        "logs",
        "adopted",
        "--generate-code=false",
        "--yes",
        "--protect=false",
    )

    assert [7] == [resource["outputs"]["retentionInDays"] for resource in project.resources()]
    assert "2 unchanged" in project.pulumi("preview")  # the stack itself is counted too
