"""Daily returns of a run, and what they add up to.

A trade's profit is booked as a whole on the UTC day it closed, over the balance the run started
with: so a day's return does not depend on what was won or lost before it.

References
----------
Sharpe, W. F. (1994). The Sharpe ratio. Journal of Portfolio Management 21 (1), 49-58.
Sortino, F. A. and Price, L. N. (1994). Performance measurement in a downside risk framework.
Journal of Investing 3 (3), 59-64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.compare.trades import ClosedTrade, Run

DAYS_PER_YEAR = 365
"""Crypto markets do not close; Freqtrade counts the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """What a run made of each day.

    Parameters
    ----------
    first
        The first UTC day.
    returns
        Shape (n_days,). Profit booked on the day, over the starting balance.
    exposure
        Shape (n_days,). Exposure of the trades closed on the day (position times days held), over
        the starting balance, >= 0.
    """

    first: date
    returns: NDArray[np.float64]
    exposure: NDArray[np.float64]


def n_days(run: Run) -> int:
    """Return how many UTC days a run covers, >= 1. A last candle at midnight begins no new day."""
    last = run.end - timedelta(microseconds=1)
    return max(1, (last.date() - run.start.date()).days + 1)


def close_days(trades: Sequence[ClosedTrade], first: date, n: int) -> NDArray[np.int64]:
    """Return the number of the UTC day each trade closed on, shape (n_trades,), in [0, n)."""
    numbers = [(trade.close_date.date() - first).days for trade in trades]
    return np.clip(np.array(numbers, dtype=np.int64), 0, n - 1)


def daily(run: Run) -> Daily:
    """Book a run's trades on the days they closed."""
    first, n = run.start.date(), n_days(run)
    days = close_days(run.trades, first, n)
    profits = np.array([trade.profit_quote for trade in run.trades], dtype=np.float64)
    exposures = np.array([trade.exposure_quote_days for trade in run.trades], dtype=np.float64)
    return Daily(
        first=first,
        returns=np.bincount(days, weights=profits, minlength=n) / run.starting_balance,
        exposure=np.bincount(days, weights=exposures, minlength=n) / run.starting_balance,
    )


def sharpe(returns: NDArray[np.float64]) -> float:
    """Return the annual Sharpe ratio of daily returns: mean over deviation, times root 365.

    The riskless rate is 0, the deviation is that of the sample (division by n). NaN where returns
    do not vary.

    Notes
    -----
    What this does not show: how a return came about. A few rare, large losses that have not
    happened yet leave no trace in it. Freqtrade's own ratios, on trades instead of days, differ.
    """
    deviation = float(returns.std())
    # A constant series leaves rounding errors, not a deviation.
    if deviation <= 1e-12 * max(1e-12, float(np.abs(returns).max(initial=0.0))):
        return math.nan
    return float(returns.mean()) / deviation * math.sqrt(DAYS_PER_YEAR)


def sortino(returns: NDArray[np.float64]) -> float:
    """Return the annual Sortino ratio: mean over the root mean square of the losing days.

    The target is 0; days without loss count as 0. NaN where no day lost.
    """
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2))) if len(returns) else 0.0
    if downside == 0.0:
        return math.nan
    return float(returns.mean()) / downside * math.sqrt(DAYS_PER_YEAR)


def equity(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the balance at the end of each day over the starting balance, shape (n_days,)."""
    return 1.0 + np.cumsum(returns)


def drawdown(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each day's balance is below the highest before it, over that; (n_days,)."""
    balance = equity(returns)
    peak = np.maximum(1.0, np.maximum.accumulate(balance))
    return (peak - balance) / peak


def max_drawdown(returns: NDArray[np.float64]) -> float:
    """Return the largest relative loss from a high, [0, 1] (more only where debt is possible).

    What this does not show: drawdowns of trades while they were open; profits are booked at closes.
    """
    return float(drawdown(returns).max(initial=0.0))
