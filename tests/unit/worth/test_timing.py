"""The timing test: exact algebra, calibrated where memory reacts, alert to foresight."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from freqtrade_mem0.worth.random_sizing import MIN_TRADES
from freqtrade_mem0.worth.timing import against_future, against_past, timing_test

Floats = NDArray[np.float64]


def reacting(base: Floats) -> Floats:
    """Return multipliers that bet more after good trades and less after bad ones, and know more."""
    n = np.arange(1, len(base) + 1)
    mean = np.cumsum(base) / n
    errors = np.sqrt(np.cumsum(base**2) / n / (n + 20.0))
    later = 1.0 + 0.75 * np.tanh(mean / np.maximum(errors, 1e-12))
    return np.concatenate([[1.0], later[:-1]])


def test_deviations_from_the_future_are_orthonormal() -> None:
    """As a matrix they have orthonormal rows that all sum to zero: no mean, equal spread."""
    n = 12
    matrix = np.column_stack([against_future(row) for row in np.eye(n)])[:-1]

    assert matrix @ matrix.T == pytest.approx(np.eye(n - 1), abs=1e-12)
    assert matrix.sum(axis=1) == pytest.approx(np.zeros(n - 1), abs=1e-12)
    assert np.tril(matrix, -1) == pytest.approx(0.0)  # nothing of the past
    assert against_future(np.arange(3.0))[-1] == 0.0


def test_deviations_from_the_past_use_only_what_came_before() -> None:
    """Each value less the mean of its predecessors, worked out one by one."""
    values = np.random.default_rng(1).normal(size=20)
    expected = [0.0, *(values[k] - values[:k].mean() for k in range(1, 20))]

    assert against_past(values).tolist() == pytest.approx(expected)


def test_p_values_are_uniform_though_memory_learns_from_the_trades() -> None:
    """200 runs without foresight; `bench_evaluate.py` shows that the shift test is not uniform."""
    rng, n, days = np.random.default_rng(2), 100, 50
    p_values = []
    for number in range(200):
        base = 0.02 * rng.standard_t(4, n)
        closed = np.sort(rng.integers(days, size=n))
        found = timing_test(base, reacting(base), closed, n_days=days, seed=number, n_flips=199)
        assert found is not None
        p_values.append(found.p_better)

    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_foresight_is_found() -> None:
    """Multipliers that lean towards the profits to come, and those that lean away."""
    rng = np.random.default_rng(3)
    base = 0.01 * rng.standard_normal(300)
    sizes = np.clip(1.0 + 15.0 * base + 0.3 * rng.standard_normal(300), 0.25, 1.75)
    days = np.sort(rng.integers(100, size=300))

    good = timing_test(base, sizes, days, n_days=100, seed=0)
    bad = timing_test(base, 2.0 - sizes, days, n_days=100, seed=0)

    assert good is not None
    assert bad is not None
    assert good.p_better < 0.01 < good.p_worse
    assert good.correlation == pytest.approx(-bad.correlation) == pytest.approx(0.45, abs=0.15)
    assert bad.p_worse < 0.01 < bad.p_better


def test_scales_do_not_matter() -> None:
    """Twice the bets or half the multipliers give the same answer, and so does the same seed."""
    rng = np.random.default_rng(4)
    base, sizes = rng.normal(0.001, 0.01, 60), rng.uniform(0.5, 1.5, 60)
    days = np.sort(rng.integers(30, size=60))
    once = timing_test(base, sizes, days, n_days=30, seed=1)
    again = timing_test(2.0 * base, 0.5 * sizes, days, n_days=30, seed=1)

    assert once is not None
    assert again is not None
    assert (again.p_better, again.p_worse) == (once.p_better, once.p_worse)
    assert again.correlation == pytest.approx(once.correlation)


def test_nothing_is_said_where_there_is_nothing_to_compare() -> None:
    """Too few trades or days, equal multipliers, or equal profits give no answer."""
    rng = np.random.default_rng(5)
    n = MIN_TRADES
    base, sizes, days = rng.normal(size=n), rng.uniform(0.5, 1.5, n), np.arange(n)

    assert timing_test(base, sizes, days, n_days=n, seed=0) is not None
    assert timing_test(base[1:], sizes[1:], days[1:], n_days=n, seed=0) is None
    assert timing_test(base, np.ones(n), days, n_days=n, seed=0) is None
    assert timing_test(np.zeros(n), sizes, days, n_days=n, seed=0) is None
    assert timing_test(base, sizes, np.zeros(n, dtype=np.int64), n_days=1, seed=0) is None
