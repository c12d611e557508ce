"""How sure is the mean gain? All strategies share a market, so days are drawn for all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.value.measures import DAYS_PER_YEAR
from benchmarks.value.neutrality import stationary_blocks
from benchmarks.value.table import MS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_TAILS = (0.025, 0.975)


def gain_interval(
    tables: Sequence[pd.DataFrame],
    multipliers: Sequence[Floats],
    *,
    draws: int = 400,
    mean_block_days: float = 30.0,
) -> tuple[float, float]:
    """Return the 95 % interval of the mean difference in Sharpe ratio over strategies.

    A stationary block bootstrap over calendar days, the same days for every strategy. What this
    does not show: what other strategies or other years would have said.
    """
    first = min(int(table["open_ms"].min()) for table in tables) // MS_PER_DAY
    n_days = max(int(table["close_ms"].max()) for table in tables) // MS_PER_DAY - first + 1
    plain, other = [], []
    for table, chosen in zip(tables, multipliers, strict=True):
        days = table["close_ms"].to_numpy() // MS_PER_DAY - first
        ratios = table["profit_ratio"].to_numpy(dtype=np.float64)
        plain.append(np.bincount(days, ratios, minlength=n_days))
        other.append(np.bincount(days, chosen * ratios, minlength=n_days))
    before, after = np.array(plain, dtype=np.float64), np.array(other, dtype=np.float64)
    gains = [
        np.mean(_sharpe(after[:, drawn]) - _sharpe(before[:, drawn]))
        for drawn in stationary_blocks(n_days, draws, mean_block_days, 1)
    ]
    low, high = np.quantile(gains, _TAILS)
    return float(low), float(high)


def _sharpe(returns: Floats) -> Floats:
    spread = returns.std(axis=1)
    ratio = returns.mean(axis=1) / np.where(spread > 0, spread, 1.0)
    return np.asarray(ratio * np.sqrt(DAYS_PER_YEAR), dtype=np.float64)
