"""Drawdown: the strategy's equal-stake equity has fallen far below its peak."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freqtrade_mem0.risk.event_type import Completed, Detector, EventType

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

MIN_SPREADS = 10.0
"""A fall below the peak by more than this is noted, in spreads of the strategy's profit ratios."""


class _Drawdown(Detector):
    r"""Notes a fall of the equal-stake equity.

    Equity is the running sum of profit ratios, as if every trade had the same stake: our own sizing
    does not show in it. A spread is the root mean square :math:`\sqrt{\sum r^2 / n}` of the ratios
    so far. Another event needs a recovery first: once half of the deepest fall is made good, the
    peak counts from there.

    What this does not show: the account's drawdown. Open trades and stakes are left out, and a
    random walk of 100 trades ends 10 spreads below its peak about every third time.
    """

    __slots__ = ("deepest", "equity", "n", "peak", "squares")

    def __init__(self) -> None:
        self.equity = self.peak = self.squares = 0.0
        self.n = 0
        self.deepest: float | None = None
        """The deepest fall since the last event; None where the next event may be noted."""

    def closed(self, trade: ClosedTrade) -> Completed | None:
        self.n += 1
        self.equity += trade.profit_ratio
        self.squares += trade.profit_ratio * trade.profit_ratio
        self.peak = max(self.peak, self.equity)
        fall = self.peak - self.equity
        if self.deepest is not None:
            self.deepest = max(self.deepest, fall)
            if fall <= self.deepest / 2.0:
                self.deepest, self.peak = None, self.equity
            return None
        spread = math.sqrt(self.squares / self.n)
        if not fall > MIN_SPREADS * spread:
            return None
        self.deepest = fall
        text = (
            f"equal-stake equity is {fall:.2%} below its peak, {fall / spread:.1f} times the "
            f"strategy's usual {spread:.2%} a trade"
        )
        return Completed(text, -fall)


EVENT = EventType(
    when="the strategy's equal-stake equity (the running sum of profit ratios) is more than"
    f" {MIN_SPREADS:g} spreads (root mean square ratio) below its peak; again after half of the"
    " fall was recovered and another fall follows",
    concerns="all pairs",
    severity=0.3,
    detector=_Drawdown,
)
