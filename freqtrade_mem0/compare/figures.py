"""The figures of one run: profit, ratios, drawdown, exposure and costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.worth.daily import max_drawdown, sharpe, sortino

if TYPE_CHECKING:
    from freqtrade_mem0.compare.trades import Run
    from freqtrade_mem0.worth.daily import Daily


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Totals and ratios of a run; None for what does not exist.

    Returns and the mean exposure are relative to the starting balance: a mean exposure of 0.5 is
    half the balance in the market all the time. Ratios are annual, of daily returns. The return per
    exposure is the profit per stake currency and day in the market. Stakes (of first entries),
    turnover (of all orders) and fees are in stake currency. A trading day is a UTC day on which a
    trade closed.
    """

    n_trades: int
    n_trading_days: int
    total_return: float
    sharpe: float | None
    sortino: float | None
    max_drawdown: float
    mean_exposure: float
    return_per_exposure: float | None
    mean_stake_quote: float
    turnover_quote: float
    fees_quote: float


def figures_of(run: Run, days: Daily) -> Figures:
    """Return the figures of a run."""
    trades = run.trades
    exposed = float(days.exposure.sum())
    return Figures(
        n_trades=len(trades),
        n_trading_days=len({trade.close_date.date() for trade in trades}),
        total_return=float(days.returns.sum()),
        sharpe=_finite(sharpe(days.returns)),
        sortino=_finite(sortino(days.returns)),
        max_drawdown=max_drawdown(days.returns),
        mean_exposure=exposed / len(days.returns),
        return_per_exposure=ratio(float(days.returns.sum()), exposed),
        mean_stake_quote=float(np.mean([t.stake_quote for t in trades])) if trades else 0.0,
        turnover_quote=math.fsum(trade.turnover_quote for trade in trades),
        fees_quote=math.fsum(trade.fees_quote for trade in trades),
    )


def ratio(value: float, base: float) -> float | None:
    """Return `value / base`; None where `base` is not positive."""
    return value / base if base > 0.0 else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
