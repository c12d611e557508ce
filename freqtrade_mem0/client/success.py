"""How often trades made money, and how sure that is: pure functions over closed trades."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.insight.shrinkage import NOTHING, interval
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.words.numbers import counted, percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from freqtrade_mem0.records.kinds.trade import ClosedTrade

NOTHING_KNOWN = 0.5
"""The success rate of trades of which nothing is known."""

_Z = 1.959964
"""The 97.5 % quantile of the normal distribution."""


class Insight(dict[str, Any]):
    """Numbers as a dict, whose `str` is the sentence about them, its value `text`."""

    def __str__(self) -> str:
        return str(self["text"])


def success(trades: Sequence[ClosedTrade], about: str) -> Insight:
    """Return the share of trades that made money; see `TradeMemory.explain_success_rate`."""
    ratios = [trade.profit_ratio for trade in trades if trade.is_evidence]
    n, left_out = len(ratios), _left_out(len(trades) - len(ratios))
    if n == 0:
        return Insight(
            n_trades=0,
            success_rate=None,
            low=None,
            high=None,
            mean_profit_ratio=None,
            text=f"Nothing is known about {about}.{left_out}",
        )
    wins = sum(ratio > 0.0 for ratio in ratios)
    low, high = wilson(wins, n)
    return Insight(
        n_trades=n,
        success_rate=wins / n,
        low=low,
        high=high,
        mean_profit_ratio=sum(ratios) / n,
        text=f"{about}: {wins} of {counted(n, 'trade')} made money, {wins / n:.0%}, 95% interval "
        f"{low:.0%} to {high:.0%}.{left_out}",
    )


def strategy_insight(
    strategy: str, trades: Sequence[ClosedTrade], now: datetime, half_life_days: float
) -> Insight:
    """Return the mean profit of a strategy; see `TradeMemory.get_strategy_insights`."""
    recall = Recall((), half_life_days)
    for trade in trades:
        recall.add(trade)
    moments = recall.as_of(now, [STRATEGY])[0]
    left_out = _left_out(sum(not trade.is_evidence for trade in trades))
    if moments == NOTHING:
        return Insight(
            strategy=strategy,
            n_effective=0.0,
            mean_ratio=None,
            low_ratio=None,
            high_ratio=None,
            text=f"Nothing is known about the strategy {strategy}.{left_out}",
        )
    low, high = interval(moments)
    is_known = low > float("-inf")
    spread = f", 95% interval {percent(low)} to {percent(high)}" if is_known else ""
    return Insight(
        strategy=strategy,
        n_effective=moments.n_effective,
        mean_ratio=moments.mean,
        low_ratio=low if is_known else None,
        high_ratio=high if is_known else None,
        text=f"{strategy}: {moments.n_effective:.1f} trades (older ones count less), "
        f"mean {percent(moments.mean)}{spread}.{left_out}",
    )


def wilson(wins: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, `n` >= 1.

    >>> [round(bound, 3) for bound in wilson(8, 10)]
    [0.49, 0.943]
    """
    share, z2 = wins / n, _Z * _Z
    middle = share + z2 / (2 * n)
    half = _Z * sqrt(share * (1.0 - share) / n + z2 / (4 * n * n))
    return max((middle - half) / (1 + z2 / n), 0.0), min((middle + half) / (1 + z2 / n), 1.0)


def _left_out(n: int) -> str:
    return f" {counted(n, 'trade')} without a known profit ratio left out." if n else ""
