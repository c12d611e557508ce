"""Daily returns of a run.

A trade's whole profit counts on the UTC day on which it closed, divided by the balance at the start
of the run. A day's return therefore does not depend on earlier profits.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.worth.daily import Daily, by_day

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from freqtrade_mem0.compare.trades import ClosedTrade, Run


def n_days(run: Run) -> int:
    """Return how many UTC days a run covers, >= 1. A last candle at midnight adds no day."""
    last = run.end - timedelta(microseconds=1)
    return max(1, (last.date() - run.start.date()).days + 1)


def close_days(trades: Sequence[ClosedTrade], first: date, n: int) -> NDArray[np.int64]:
    """Return the number of the UTC day on which each trade closed, shape (n_trades,), in [0, n)."""
    numbers = [(trade.close_date.date() - first).days for trade in trades]
    return np.clip(np.array(numbers, dtype=np.int64), 0, n - 1)


def daily(run: Run) -> Daily:
    """Return the daily returns and exposure of a run."""
    first, n = run.start.date(), n_days(run)
    days = close_days(run.trades, first, n)
    profits = np.array([trade.profit_quote for trade in run.trades], dtype=np.float64)
    exposures = np.array([trade.exposure_quote_days for trade in run.trades], dtype=np.float64)
    return Daily(
        first=first,
        returns=by_day(profits, days, n) / run.starting_balance,
        exposure=by_day(exposures, days, n) / run.starting_balance,
    )
