"""Is a policy neutral where there is nothing to find? Random entries and a block bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.value.measures import DAYS_PER_YEAR, close_days, daily, sharpe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmarks.value.columns import Columns

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_TAILS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Neutrality:
    """What a policy does to strategies without an edge.

    Parameters
    ----------
    mean_multiplier
        Over seeds.
    covers_sharpe, covers_return
        Share of seeds whose 95 % interval of the difference in Sharpe ratio, or in mean daily
        return, holds zero.
    gain_mean, gain_spread
        Of the difference in annual Sharpe ratio, over seeds.
    """

    mean_multiplier: float
    covers_sharpe: float
    covers_return: float
    gain_mean: float
    gain_spread: float


def stationary_blocks(n: int, draws: int, mean_block: float, seed: int) -> Ints:
    """Return days of a stationary block bootstrap, shape (draws, n).

    References
    ----------
    Politis, D. N. and Romano, J. P. (1994). The stationary bootstrap. Journal of the American
    Statistical Association 89 (428), 1303-1313.
    """
    rng = np.random.default_rng(seed)
    days = np.arange(n)
    begins = rng.random((draws, n)) < 1.0 / mean_block
    begins[:, 0] = True
    last_begin = np.maximum.accumulate(np.where(begins, days, 0), axis=1)
    start = np.take_along_axis(rng.integers(0, n, (draws, n)), last_begin, axis=1)
    return np.asarray((start + days - last_begin) % n, dtype=np.int64)


def neutrality(
    tables: Sequence[Columns],
    multipliers: Callable[[Columns], Floats],
    *,
    draws: int = 400,
    mean_block_days: float = 10.0,
) -> Neutrality:
    """Measure a policy on tables of random entries."""
    means, sharpe_covered, return_covered, gains = [], [], [], []
    blocks: dict[int, Ints] = {}
    for columns in tables:
        chosen = multipliers(columns)
        days = close_days(columns.table)
        plain, other = daily(days, columns.ratio), daily(days, chosen * columns.ratio)
        if len(plain) not in blocks:
            blocks[len(plain)] = stationary_blocks(len(plain), draws, mean_block_days, 1)
        drawn = blocks[len(plain)]
        before, after = plain[drawn], other[drawn]
        ratio = after.mean(axis=1) / after.std(axis=1) - before.mean(axis=1) / before.std(axis=1)
        sharpe_covered.append(_covers_zero(ratio * np.sqrt(DAYS_PER_YEAR)))
        return_covered.append(_covers_zero(after.mean(axis=1) - before.mean(axis=1)))
        means.append(chosen.mean())
        gains.append(sharpe(other) - sharpe(plain))
    return Neutrality(
        mean_multiplier=float(np.mean(means)),
        covers_sharpe=float(np.mean(sharpe_covered)),
        covers_return=float(np.mean(return_covered)),
        gain_mean=float(np.mean(gains)),
        gain_spread=float(np.std(gains)),
    )


def _covers_zero(values: Floats) -> bool:
    low, high = np.quantile(values, _TAILS)
    return bool(low <= 0.0 <= high)
