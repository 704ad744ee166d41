"""What tracing adds in memory and money."""

import pytest

from automation.forecast import Unknown
from checks.estimates import PRICES, SECONDS_A_MONTH, monthly_traces, sidecar_memory
from services import SERVICES
from tests.checks.plans import NAMES, everything, stack, task


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


def test_the_sidecars_memory() -> None:
    """256 MiB a task with tracing on, nothing with it off or where the task is not known."""
    assert sidecar_memory(everything(tracing="true"), NAMES) == dict.fromkeys(SERVICES, 256)
    assert sidecar_memory(everything(), NAMES) == {}
    assert sidecar_memory([stack(task(containerDefinitions=Unknown()))], NAMES) == {}
