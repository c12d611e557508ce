"""Block lengths and resamples, with the package `arch` as the oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import arch.bootstrap
import numpy as np
import pytest

from freqtrade_mem0.insight.block_resampling import (
    optimal_block_length,
    resample,
    variance_of_mean,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def a_series(n: int, memory: float, seed: int = 1) -> NDArray[np.float64]:
    """Return an AR(1) series with this autocorrelation."""
    shocks = np.random.default_rng(seed).standard_normal(n)
    for number in range(1, n):
        shocks[number] += memory * shocks[number - 1]
    return shocks


@pytest.mark.parametrize("n", [30, 250, 1_000])
@pytest.mark.parametrize("memory", [-0.4, 0.0, 0.5, 0.95])
@pytest.mark.parametrize("seed", [1, 2])
def test_block_length_is_that_of_arch(n: int, memory: float, seed: int) -> None:
    """Except that a block has at least one day."""
    series = a_series(n, memory, seed)
    expected = arch.bootstrap.optimal_block_length(series)["stationary"].iloc[0]

    assert optimal_block_length(series) == pytest.approx(max(1.0, expected), rel=1e-9)


def test_series_without_measurable_dependence_get_blocks_of_one_day() -> None:
    """A constant series and a very short one."""
    assert optimal_block_length(np.zeros(100)) == 1.0
    assert optimal_block_length(a_series(9, 0.9)) == 1.0


def test_resamples_are_made_of_blocks_of_the_requested_length() -> None:
    """Days follow each other, around the end too, except where a new block begins."""
    n, length = 400, 8.0
    days = resample(n, length, 200, np.random.default_rng(1))
    goes_on = days[:, 1:] == (days[:, :-1] + 1) % n

    assert days.shape == (200, n)
    # A new block follows the old one by chance with probability 1 / n.
    assert np.mean(~goes_on) == pytest.approx((1.0 / length) * (1.0 - 1.0 / n), rel=0.03)
    # Every day is equally likely.
    assert np.bincount(days.ravel(), minlength=n) == pytest.approx(np.full(n, 200.0), abs=75.0)


@pytest.mark.parametrize("length", [1, 4, 15])
def test_closed_form_of_the_variance_is_what_resampling_shows(length: int) -> None:
    """The variance of the means of many resamples, ours and those of arch."""
    series = a_series(120, 0.7)
    ours = series[resample(120, length, 5_000, np.random.default_rng(2))].mean(axis=1)
    theirs = arch.bootstrap.StationaryBootstrap(length, series, seed=3).apply(np.mean, 5_000)

    expected = variance_of_mean(series, length)
    assert ours.var() == pytest.approx(expected, rel=0.08)
    assert theirs.var() == pytest.approx(expected, rel=0.08)
