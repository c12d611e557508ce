"""What both runs would have come to under worse conditions, computed from their own trades."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from freqtrade_mem0.compare.statistics.returns import daily
from freqtrade_mem0.worth.daily import DAYS_PER_YEAR, sharpe

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.compare.trades import ClosedTrade, Run

FEES_MORE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """Annual return and Sharpe ratio of both runs under a condition; None for what does not exist.

    `name` is "fees_plus_50_percent" or "entries_one_candle_later".
    """

    name: str
    return_without: float
    return_with: float
    sharpe_without: float | None
    sharpe_with: float | None


def stresses(without: Run, remembered: Run) -> tuple[Stress, ...]:
    """Return both runs with higher fees, and with entries one candle later.

    Notes
    -----
    Exits stay as they were, and so do the stakes: what this does not show is how a strategy, and
    memory, would have gone on after other entries. A delay is left out where its prices are not
    known.
    """
    found = [_stressed("fees_plus_50_percent", without, remembered, _with_higher_fees)]
    if all(trade.late_profit_quote is not None for trade in (*without.trades, *remembered.trades)):
        found.append(_stressed("entries_one_candle_later", without, remembered, _late))
    return tuple(found)


def _with_higher_fees(trade: ClosedTrade) -> float:
    return trade.profit_quote - FEES_MORE * trade.fees_quote


def _late(trade: ClosedTrade) -> float:
    return trade.profit_quote if trade.late_profit_quote is None else trade.late_profit_quote


def _stressed(
    name: str, without: Run, remembered: Run, profit: Callable[[ClosedTrade], float]
) -> Stress:
    sharpes, returns = [], []
    for run in (without, remembered):
        trades = tuple(replace(trade, profit_quote=profit(trade)) for trade in run.trades)
        days = daily(replace(run, trades=trades)).returns
        found = sharpe(days)
        sharpes.append(found if math.isfinite(found) else None)
        returns.append(float(days.mean()) * DAYS_PER_YEAR)
    return Stress(
        name=name,
        return_without=returns[0],
        return_with=returns[1],
        sharpe_without=sharpes[0],
        sharpe_with=sharpes[1],
    )
