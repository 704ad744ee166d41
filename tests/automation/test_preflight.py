"""Before anything is changed in an account: everything that would be in the way is told, each with its remedy."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from automation.environment import Environment
from automation.environments import Common
from automation.errors import EngineError, UsageError
from automation.preflight import Preflight
from automation.stackfiles import StackFiles
from services.settings import Settings
from tests.automation import account
from tests.automation.account import ACCOUNT, CALLER, Account, Answer, Asked

SERVICES = ("platform", "crystal", "nodejs", "frontend")


class Backend:
    """What preflight asks of the engine."""

    def __init__(self, url: str, *, deployed: Sequence[str] = (), updating: Sequence[str] = ()) -> None:
        self._url, self._deployed, self._updating = url, deployed, updating

    def backend(self) -> tuple[str, str]:
        return self._url, "ann"

    def stacks(self) -> dict[str, int]:
        return {f"prod-{service}": 10 for service in self._deployed}

    def updating(self) -> list[str]:
        return list(self._updating)


class Lost(Backend):
    """A backend that can't be reached."""

    def backend(self) -> tuple[str, str]:
        raise EngineError("Pulumi could not say where the state is: no such host")

    def stacks(self) -> dict[str, int]:
        raise EngineError("Pulumi could not list the stacks: no such host")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Callable[[Asked], Answer]]]:
    """The answers of an account of one's own, by action; they may be changed."""
    made: Any = type("Told", (Account,), {"answers": dict(account.ANSWERS)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    yield made.answers
    server.shutdown()
    server.server_close()


def look(folder: Path, engine: Backend | None = None, **given: Any) -> list[str]:
    """What is told of an environment with these settings for its four stacks; raises what is in the way."""
    told: list[str] = []
    wanted = given.pop("account", None)
    name, segment = given.pop("name", "prod"), given.pop("test_segment", False)
    common = Common(place="environments/prod.yaml", account=wanted, config=given.pop("config", {}))
    environment = Environment(
        name=name,
        region="eu-west-1",
        files=StackFiles(folder, name, common=common),
        runs=folder,
        poll_seconds=1,
        account=wanted,
    )
    settings = Settings(**{"region": "eu-west-1", "mesh": "envoy", **given})
    made: Any = engine or Backend("https://api.pulumi.com/me")
    preflight = Preflight(
        environment=environment, settings=dict.fromkeys(SERVICES, settings), engine=made, test_segment=segment
    )
    preflight.check(told.append)
    return told


def refused(folder: Path, engine: Backend | None = None, **given: Any) -> tuple[str, str]:
    """The one thing in the way, and its remedy."""
    with pytest.raises(UsageError) as error:
        look(folder, engine, **given)
    return str(error.value), str(error.value.next_command)


@pytest.mark.usefixtures("aws")
def test_where_nothing_is_in_the_way_it_is_told_who_deploys_where(tmp_path: Path) -> None:
    """Account, region, caller and the place of the state; nothing else."""
    assert look(tmp_path, mesh="appmesh", account=ACCOUNT) == [
        f"Account {ACCOUNT}, region eu-west-1, as {CALLER}.",
        "Pulumi's state is in https://api.pulumi.com/me, seen as ann.",
    ]


def test_at_home_there_is_nothing_to_look_for(tmp_path: Path) -> None:
    """No call is made in the local environment."""
    assert look(tmp_path, mesh="appmesh", name="local") == []


@pytest.mark.usefixtures("aws")
def test_another_account(tmp_path: Path) -> None:
    """Both are named, and where the wanted one is written."""
    message, remedy = refused(tmp_path, account="210987654321")
    assert (
        message == f"These are credentials of account {ACCOUNT}, but environments/prod.yaml says account 210987654321."
    )
    assert remedy.startswith("export AWS_PROFILE=")


def test_credentials_that_do_not_hold(aws: dict[str, Any], tmp_path: Path) -> None:
    """Are told with AWS's own reason."""
    expired = (
        "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The token is expired</Message></Error></ErrorResponse>"
    )
    aws["GetCallerIdentity"] = lambda _: (403, expired)
    message, remedy = refused(tmp_path)
    assert message.startswith("AWS does not know who is asking")
    assert "The token is expired" in message
    assert remedy == "aws sts get-caller-identity"


def test_an_app_mesh_that_has_ended(aws: dict[str, Any], tmp_path: Path) -> None:
    """The date and the one setting to change; what is deployed has to move. Who is not in it does not miss it."""
    gone = json.dumps({"__type": "AccessDeniedException", "message": "App Mesh is no longer available"})
    aws["/v20190125/meshes"] = lambda _: (403, gone)
    message, remedy = refused(tmp_path, mesh="appmesh")
    assert message.startswith("'prod-platform' is in App Mesh, which AWS ended on 2026-09-30")
    assert "no longer available" in message
    assert remedy == "python automation/enable.py --mesh envoy --env prod"
    _, remedy = refused(tmp_path, mesh="appmesh", config={"ecs-tracing:mesh": "appmesh"})
    assert remedy == "set `mesh: envoy` in environments/prod.yaml"

    _, remedy = refused(tmp_path, Backend("file://x", deployed=SERVICES), mesh="appmesh")
    assert remedy == "python automation/migrate.py --to envoy --forget-app-mesh --env prod"
    assert len(look(tmp_path, mesh="envoy")) == 2


def test_an_app_mesh_that_is_busy(aws: dict[str, Any], tmp_path: Path) -> None:
    """Has not ended: that nobody knows is a remark."""
    busy = json.dumps({"__type": "TooManyRequestsException", "message": "slow down"})
    aws["/v20190125/meshes"] = lambda _: (429, busy)
    assert "Whether App Mesh is still there was not found out" in "".join(look(tmp_path, mesh="appmesh"))


def test_an_app_mesh_that_is_not_there_at_all(
    aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its endpoint gone from DNS, or refusing connections."""
    assert aws
    monkeypatch.setenv("AWS_ENDPOINT_URL_APP_MESH", "http://127.0.0.1:9")
    assert "which AWS ended on 2026-09-30" in refused(tmp_path, mesh="appmesh")[0]


def test_rights_that_the_caller_lacks(aws: dict[str, Any], tmp_path: Path) -> None:
    """By name; IAM is asked about the role behind the session, about its resources, and under their conditions."""
    questions: list[Asked] = []

    def answer(asked: Asked) -> Answer:
        questions.append(asked)
        return account.simulated(asked, ("iam:PassRole", "ecs:CreateService"))

    aws["SimulatePrincipalPolicy"] = answer
    message, remedy = refused(tmp_path)
    assert message == f"{CALLER} may not do ecs:CreateService, iam:PassRole."
    assert "file://docs/caller-policy.json" in remedy

    assert {asked["PolicySourceArn"][0] for asked in questions} == {account.ROLE}
    passing = [asked for asked in questions if asked["ActionNames.member.1"] == ["iam:PassRole"]]
    assert {asked["ResourceArns.member.1"][0] for asked in passing} == {
        f"arn:aws:iam::{ACCOUNT}:role/x-task-role-x",
        f"arn:aws:iam::{ACCOUNT}:role/x-execution-role-x",
    }
    assert {value for (value,) in passing[0].values()} >= {"ecs-tasks.amazonaws.com", "eu-west-1"}
    resources = {asked.get("ResourceArns.member.1", ["*"])[0] for asked in questions}
    assert f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/container-demo" in resources
    assert f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:x-logs-x" in resources
    asked_for = {value for asked in questions for (value,) in asked.values()}
    assert not [each for each in asked_for if each.startswith(("appmesh:", "application-autoscaling:", "ssm:"))]


def test_rights_that_nobody_may_ask_for(aws: dict[str, Any], tmp_path: Path) -> None:
    """Are a remark; the deployment goes on. Without the path of its role it is asked about without."""
    aws["GetRole"] = lambda _: account.denied("GetRole")
    principals: set[str] = set()

    def answer(asked: Asked) -> Answer:
        principals.add(asked["PolicySourceArn"][0])
        return account.simulated(asked)

    aws["SimulatePrincipalPolicy"] = answer
    assert len(look(tmp_path)) == 2
    assert principals == {f"arn:aws:iam::{ACCOUNT}:role/deployer"}

    aws["SimulatePrincipalPolicy"] = lambda _: account.denied("SimulatePrincipalPolicy")
    assert look(tmp_path)[1].startswith("Whether the caller has the rights to deploy was not found out")


def test_rights_that_a_deployment_does_without(aws: dict[str, Any], tmp_path: Path) -> None:
    """Are a remark, too; and what hangs on conditions that nobody knows here is not held against the caller."""
    aws["SimulatePrincipalPolicy"] = lambda asked: account.simulated(asked, ("xray:BatchGetTraces",))
    assert "may not do xray:BatchGetTraces" in look(tmp_path)[1]

    missing = "</EvalDecision><MissingContextValues><member>aws:MultiFactorAuthPresent</member></MissingContextValues>"

    def unknown(asked: Asked) -> Answer:
        status, body = account.simulated(asked, ("ecs:CreateService",))
        return status, body.replace("implicitDeny</EvalDecision>", f"implicitDeny{missing}")

    aws["SimulatePrincipalPolicy"] = unknown
    assert len(look(tmp_path)) == 2


@pytest.mark.parametrize(
    ("action", "answer", "told"),
    [
        (
            "DescribeAddresses",
            account.many("DescribeAddresses", "<publicIp>1.2.3.4</publicIp>", 3),
            (
                "3 Elastic IP addresses are needed; the account may have 5 in eu-west-1 and has 3.",
                "L-0263D0A3 --desired-value 6",
            ),
        ),
        (
            "DescribeNatGateways",
            account.many("DescribeNatGateways", "<subnetId>subnet-1</subnetId>", 5),
            (
                "1 NAT gateways in a zone are needed; the account may have 5 in eu-west-1 and has 5.",
                "L-FE5A380F --desired-value 6",
            ),
        ),
        (
            "DescribeVpcs",
            account.many("DescribeVpcs", "<vpcId>vpc-1</vpcId>", 5),
            (
                "1 VPCs are needed; the account may have 5 in eu-west-1 and has 5.",
                "L-F678F1CE --desired-value 6",
            ),
        ),
        (
            "GetMetricStatistics",
            (200, json.dumps({"Datapoints": [{"Timestamp": 1e9, "Maximum": 5.0}, {"Timestamp": 1, "Maximum": 0}]})),
            (
                "2 vCPUs of Fargate are needed; the account may have 6 in eu-west-1 and has 5.",
                "L-3032A538 --desired-value 7",
            ),
        ),
    ],
)
def test_a_quota_without_room(
    aws: dict[str, Any], tmp_path: Path, action: str, answer: Answer, told: tuple[str, str]
) -> None:
    """How many are needed, allowed and there, and how to ask for more; what is deployed already needs none."""
    aws[action] = lambda _: answer
    message, remedy = refused(tmp_path)
    assert message == told[0]
    assert f"--quota-code {told[1]} " in remedy
    assert len(look(tmp_path, Backend("file://x", deployed=SERVICES))) == 2


def test_a_nat_gateway_of_a_whole_region_is_in_no_zone(aws: dict[str, Any], tmp_path: Path) -> None:
    """It does not count against that quota."""
    aws["DescribeNatGateways"] = lambda _: account.many("DescribeNatGateways", "<natGatewayId>nat-1</natGatewayId>", 9)
    assert len(look(tmp_path)) == 2


def test_a_quota_that_the_account_has_no_own_value_for(aws: dict[str, Any], tmp_path: Path) -> None:
    """AWS's default holds; a quota that nobody may ask for is a remark."""
    aws["GetServiceQuota"] = lambda _: (400, json.dumps({"__type": "NoSuchResourceException"}))
    assert len(look(tmp_path)) == 2
    aws["GetServiceQuota"] = lambda _: (400, json.dumps({"__type": "AccessDeniedException", "message": "no"}))
    remarks = look(tmp_path)
    assert "Whether there is room for 3 Elastic IP addresses was not found out" in "\n".join(remarks)


@pytest.mark.usefixtures("aws")
def test_a_stack_that_another_update_holds(tmp_path: Path) -> None:
    """Who holds it, where the backend tells: a folder or a bucket has a file of it, Pulumi Cloud says so."""
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "ecs-tracing" / "prod-nodejs"
    folder.mkdir(parents=True)
    lock = {"pid": 7, "username": "ann", "hostname": "desk", "timestamp": "2026-11-01T12:00:00Z"}
    (folder / "1.json").write_text(json.dumps(lock), encoding="utf-8")

    message, remedy = refused(tmp_path, Backend(f"file://{tmp_path}"))
    assert message.startswith("'prod-nodejs' is locked")
    assert message.endswith("ann on desk, process 7, since 2026-11-01T12:00:00Z.")
    assert remedy.startswith("pulumi cancel --stack prod-nodejs")
    message, _ = refused(tmp_path, Backend("https://api.pulumi.com/me", updating=["prod-crystal", "dev-nodejs"]))
    assert message.startswith("'prod-crystal' is locked")


@pytest.mark.usefixtures("aws")
def test_a_backend_whose_locks_cannot_be_seen(tmp_path: Path) -> None:
    """Is said to be one."""
    assert look(tmp_path, Backend("gs://state"))[-1] == "Whether a stack is locked can't be seen there."


@pytest.mark.usefixtures("aws")
def test_a_backend_that_cannot_be_reached(tmp_path: Path) -> None:
    """With Pulumi's own reason."""
    message, remedy = refused(tmp_path, Lost(""), mesh="envoy", account=ACCOUNT)
    assert "no such host" in message
    assert remedy.startswith("pulumi login")


def test_a_segment_is_written_if_asked(aws: dict[str, Any], tmp_path: Path) -> None:
    """What X-Ray says of it is told."""
    assert look(tmp_path, test_segment=True)[-1].startswith("X-Ray took a test segment: trace 1-")
    unprocessed = {"UnprocessedTraceSegments": [{"ErrorCode": "Throttled", "Message": "too many"}]}
    aws["/TraceSegments"] = lambda _: (200, json.dumps(unprocessed))
    message, remedy = refused(tmp_path, test_segment=True)
    assert message == "X-Ray does not take a segment (too many)."
    assert remedy.startswith("aws xray put-trace-segments")


def test_all_that_is_in_the_way_is_told_at_once(aws: dict[str, Any], tmp_path: Path) -> None:
    """One error, each line with its remedy."""
    aws["DescribeVpcs"] = lambda _: account.many("DescribeVpcs", "<vpcId>vpc-1</vpcId>", 5)
    message, _ = refused(tmp_path, account="210987654321")
    assert message.startswith("2 things are in the way of a deployment, and nothing was changed:")
    assert [line.strip()[:25] for line in message.splitlines()[1:]] == [
        "- These are credentials o",
        "export AWS_PROFILE=…   (a",
        "- 1 VPCs are needed; the ",
        "aws service-quotas reques",
    ]
