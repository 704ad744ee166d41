"""What a histogram says: percentiles, and bins that a person can read."""

import itertools
import math
import random

import pytest

from tests.traces.samples import histogram
from traces import latency
from traces.latency import Bin


@pytest.mark.parametrize(("percent", "expected"), [(50, 0.02), (90, 0.03), (99, 0.5), (100, 0.5), (1, 0.01)])
def test_a_percentile_is_the_time_within_which_so_many_came(percent: float, expected: float) -> None:
    """Of a hundred responses, p50 is that of the fiftieth."""
    assert expected == latency.percentile(histogram((0.01, 20), (0.02, 40), (0.03, 38), (0.5, 2)), percent)


def test_no_responses_have_no_percentile() -> None:
    """Nothing is not zero."""
    assert None is latency.percentile((), 50)


@pytest.mark.parametrize("seed", range(20))
def test_percentiles_agree_with_the_single_responses(seed: int) -> None:
    """A histogram loses nothing that the nearest-rank percentile needs."""
    dice = random.Random(seed)  # noqa: S311 - the same responses each time
    responses = sorted(dice.choice([0.001, 0.002, 0.005, 0.01, 0.3]) for _ in range(dice.randrange(1, 300)))
    counted = histogram(*((value, responses.count(value)) for value in sorted(set(responses))))
    for percent in (1, 50, 90, 99, 100):
        assert responses[math.ceil(len(responses) * percent / 100) - 1] == latency.percentile(counted, percent)


@pytest.mark.parametrize("seed", range(20))
def test_bins_hold_every_response_once_in_few_rows(seed: int) -> None:
    """Nothing is lost in drawing, whatever the spread."""
    dice = random.Random(seed)  # noqa: S311
    values = sorted({round(dice.lognormvariate(dice.uniform(-8, 3), dice.uniform(0, 2)), 4) for _ in range(200)})
    counted = histogram(*((value, dice.randrange(1, 9)) for value in values))
    bins = latency.bins(counted, 16)
    assert latency.count(counted) == sum(one.responses for one in bins)
    assert len(bins) <= 16
    assert all(math.isclose(one.high, after.low) for one, after in itertools.pairwise(bins))


def test_bins_have_round_limits() -> None:
    """People read 5 to 10 ms, not 4.7 to 9.3."""
    bins = latency.bins(histogram((0.006, 4), (0.011, 2), (0.029, 1)), 7)
    told = [(round(one.low, 6), round(one.high, 6), one.responses) for one in bins]
    assert [(0.005, 0.01, 4), (0.01, 0.015, 2), (0.015, 0.02, 0), (0.02, 0.025, 0), (0.025, 0.03, 1)] == told


def test_a_long_tail_is_one_bin() -> None:
    """One response of a minute does not squeeze all others into one row."""
    bins = latency.bins(histogram((0.01, 100), (0.02, 100), (0.03, 20), (60.0, 1)), 16)
    assert Bin(low=bins[-1].low, high=math.inf, responses=1) == bins[-1]
    assert len([one for one in bins if one.responses]) == 4
