"""Starting, finding and stopping the embedded AWS."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from localaws.errors import LocalAwsError
from localaws.instance import Instance, Status
from tests.localaws.support import client_of, send, until


def listening() -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken


def test_a_started_instance_answers_on_loopback(instance: Instance) -> None:
    """The status names the loopback address, where the health check answers."""
    status = instance.status()

    assert status.running
    assert status.endpoint is not None
    assert status.endpoint.startswith("http://127.0.0.1:")
    assert send(instance, "GET", "/_localaws/health") == (200, '{"ok": true}')


def test_starting_twice_gives_the_same_server(instance: Instance) -> None:
    """A second start finds the first one's server."""
    assert instance.status() == instance.start()


def test_a_stopped_instance_does_not_run(fresh: Instance) -> None:
    """Stop says whether there was anything to stop."""
    assert not fresh.stop()
    fresh.start()
    assert fresh.stop()
    assert not fresh.status().running
    assert not fresh.stop()


def test_asking_for_the_status_leaves_no_trace(fresh: Instance) -> None:
    """Status neither starts anything nor makes the state folder."""
    assert not fresh.status().running
    assert not fresh.state.exists()


def test_starts_at_the_same_time_give_one_server(fresh: Instance) -> None:
    """Of three processes that start at once, all get the same server."""
    command = [sys.executable, "-m", "localaws", "start", "--json", "--state", str(fresh.state)]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    pids = {json.loads(start.communicate()[0])["pid"] for start in starts}

    assert {fresh.status().pid} == pids


def test_a_killed_server_is_told_from_a_living_one(fresh: Instance) -> None:
    """After SIGKILL the record is still there, and yet the status is right and a start works."""
    pid = fresh.start().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not fresh.status().running)

    assert fresh.start().pid != pid


def test_a_server_that_is_only_ending_is_waited_for(fresh: Instance) -> None:
    """GIVEN a killed server is not quite gone WHEN started again THEN another one is, once it is."""
    pid = fresh.start().pid
    assert pid is not None
    with (fresh.state / "server.json").open() as record:
        os.kill(pid, signal.SIGKILL)
        fcntl.flock(record, fcntl.LOCK_EX)  # as the kernel holds it while it clears the process away
        with ThreadPoolExecutor() as pool:
            started = pool.submit(fresh.start)
            assert not wait([started], timeout=0.5).done
            fcntl.flock(record, fcntl.LOCK_UN)
            assert started.result().pid != pid
    assert fresh.environment()


def test_a_process_id_used_by_another_program_is_not_taken_for_the_server(fresh: Instance) -> None:
    """A record that names a living process of another kind counts for nothing, and that process is left alone."""
    fresh.state.mkdir()
    record = {
        "port": 1,
        "endpoint": "http://127.0.0.1:1",
        "pid": os.getpid(),
        "started_at": "2026-01-01T00:00:00+00:00",
    }
    (fresh.state / "server.json").write_text(json.dumps(record))

    assert not fresh.status().running
    assert not fresh.stop()


def test_a_port_in_use_is_named_with_the_way_out(fresh: Instance) -> None:
    """Asked for a taken port, it says which and what to do instead."""
    with listening() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            LocalAwsError, match=f"Port {port} of 127.0.0.1 is in use.*python -m localaws start --state"
        ):
            fresh.start(port)


def test_the_port_stays_while_it_is_free(fresh: Instance) -> None:
    """A restart takes the port of last time, or another one where someone has taken it."""
    first = fresh.start().endpoint
    fresh.stop()
    assert first == fresh.start().endpoint
    fresh.stop()

    assert first is not None
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", int(first.rpartition(":")[2])))
        taken.listen()
        assert first != fresh.start().endpoint


def test_a_running_instance_does_not_move(instance: Instance) -> None:
    """Asked for another port than the one it runs on, it says how to move it."""
    with pytest.raises(LocalAwsError, match=r"It already runs at .*python -m localaws stop"):
        instance.start(1)


def test_a_folder_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    """A file where the state folder should be gives one clear error."""
    blocked = tmp_path / "file"
    blocked.touch()

    with pytest.raises(LocalAwsError, match=f"The state folder {blocked}/state can't be used"):
        Instance(blocked / "state").start()


def test_reset_forgets_resources_and_stacks(fresh: Instance) -> None:
    """After a reset, neither AWS nor Pulumi's state knows of anything."""
    fresh.start()
    client_of(fresh, "logs").create_log_group(logGroupName="old")
    stack = fresh.state / "pulumi-state" / "stack.json"
    stack.touch()
    fresh.reset()
    assert not fresh.status().running
    assert not stack.exists()

    fresh.start()
    assert client_of(fresh, "logs").describe_log_groups()["logGroups"] == []


def test_a_server_ends_with_its_state_folder(fresh: Instance) -> None:
    """Where the folder is deleted under it, the server does not linger."""
    pid = fresh.start().pid
    assert pid is not None
    for path in fresh.state.glob("*.json"):
        path.unlink()

    def gone() -> bool:
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or ") Z " in state.read_text()

    until(gone)


def test_the_environment_needs_a_running_instance(fresh: Instance) -> None:
    """Variables of an instance that does not run would point nowhere."""
    with pytest.raises(LocalAwsError, match=r"does not run\. To start it: python -m localaws start"):
        fresh.environment()


def test_the_environment_points_every_tool_here(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS clients and Pulumi get this instance's addresses, and nothing of the user's own AWS configuration."""
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    variables = instance.environment()

    assert instance.status().endpoint == variables["AWS_ENDPOINT_URL"]
    assert f"file://{instance.state}/pulumi-state" == variables["PULUMI_BACKEND_URL"]
    assert str(instance.state / "pulumi-home") == variables["PULUMI_HOME"]
    assert [variables["AWS_CONFIG_FILE"], variables["AWS_SHARED_CREDENTIALS_FILE"]] == ["/dev/null"] * 2
    assert variables["PULUMI_CONFIG_PASSPHRASE"] == ""


def test_the_backend_of_a_folder_with_odd_characters_is_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A space or a percent sign in the state folder's name is escaped, as Pulumi wants it."""
    odd = Instance(tmp_path / "a b%20c")
    running = Status(running=True, endpoint="http://127.0.0.1:1", pid=1, state=odd.state, started_at=None)
    monkeypatch.setattr(Instance, "status", lambda _: running)

    assert f"file://{tmp_path}/a%20b%2520c/pulumi-state" == odd.environment()["PULUMI_BACKEND_URL"]


@pytest.mark.parametrize("name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_a_passphrase_of_the_caller_is_kept(instance: Instance, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has set a passphrase keeps it."""
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    monkeypatch.setenv(name, "mine")

    assert "PULUMI_CONFIG_PASSPHRASE" not in instance.environment()


def test_the_official_plugins_get_a_home_of_their_own(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """With LOCALAWS_PLUGINS=official, the engine fetches its plugins into another folder."""
    monkeypatch.setenv("LOCALAWS_PLUGINS", "official")

    assert str(instance.state / "pulumi-home-official") == instance.environment()["PULUMI_HOME"]


def test_an_unknown_choice_of_plugins_is_refused(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only 'official' can be chosen."""
    monkeypatch.setenv("LOCALAWS_PLUGINS", "offical")

    with pytest.raises(LocalAwsError, match="LOCALAWS_PLUGINS is 'offical'; it can be 'official' or unset"):
        instance.environment()
