"""What tracing adds in memory and money."""

import json
from dataclasses import replace

import pytest

from automation.forecast import Change, Difference, StackForecast, Unknown
from checks.estimates import PRICES, SECONDS_A_MONTH, estimate, monthly_traces
from services import SERVICES
from tests.checks.plans import NAMES, TASK, everything, stack, task


def test_the_price_pages_own_example() -> None:
    """2,000 requests an hour for 31 days, 10 % sampled: 148,800 traces, $0.24; 775,000 looked at are free."""
    traces = monthly_traces(2000 * 24 * 31, 0.1)
    assert traces.least == pytest.approx(148_800)
    assert round(PRICES.cost(traces.least, retrieved=775_000), 2) == 0.24


def test_what_is_free_and_what_is_not() -> None:
    """The first 100,000 recorded and 1,000,000 retrieved; then $5.00 and $0.50 a million."""
    assert PRICES.cost(100_000, 1_000_000) == 0
    assert PRICES.cost(1_100_000) == 5
    assert PRICES.cost(0, 2_000_000) == 0.5


def test_little_traffic_is_traced_completely() -> None:
    """One request a second and Envoy is within what is sampled whatever the rate."""
    assert monthly_traces(SECONDS_A_MONTH, 0.05).most == SECONDS_A_MONTH
    assert monthly_traces(2 * SECONDS_A_MONTH, 0, envoys=2).most == 2 * SECONDS_A_MONTH


def test_much_traffic_is_sampled() -> None:
    """101 requests a second at 5 %: one and five of the other hundred."""
    assert monthly_traces(101 * SECONDS_A_MONTH, 0.05).most == pytest.approx(6 * SECONDS_A_MONTH)


def test_everything_sampled() -> None:
    """At 100 % there is nothing to guess; one request of the workshop's begins three traces."""
    traces = monthly_traces(10_000_000, 1, per_request=3)
    assert (traces.least, traces.most) == (30_000_000, 30_000_000)


def test_the_repositorys_own_tasks() -> None:
    """256 MiB in each; the gateway begins one trace a request, and the frontend two: it passes no header on."""
    found = estimate(everything(tracing="true", samplingRate="1"), NAMES, 1_000_000)
    assert [(each.service, each.memory, each.task_memory, each.grows_from) for each in found.sidecars] == [
        (service, 256, "1024", "") for service in SERVICES
    ]
    assert found.rates == {"platform": 1.0, "frontend": 1.0}
    assert (found.traces.least, found.traces.most) == (3_000_000, 3_000_000)
    assert found.least_price == pytest.approx(14.5)


def test_the_rate_that_envoy_takes_by_itself() -> None:
    """5 % where nothing is said, or an empty text; at most all, since less than one request comes a second."""
    plans = everything(tracing="true")
    for stacks in (plans, [_sampled(each, "") for each in plans]):
        found = estimate(stacks, NAMES, 1_000_000)
        assert found.rates == {"platform": 0.05, "frontend": 0.05}
        assert (found.traces.least, found.traces.most) == (150_000, 3_000_000)


def test_nothing_traced_takes_nothing() -> None:
    """With tracing off, or where the task is not known."""
    for stacks in (everything(), [stack(task(containerDefinitions=Unknown()))]):
        found = estimate(stacks, NAMES, 1_000_000)
        assert (found.sidecars, found.traces.most, found.most_price) == ([], 0, 0)


def test_a_task_that_grows_is_told() -> None:
    """From the difference in its plan."""
    (own,) = [each for each in everything(tracing="true") if each.service == "crystal"]
    grown = Difference(path="memory", kind="update", before="512", after="1024", replaces=True)
    change = Change(op="replace", type=TASK, name="crystal-task", differences=(grown,))
    (sidecar,) = estimate([replace(own, changes=[change])], NAMES, 1).sidecars
    assert sidecar.grows_from == "512 CPU, 512 MiB"


def test_the_mesh_makes_no_difference() -> None:
    """The same traces begin at Envoys of our own, which have no objects in App Mesh."""
    config = {"tracing": "true", "samplingRate": "0.5"}
    own_mesh = estimate(everything(**config, mesh="envoy"), NAMES, 1_000_000)
    assert own_mesh.rates == {"platform": 0.5, "frontend": 0.5}
    assert own_mesh == estimate(everything(**config), NAMES, 1_000_000)


def test_the_mesh_that_the_envoy_is_in_counts() -> None:
    """While stacks move, App Mesh's objects are there beside an Envoy that no longer asks for them."""
    moving = estimate(everything(tracing="true", mesh="envoy", bothMeshes="true"), NAMES, 1_000_000)
    assert moving == estimate(everything(tracing="true"), NAMES, 1_000_000)


def test_as_many_envoys_as_there_may_be() -> None:
    """Each takes the first request of each second: of one gateway, and of the ten tasks that the frontend may have."""
    found = estimate(everything(tracing="true", autoscaling="true"), NAMES, 100_000_000)
    gateway = monthly_traces(100_000_000, 0.05)
    frontend = monthly_traces(100_000_000, 0.05, per_request=2, envoys=10)
    assert found.traces.most == pytest.approx(gateway.most + frontend.most)


@pytest.mark.parametrize("rate", ["nan", "inf", "1.5", "-0.1", "5%"])
def test_a_rate_that_is_none_is_not_guessed(rate: str) -> None:
    """Another rule objects to it; here its service is left out, and said to be."""
    stacks = [given if given.service != "frontend" else _sampled(given, rate) for given in everything(tracing="true")]
    found = estimate(stacks, NAMES, 1_000_000)
    assert (found.rates, found.left_out) == ({"platform": 0.05}, ["frontend"])
    assert found.traces.least == 50_000
    assert found.words.endswith(" US dollars. Without frontend, whose rate is not known.")
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["leftOut"] == ["frontend"]


def test_no_rate_is_known() -> None:
    """Then there is no sum, and that is said."""
    found = estimate([_sampled(each, "x") for each in everything(tracing="true")], NAMES, 1)
    assert found.words == "How many traces come is not known: platform and frontend have no known rate."


def _sampled(plan: StackForecast, rate: str) -> StackForecast:
    """A plan whose Envoy has a rate of its own."""
    (definition,) = [each for each in plan.resources if each.type == TASK]
    containers = json.loads(definition.inputs["containerDefinitions"])
    for each in containers:
        if each["name"] == NAMES.envoy:
            each["environment"].append({"name": NAMES.rate, "value": rate})
    changed = replace(definition, inputs={**definition.inputs, "containerDefinitions": json.dumps(containers)})
    return replace(plan, resources=[changed if each is definition else each for each in plan.resources])
