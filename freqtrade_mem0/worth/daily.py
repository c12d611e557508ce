"""Daily returns, and ratios of them.

References
----------
Sharpe, W. F. (1994). The Sharpe ratio. Journal of Portfolio Management 21 (1), 49-58.
Sortino, F. A. and Price, L. N. (1994). Performance measurement in a downside risk framework.
Journal of Investing 3 (3), 59-64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

DAYS_PER_YEAR = 365
"""Crypto markets never close; Freqtrade uses the same number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """Returns and exposure of a run by day, both over the starting balance, shape (n_days,).

    The exposure is position times days held of the trades that closed on the day, >= 0.
    """

    first: date
    returns: NDArray[np.float64]
    exposure: NDArray[np.float64]


def by_day(values: NDArray[np.float64], days: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Return the sum of the trades' values on each day, shape (n,)."""
    return np.bincount(days, weights=values, minlength=n).astype(np.float64)


def sharpe(returns: NDArray[np.float64]) -> float:
    """Return the annual Sharpe ratio of daily returns; NaN where returns do not vary.

    Mean over standard deviation (division by n) times the square root of 365; the risk-free rate
    is 0.

    Notes
    -----
    What this does not show: losses that are rare and have not happened yet. Freqtrade computes its
    own ratio from trades instead of days; the two differ.
    """
    deviation = float(returns.std())
    # A constant series has a deviation of rounding errors only.
    if deviation <= 1e-12 * max(1e-12, float(np.abs(returns).max(initial=0.0))):
        return math.nan
    return float(returns.mean()) / deviation * math.sqrt(DAYS_PER_YEAR)


def sortino(returns: NDArray[np.float64]) -> float:
    """Return the annual Sortino ratio: the mean over the root mean square of the losses.

    The target is 0 and days without a loss count as 0. NaN where no day has a loss.
    """
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2))) if len(returns) else 0.0
    if downside == 0.0:
        return math.nan
    return float(returns.mean()) / downside * math.sqrt(DAYS_PER_YEAR)


def equity(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the balance at the end of each day over the starting balance, shape (n_days,)."""
    return 1.0 + np.cumsum(returns)


def drawdown(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each day's loss from the highest balance so far, over that balance; (n_days,)."""
    balance = equity(returns)
    peak = np.maximum(1.0, np.maximum.accumulate(balance))
    return (peak - balance) / peak


def max_drawdown(returns: NDArray[np.float64]) -> float:
    """Return the largest drawdown, 0 to 1 (above 1 only where the balance can become negative).

    What this does not show: losses of open trades; a profit or loss counts when its trade closes.
    """
    return float(drawdown(returns).max(initial=0.0))
