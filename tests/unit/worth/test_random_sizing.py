"""The random-sizing null: against plain loops, and uniform where there is nothing to find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from freqtrade_mem0.worth.random_sizing import MIN_TRADES, p_value, shift_test

Floats = NDArray[np.float64]


def slow(rng: np.random.Generator, n: int) -> Floats:
    """Return multipliers that change slowly, as memory's do."""
    state = np.zeros(n)
    for number in range(1, n):
        state[number] = 0.8 * state[number - 1] + 0.3 * rng.standard_normal()
    return np.clip(1.0 + state, 0.25, 1.75)


def test_equals_a_plain_loop_over_all_shifts() -> None:
    """Every shift is tried once; the true one counts as one of those tried."""
    rng = np.random.default_rng(1)
    n, days = 40, 15
    base, multipliers = rng.normal(0.001, 0.01, n), slow(rng, n)
    closed = rng.integers(days, size=n)

    def ratio(sizes: Floats) -> float:
        returns = [float(np.sum((base * sizes)[closed == day])) for day in range(days)]
        return float(np.mean(returns) / np.std(returns) * np.sqrt(365))

    rotated = [np.concatenate([multipliers[-k:], multipliers[:-k]]) for k in range(1, n)]
    ratios = [ratio(sizes) for sizes in rotated]
    observed = ratio(multipliers)

    found = shift_test(base, multipliers, closed, n_days=days, seed=0)

    assert found is not None
    assert found.observed == pytest.approx(observed)
    assert found.p_as_good == (1 + sum(other >= observed for other in ratios)) / n
    assert found.p_as_bad == (1 + sum(other <= observed for other in ratios)) / n
    assert found.typical == pytest.approx(np.median(ratios))
    assert (found.n_shifts, found.is_complete) == (n - 1, True)


def test_p_values_are_uniform_without_skill() -> None:
    """Multipliers that know nothing: 200 p-values pass a Kolmogorov-Smirnov test."""
    rng, n, days = np.random.default_rng(2), 40, 20
    found = [
        shift_test(
            rng.standard_t(4, n) * 0.01,
            slow(rng, n),
            np.sort(rng.integers(days, size=n)),
            n_days=days,
            seed=number,
        )
        for number in range(200)
    ]
    p_values = [test.p_as_good for test in found if test is not None]

    assert len(p_values) == 200
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_skill_is_found() -> None:
    """Multipliers that lean towards the profits to come beat nearly every shift of themselves."""
    rng = np.random.default_rng(3)
    base = rng.normal(0.0, 0.01, 300)
    multipliers = np.clip(1.0 + 20.0 * base, 0.25, 1.75)
    days = np.sort(rng.integers(100, size=300))

    helped = shift_test(base, multipliers, days, n_days=100, seed=0)
    hurt = shift_test(base, 2.0 - multipliers, days, n_days=100, seed=0)

    assert helped is not None
    assert hurt is not None
    assert helped.p_as_good < 0.01 < helped.p_as_bad
    assert hurt.p_as_bad < 0.01 < hurt.p_as_good


def test_a_smaller_bet_is_no_better() -> None:
    """Halving all multipliers changes neither p-value nor ratio."""
    rng = np.random.default_rng(4)
    base, multipliers = rng.normal(0.0, 0.01, 60), slow(rng, 60)
    days = np.sort(rng.integers(30, size=60))
    whole = shift_test(base, multipliers, days, n_days=30, seed=0)
    half = shift_test(base, 0.5 * multipliers, days, n_days=30, seed=0)

    assert whole is not None
    assert half is not None
    assert half.observed == pytest.approx(whole.observed)
    assert replace(half, observed=0.0, typical=0.0) == replace(whole, observed=0.0, typical=0.0)


def test_many_trades_are_sampled_without_repetition() -> None:
    """Above the limit so many shifts are drawn, the same for the same seed."""
    rng = np.random.default_rng(5)
    base, multipliers = rng.normal(0.0, 0.01, 120), slow(rng, 120)
    days = np.sort(rng.integers(50, size=120))
    found = shift_test(base, multipliers, days, n_days=50, seed=1, max_shifts=50)

    assert found is not None
    assert (found.n_shifts, found.is_complete) == (50, False)
    assert found == shift_test(base, multipliers, days, n_days=50, seed=1, max_shifts=50)


def test_nothing_is_said_where_there_is_nothing_to_compare() -> None:
    """Too few trades, equal multipliers, or profits that never vary give no answer."""
    rng = np.random.default_rng(6)
    n = MIN_TRADES
    base, sizes, days = rng.normal(0.0, 0.01, n), rng.uniform(0.5, 1.5, n), np.arange(n)

    assert shift_test(base, sizes, days, n_days=n, seed=0) is not None
    assert shift_test(base[1:], sizes[1:], days[1:], n_days=n, seed=0) is None
    assert shift_test(base, np.full(n, 0.5), days, n_days=n, seed=0) is None
    assert shift_test(np.zeros(n), sizes, days, n_days=n, seed=0) is None


@pytest.mark.parametrize(("extreme", "tried", "expected"), [(0, 999, 0.001), (999, 999, 1.0)])
def test_p_values_are_never_zero(extreme: int, tried: int, expected: float) -> None:
    """Phipson and Smyth: (1 + b) / (1 + B)."""
    assert p_value(extreme, tried) == expected
