"""Forecast against outcome, against SciPy's regression and cases with a known answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from freqtrade_mem0.compare.statistics.calibration import MIN_TRADES, N_BINS, calibration


def test_slope_and_intercept_are_least_squares() -> None:
    """They equal SciPy's `linregress`, whatever the forecast's scale."""
    rng = np.random.default_rng(1)
    forecast = rng.normal(0.001, 0.002, 300)
    outcome = 0.7 * forecast + rng.normal(0.0, 0.01, 300)
    expected = stats.linregress(forecast, outcome)

    found = calibration(forecast, outcome, rng.integers(80, size=300), n_days=80, seed=1)

    assert found is not None
    assert found.slope.value == pytest.approx(expected.slope)
    assert found.intercept == pytest.approx(expected.intercept)


def test_interval_holds_the_true_slope() -> None:
    """A calibrated forecast has 1 in its interval and not 0; a useless one the other way round."""
    rng = np.random.default_rng(2)
    forecast, days = rng.normal(0.0, 0.01, 600), np.repeat(np.arange(150), 4)
    noise = rng.normal(0.0, 0.01, 600)
    good = calibration(forecast, forecast + noise, days, n_days=150, seed=1)
    useless = calibration(forecast, noise, days, n_days=150, seed=1)

    assert good is not None
    assert useless is not None
    assert (good.slope.low or 0.0) < 1.0 < (good.slope.high or 0.0)
    assert good.slope.excludes_zero
    assert (useless.slope.low or 0.0) < 0.0 < (useless.slope.high or 0.0)
    assert (useless.slope.high or 9.0) < 1.0


def test_bins_are_equal_parts_in_the_forecasts_order() -> None:
    """Each holds a fifth of the trades; means and errors are NumPy's."""
    forecast = np.arange(50.0)[::-1]
    outcome = np.random.default_rng(3).normal(0.0, 1.0, 50)
    found = calibration(forecast, outcome, np.arange(50), n_days=50, seed=1)

    assert found is not None
    assert [part.n_trades for part in found.bins] == [10] * N_BINS
    lowest = outcome[::-1][:10]
    assert found.bins[0].forecast == pytest.approx(4.5)
    assert found.bins[0].outcome == pytest.approx(lowest.mean())
    assert found.bins[0].standard_error == pytest.approx(stats.sem(lowest))


def test_nothing_is_said_without_trades_or_without_different_forecasts() -> None:
    """One trade too few, or one forecast for all, gives no calibration."""
    values, days = np.linspace(-1.0, 1.0, MIN_TRADES), np.arange(MIN_TRADES)

    assert calibration(values, values, days, n_days=MIN_TRADES, seed=1) is not None
    assert calibration(values[1:], values[1:], days[1:], n_days=MIN_TRADES, seed=1) is None
    assert calibration(np.zeros(MIN_TRADES), values, days, n_days=MIN_TRADES, seed=1) is None
