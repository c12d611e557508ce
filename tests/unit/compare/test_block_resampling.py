"""Block lengths against another implementation, resamples against what they promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from freqtrade_mem0.compare.statistics.block_resampling import (
    optimal_block_length,
    resample,
    variance_of_mean,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def chaotic(n: int, memory: float) -> NDArray[np.float64]:
    """Return a series that looks random and is the same everywhere; `memory` makes it linger."""
    state, last, values = 0.3, 0.0, []
    for _ in range(n):
        state = 3.9 * state * (1.0 - state)
        last = memory * last + state - 0.5
        values.append(last)
    return np.array(values)


@pytest.mark.parametrize(
    ("n", "memory", "expected"),
    [
        (30, 0.0, 4.307000486100418),
        (250, 0.0, 19.04353469292355),
        (250, 0.8, 11.456233624256937),
        (400, -0.4, 54.938673729388704),
        (1000, 0.95, 47.53058782051487),
    ],
)
def test_block_length_equals_the_arch_packages(n: int, memory: float, expected: float) -> None:
    """The reference is `arch.bootstrap.optimal_block_length` (arch 8.0.0), at least 1 day."""
    assert optimal_block_length(chaotic(n, memory)) == pytest.approx(expected, rel=1e-9)


def test_series_without_anything_to_measure_get_blocks_of_one_day() -> None:
    """A constant series and a very short one have no dependence to keep."""
    assert optimal_block_length(np.zeros(100)) == 1.0
    assert optimal_block_length(chaotic(9, 0.9)) == 1.0


def test_resamples_are_made_of_blocks_of_the_length_asked_for() -> None:
    """Days follow each other, around the end too, except where a new block begins."""
    n, length = 400, 8.0
    days = resample(n, length, 200, np.random.default_rng(1))
    goes_on = days[:, 1:] == (days[:, :-1] + 1) % n

    assert days.shape == (200, n)
    # A new block also goes on by chance, once in n.
    assert np.mean(~goes_on) == pytest.approx((1.0 / length) * (1.0 - 1.0 / n), rel=0.03)
    # Every day is as likely as any other.
    assert np.bincount(days.ravel(), minlength=n) == pytest.approx(np.full(n, 200.0), abs=75.0)


def test_blocks_of_one_day_are_the_ordinary_bootstrap() -> None:
    """The variance of the mean is then the plain variance over n."""
    series = chaotic(300, 0.5)
    assert variance_of_mean(series, 1.0) == pytest.approx(series.var() / 300)


@pytest.mark.parametrize("length", [1.0, 4.0, 15.0])
def test_variance_in_closed_form_is_what_resampling_shows(length: float) -> None:
    """The means of many resamples scatter as the formula says."""
    series = chaotic(120, 0.7)
    days = resample(120, length, 20_000, np.random.default_rng(2))
    simulated = series[days].mean(axis=1).var()

    assert variance_of_mean(series, length) == pytest.approx(simulated, rel=0.04)


def test_dependent_days_widen_the_variance() -> None:
    """Blocks see what single days do not: a mean of lingering days is less sure."""
    series = chaotic(500, 0.9)
    blocks = optimal_block_length(series)

    assert blocks > 5.0
    assert variance_of_mean(series, blocks) > 3.0 * series.var() / 500
