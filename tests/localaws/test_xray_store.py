"""X-Ray's database: what outlives the server, what does not grow for ever, and that the rest of AWS need not wait."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from localaws.instance import Instance
from localaws.xray import store
from localaws.xray.documents import Received
from localaws.xray.store import Reading, Store
from tests.localaws.support import client_of, until
from tests.localaws.xray_site import Site

DAY = 86_400
NOW = 1_800_000_000.0
SCOPE = "123456789012/eu-west-1"


def received(number: int, start: float = NOW, size: int = 100) -> Received:
    return Received(
        trace_id=f"1-00000000-{number:024x}",
        id="a" * 16,
        text="x" * size,
        size=size,
        start=start,
        end=start + 1,
        in_progress=False,
    )


def kept(reading: Reading) -> list[int]:
    """The numbers of the traces that are there, the newest first."""
    return [int(row.id[-24:], 16) for row in reading.traces(SCOPE, 0, NOW * 2)]


def test_traces_and_settings_outlive_the_server_until_a_reset(fresh: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart changes nothing, in whatever time zone; a reset leaves nothing, not even the files."""
    fresh.start()
    site = Site(client_of(fresh, "xray"))
    segment = site.segment("shop")
    site.put(segment)
    site.xray.create_group(GroupName="shop")

    fresh.stop()
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    fresh.start()
    site.xray = client_of(fresh, "xray")

    assert [segment] == site.trace(segment["trace_id"])
    assert {segment["trace_id"]} == site.found("")
    assert "shop" in {group["GroupName"] for group in site.xray.get_groups()["Groups"]}

    fresh.reset()
    assert [] == list(fresh.state.glob("xray.db*"))
    fresh.start()
    site.xray = client_of(fresh, "xray")
    assert [] == site.trace(segment["trace_id"])


def test_a_damaged_file_is_told_with_the_way_out(fresh: Instance) -> None:
    """The error names the file and the command that starts over; the rest of AWS works."""
    fresh.state.mkdir()
    (fresh.state / "xray.db").write_text("no database " * 100)
    fresh.start()

    with pytest.raises(ClientError, match=r"xray\.db can't be used: .*python -m localaws reset"):
        client_of(fresh, "xray").get_groups()

    assert client_of(fresh, "sts").get_caller_identity()["Account"]


def test_a_file_of_another_version_is_told(tmp_path: Path) -> None:
    """A file that a later program wrote is left as it is."""
    with sqlite3.connect(tmp_path / "xray.db") as connection:
        connection.execute("PRAGMA user_version = 9")

    with pytest.raises(store.StoreError, match="written by version 9"), Store(tmp_path / "xray.db").reading():
        pass


def test_traces_are_kept_for_thirty_days(tmp_path: Path) -> None:
    """What became older than that, also while no server ran, is gone with the next write."""
    path = tmp_path / "xray.db"
    Store(path).put(SCOPE, [received(1, NOW - 29 * DAY), received(2)], NOW)

    later = Store(path)
    later.put(SCOPE, [received(3, NOW + 2 * DAY)], NOW + 2 * DAY)

    with later.reading() as reading:
        assert [3, 2] == kept(reading)


@pytest.mark.parametrize(("limit", "most"), [("MOST_TRACES", 20), ("MOST_BYTES", 2_000)])
def test_of_too_much_the_oldest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> None:
    """Beyond so many traces or bytes, the oldest are dropped until a tenth of the room is free."""
    monkeypatch.setattr(store, limit, most)
    path = tmp_path / "xray.db"
    Store(path).put(SCOPE, [received(number, NOW + number) for number in range(20)], NOW)

    Store(path).put(SCOPE, [received(20, NOW + 20)], NOW)

    with Store(path).reading() as reading:
        assert list(range(20, 2, -1)) == kept(reading)
        assert [1] * 18 == [len(reading.documents(row)) for row in reading.traces(SCOPE, 0, NOW * 2)]


def test_many_senders_at_once_lose_nothing(fresh: Instance) -> None:
    """Threads that send segments of the same traces, and read meanwhile, find all of them in the end."""
    fresh.start()
    site = Site(client_of(fresh, "xray"))
    roots = [site.segment("root") for _ in range(5)]
    errors: list[BaseException] = []

    def send(number: int) -> None:
        own = Site(client_of(fresh, "xray"))
        try:
            for _ in range(4):
                assert [] == own.put(*[own.below(root, f"part-{number}") for root in roots])
                own.graph()
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=send, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == errors
    site.put(*roots)
    assert [25] * 5 == [len(site.trace(root["trace_id"])) for root in roots]


def test_x_ray_changes_nothing_of_the_state_that_is_saved(fresh: Instance) -> None:
    """Segments come in by the thousand: none of them has the state of all of AWS written anew."""
    fresh.start()
    client_of(fresh, "ecs").create_cluster(clusterName="one")
    state = fresh.state / "aws.state"
    # The pause between two saves is over, and none followed.
    until(lambda: state.exists() and time.time() - state.stat().st_mtime > 1)
    written = state.stat().st_mtime_ns
    site = Site(client_of(fresh, "xray"))

    for _ in range(5):
        site.put(site.segment("shop"))
    deadline = time.monotonic() + 1.5  # three times the pause between two saves
    while time.monotonic() < deadline:
        site.summaries()

    assert written == state.stat().st_mtime_ns
