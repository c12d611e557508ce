"""The policy to beat: shrunk means, z-score, tanh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.value.columns import Columns

LEVELS = ("pair", "volatility_regime", "trend_regime")


def baseline(
    columns: Columns,
    levels: tuple[str, ...] = LEVELS,
    half_life_days: float = 120.0,
    pseudo_trades: float = 20.0,
) -> NDArray[np.float64]:
    """Return `1 + 0.75 tanh(z)` of `freqtrade_mem0.insight.shrinkage.estimate`, in columns."""
    n, mean, spread = columns.moments(half_life_days)
    rows = np.arange(len(n))
    expected = n / (n + pseudo_trades) * mean
    relative_variance = 1.0 / (n + pseudo_trades)
    for level in levels:
        weight, weighted = columns.group_sums(level, half_life_days)
        codes = columns.codes(level)
        own, total = weight[rows, codes], weighted[rows, codes]
        belief = own / (own + pseudo_trades)
        there = own > 1e-9
        deviation = np.where(there, total / np.where(there, own, 1.0) - mean, 0.0)
        expected = expected + belief * deviation
        share = np.maximum(0.0, 1.0 - own / np.maximum(n, 1e-9))
        relative_variance = relative_variance + belief / (own + pseudo_trades) * share
    error = spread * np.sqrt(relative_variance)
    z = np.where(error > 0, expected / np.where(error > 0, error, 1.0), 0.0)
    return np.asarray(1.0 + 0.75 * np.tanh(z), dtype=np.float64)
