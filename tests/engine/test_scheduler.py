"""Runs whose engines are on the workers of Dask clusters, on machines of their own."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.engine.cluster import EACH, SIDES, Site

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Everything deployed, tracing off."""
    made = Site(tmp_path_factory.mktemp("site"))
    try:
        made.start()
        told = {side: made.popen(side, "deploy", "--traffic", "0") for side in SIDES}
        for process in told.values():
            out, err = process.communicate()
            assert process.returncode == 0, out + err
        yield made
    finally:
        made.close()


def test_two_schedulers_flip_a_fleet_and_one_machine_is_lost(site: Site) -> None:
    """GIVEN half of the stacks each WHEN a machine is lost in between THEN all are traced, none twice at once."""
    over, most = threading.Event(), Counter[str]()

    def watch() -> None:
        while not over.wait(0.02):
            for stack, number in Counter(site.locks()).items():
                most[stack] = max(most[stack], number)

    watching = threading.Thread(target=watch)
    watching.start()
    processes = {side: site.popen(side, "enable", "--traffic", "0") for side in SIDES}
    lost = site.machines["left"][0]
    hit = site.until_placed(processes["left"], "left", "enable", lost.name, 1)["service"]
    lost.lose()
    at = datetime.now().astimezone()
    ended = {side: (process.communicate(), process.returncode) for side, process in processes.items()}
    over.set()
    watching.join()

    for (out, err), code in ended.values():
        assert code == 0, out + err
        assert "Traceback" not in out + err
    assert site.locks() == []
    assert set(most.values()) == {1}
    for side in SIDES:
        run = site.run(side)
        assert run is not None
        assert len(run.succeeded) == EACH
        again = [line["service"] for line in run.of("stack-tried-again")]
        assert again == ([hit] if side == "left" else [])
        for service in again:
            first, second = (line for line in run.of("stack-placed") if line["service"] == service)
            assert (first["host"], second["host"]) == ("left-0", "left-1")
            assert datetime.fromisoformat(second["time"]) > at
        for service in run.services:
            *_, before, last = site.updates(f"local-{service}")
            assert before["endTime"] <= last["startTime"]
            assert last["config"]["ecs-tracing:tracing"] == "true"


def test_ctrl_c_reaches_engines_on_workers(site: Site) -> None:
    """GIVEN engines at work on workers WHEN interrupted THEN they end in good order, and what waits is not begun."""
    process = site.popen("right", "disable", "--parallel", "4")  # twice as many as there are threads
    site.until_placed(process, "right", "disable", "right-0", 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert site.locks() == []
    run = site.run("right")
    assert run is not None
    outcomes = Counter(line["outcome"] for line in run.of("stack-ended"))
    assert outcomes["cancelled"] >= 2
    assert outcomes["failed"] == 0
