"""The command line of a review: what it prints, what it answers, and how it fails."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from automation import traces
from automation.cli import main
from automation.environment import Environment
from automation.stackfiles import StackFiles
from tests.localaws.support import until
from tests.traces import fake_xray
from tests.traces.fake_xray import SUMMARIES, Call, FakeXRay, served

ROOT = Path(__file__).parents[2]
TRACE_ID = "1-58406520-a006649127e371903a2de979"


@dataclass(frozen=True)
class Ended:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Ended]


@pytest.fixture
def fake() -> Iterator[FakeXRay]:
    """An X-Ray that saw the workshop's page a few times in the last minutes."""
    now = int(time.time())
    with served(FakeXRay()) as running:
        for second in range(60, 300, 10):
            running.calls += [
                Call(now - second, "", "ecs-mesh/frontend", 30, 200),
                Call(now - second, "ecs-mesh/frontend", "ecs-mesh/nodejs", 7, 503 if second % 100 == 0 else 200),
            ]
        running.documents = {TRACE_ID: ['{"id": "a", "name": "ecs-mesh/frontend", "start_time": 1.0, "end_time": 1.1}']}
        yield running


@pytest.fixture
def run(fake: FakeXRay, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run ``traces.py ARGUMENTS…`` in this process, on an environment whose X-Ray is the fake one."""
    for name, value in {
        "AWS_ENDPOINT_URL_XRAY": fake.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "NO_PROXY": "*",
        "COLUMNS": "80",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    def resolved(name: str, _say: object) -> Environment:
        files = StackFiles(tmp_path, name)
        return Environment(name=name, region="us-east-1", files=files, runs=tmp_path, poll_seconds=1)

    monkeypatch.setattr(traces, "resolve", resolved)

    def ended(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["automation/traces.py", *arguments])
        with pytest.raises(SystemExit) as exited:
            main(traces.traces)
        captured = capsys.readouterr()
        return Ended(int(exited.value.code or 0), captured.out, captured.err)

    return ended


@pytest.mark.parametrize(
    "arguments",
    [
        ("map",),
        ("latency",),
        ("latency", "--service", "frontend"),
        ("latency", "--edge", "frontend", "nodejs"),
        ("list",),
        ("show", TRACE_ID),
        ("compare", "--before", "-6m..-3m", "--after", "-3m..now"),
    ],
)
def test_every_command_prints_a_view_or_one_document(run: Command, arguments: tuple[str, ...]) -> None:
    """Without escape codes where nobody is at a terminal; with --json stdout is one document and nothing else."""
    seen = run(*arguments)
    assert (0, "") == (seen.code, seen.err)
    assert "ecs-mesh/frontend" in seen.out
    assert "\x1b" not in seen.out
    told = run(*arguments, "--json")
    assert (0, "") == (told.code, told.err)
    head = {key: told.document[key] for key in ("command", "environment", "complete", "missing")}
    assert {"command": f"traces {arguments[0]}", "environment": "local", "complete": True, "missing": []} == head


def test_the_map_as_json(run: Command) -> None:
    """Nodes, clients among them, and edges; the numbers that the view shows."""
    document = run("map", "--json").document
    nodes = {(node["name"], node["type"]): node for node in document["nodes"]}
    assert None is nodes["ecs-mesh/frontend", "client"]["statistics"]
    nodejs = nodes["ecs-mesh/nodejs", "AWS::AppMesh::Proxy"]
    assert {"ok": 22, "error": 0, "throttle": 0, "fault": 2} == nodejs["statistics"]["counts"]
    assert 0.007 == pytest.approx(nodejs["statistics"]["average"])
    assert 2.4 == pytest.approx(nodejs["statistics"]["tracesPerMinute"], rel=0.01)
    assert 0.007 == nodejs["latency"]["p99"]
    assert {("ecs-mesh/frontend", "ecs-mesh/nodejs"), ("ecs-mesh/frontend", "ecs-mesh/frontend")} == {
        (edge["source"]["name"], edge["target"]["name"]) for edge in document["edges"]
    }


def test_a_list_is_filtered_and_limited(run: Command, fake: FakeXRay) -> None:
    """The filter goes to X-Ray; the limit bounds what is listed, not what is counted."""
    document = run("list", "--filter", "fault", "--limit", "3", "--json").document
    assert {"fault"} == {body["FilterExpression"] for body in fake.asked_for(SUMMARIES)}
    assert (48, 3) == (document["count"], len(document["traces"]))
    assert [24, 24] == [group["traces"] for group in document["groups"]]


def test_a_trace_as_json(run: Command) -> None:
    """The tree of its segments."""
    document = run("show", TRACE_ID, "--json").document
    segment = document["traces"][0]["segments"][0]
    assert ("ecs-mesh/frontend", 0.0, "ok") == (segment["name"], segment["offset"], segment["state"])
    assert 0.1 == pytest.approx(segment["duration"])


def test_what_is_missing_is_told_with_exit_code_3(run: Command) -> None:
    """In the view, and in the document."""
    unknown = "1-58406520-000000000000000000000000"
    missing = f"trace {unknown}: X-Ray does not have it"
    seen = run("show", TRACE_ID, unknown)
    assert 3 == seen.code
    assert missing in seen.out
    told = run("show", TRACE_ID, unknown, "--json")
    assert (3, False, [missing]) == (told.code, told.document["complete"], told.document["missing"])
    assert missing in told.err


def test_nothing_at_all_is_an_error(run: Command) -> None:
    """Exit code 1, one line, the next command."""
    ended = run("show", "1-58406520-000000000000000000000000")
    assert (1, "") == (ended.code, ended.out)
    assert ended.err.startswith(
        "error: Nothing to show: trace 1-58406520-000000000000000000000000: X-Ray does not have it."
    )
    assert "next: python automation/traces.py list" in ended.err


def test_an_empty_range_says_where_to_look(run: Command, fake: FakeXRay) -> None:
    """It is no error that nobody called."""
    fake.calls = []
    ended = run("map")
    assert 0 == ended.code
    assert "No traces in this range." in ended.out
    assert "python automation/status.py" in ended.out


@pytest.mark.parametrize(
    ("arguments", "told", "following"),
    [
        (("map", "--last", "10"), "--last: '10' is no duration", "map --help"),
        (("map", "--since", "noon"), "--since: 'noon' is no time", "map --help"),
        (("latency", "--service", "nope"), "There is: ecs-mesh/frontend (AWS::AppMesh::Proxy);", "latency --help"),
        (("latency", "--edge", "nodejs", "frontend"), "No edge from 'nodejs' to 'frontend'", "latency --help"),
        (("latency", "--service", "a", "--edge", "a", "b"), "exclude each other", "latency --help"),
        (("show", "abc"), "'abc' is no trace id", "list"),
        (("show",), "Missing argument", "show --help"),
        (("compare", "--before", "x", "--after", "-1m..now"), "--before: 'x' is no range", "compare --help"),
        (("compare", "--before", "-1m..now"), "--before and --after, or --run alone", "compare --help"),
        (("nonsense",), "No such command 'nonsense'", "--help"),
        ((), "Missing command", "--help"),
    ],
)
def test_a_mistake_is_one_error_with_the_next_command(
    run: Command, arguments: tuple[str, ...], told: str, following: str
) -> None:
    """Exit code 2; with --json the error is the document."""
    ended = run(*arguments)
    assert (2, "") == (ended.code, ended.out)
    assert ended.err.startswith("error: ")
    assert told in ended.err
    assert ended.err.splitlines()[-1].endswith(f"next: python automation/traces.py {following}")


def test_a_mistake_as_json(run: Command) -> None:
    """Machines read why."""
    ended = run("map", "--last", "10", "--json")
    assert (2, 2) == (ended.code, ended.document["exitCode"])
    assert "no duration" in ended.document["error"]


def test_a_refused_filter_is_the_users_mistake(run: Command, fake: FakeXRay) -> None:
    """X-Ray's reason, and exit code 2."""
    refused = fake_xray.refusal(400, "InvalidRequestException", "Invalid character at 3")
    fake.trouble = lambda _path, _body: refused
    ended = run("list", "--filter", "a = = b")
    assert 2 == ended.code
    assert "X-Ray refuses the filter 'a = = b': Invalid character at 3" in ended.err


def test_a_denied_call_is_not(run: Command, fake: FakeXRay) -> None:
    """Exit code 1, with the action and the policy."""
    fake.trouble = lambda _path, _body: fake_xray.DENIED
    ended = run("map")
    assert 1 == ended.code
    assert "xray:GetServiceGraph" in ended.err
    assert "AWSXrayReadOnlyAccess" in ended.err


def test_help_teaches(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command has examples that name it, and its exit codes."""
    for name in traces.traces.commands:
        monkeypatch.setattr(sys, "argv", ["automation/traces.py", name, "--help"])
        main(traces.traces)
        told = capsys.readouterr().out
        assert f"  python automation/traces.py {name}" in told.split("Examples:")[1]
        assert "read in part" in told.split("Exit codes:")[1]


def script(fake: FakeXRay, state: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The script as people run it: by its path, on an embedded AWS whose X-Ray is the fake one."""
    variables = {**os.environ, "AWS_ENDPOINT_URL_XRAY": fake.endpoint, "LOCALAWS_STATE": str(state), "NO_PROXY": "*"}
    command = [sys.executable, "automation/traces.py", *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """The state folder of an embedded AWS, stopped in the end."""
    folder = tmp_path / "state"
    yield folder
    stop = [sys.executable, "-m", "localaws", "stop", "--state", str(folder)]
    subprocess.run(stop, cwd=ROOT, capture_output=True, timeout=60, check=True)


def test_ctrl_c_ends_it_at_once(fake: FakeXRay, state: Path) -> None:
    """A call that hangs is not waited for; the exit code is that of an interrupted command."""
    fake.hangs = lambda _path, _body: True
    with script(fake, state, "map", "--last", "2d") as running:
        until(lambda: fake.asked or running.poll() is not None)
        interrupted = time.monotonic()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (130, "") == (running.returncode, out)
    assert "error: interrupted" in err
    assert "Traceback" not in err
    assert time.monotonic() - interrupted < 15


def test_a_reader_that_leaves_early_gets_no_traceback(fake: FakeXRay, state: Path) -> None:
    """As in ``traces.py list --json | head -1``."""
    now = int(time.time())
    fake.calls = [Call(now - 60 - number // 50, "", "a", number, 200) for number in range(2000)]
    with script(fake, state, "list", "--json", "--limit", "2000") as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert "{\n" == running.stdout.readline()
        running.stdout.close()
        assert "Traceback" not in running.stderr.read()
