"""The expectation of an entry: its interval covers, and it agrees with the forecast of stakes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.insight.expectation import expectation
from freqtrade_mem0.insight.shrinkage import NOTHING, EntryGroup, Moments, Shrinkage, shifts

PRIOR = Shrinkage(pseudo_trades=50.0)


def moments(values: np.ndarray) -> Moments:
    """Return the moments of trades that all weigh 1."""
    return Moments(float(len(values)), float(values.mean()), float(values.var()))


def test_the_interval_covers() -> None:
    """95 % intervals of the mean hold the true one in 93 to 97 % of 2,000 histories."""
    rng, true_mean, n_covered = np.random.default_rng(7), 0.003, 0
    for _ in range(2_000):
        whole = moments(rng.normal(true_mean, 0.02, 40))
        found = expectation(whole, (), {}, PRIOR)
        assert found.low_ratio is not None
        assert found.high_ratio is not None
        n_covered += found.low_ratio <= true_mean <= found.high_ratio
    assert 0.93 <= n_covered / 2_000 <= 0.97


@given(
    st.lists(st.floats(-0.2, 0.2), min_size=5, max_size=40),
    st.integers(2, 5),
    st.floats(0.0, 1.0),
)
def test_the_mean_is_the_forecast_and_an_unknown_group_widens(
    profits: list[float], n_inside: int, theta: float
) -> None:
    """The mean is that of `shifts`; a group with fewer trades never narrows the interval."""
    values = np.array(profits)
    whole = moments(values)
    widths = []
    for n in (len(values), n_inside, 0):
        inside = NOTHING if n == 0 else moments(values[:n])
        groups = [EntryGroup("pair", "A", inside)]
        found = expectation(whole, groups, {"pair": theta}, PRIOR)
        forecast = whole.mean + sum(shifts(whole, groups, {"pair": theta}, PRIOR))
        assert found.mean_ratio == pytest.approx(forecast)
        assert found.low_ratio is not None
        assert found.high_ratio is not None
        assert (found.is_gain > 0.5) == (found.mean_ratio > 0.0) or found.is_gain == 0.5
        widths.append(found.high_ratio - found.low_ratio)
    assert all(narrow <= wide + 1e-12 for narrow, wide in pairwise(widths))


@pytest.mark.parametrize("whole", [NOTHING, Moments(1.0, 0.02, 0.0)])
def test_too_few_trades_have_no_interval(whole: Moments) -> None:
    """And say nothing of gain or loss."""
    found = expectation(whole, (), {}, PRIOR)
    assert (found.low_ratio, found.high_ratio, found.is_gain) == (None, None, 0.5)
