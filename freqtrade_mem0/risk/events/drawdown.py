"""Drawdown: the strategy's equal-stake equity has fallen far below its peak."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.risk.event_type import Completed, EventType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.kinds.trade import ClosedTrade

MIN_SPREADS = 10.0
"""A fall below the peak by more than this is noted, in spreads of the strategy's profit ratios."""


class _Drawdown:
    r"""Notes a fall of the equal-stake equity.

    Equity is the running sum of profit ratios, as if every trade had the same stake: our own sizing
    does not show in it. A spread is the root mean square :math:`\sqrt{\sum r^2 / n}` of the ratios
    so far. Another event needs a recovery first: once half of the deepest fall is made good, the
    peak counts from there.

    What this does not show: the account's drawdown. Open trades and stakes are left out, and a
    random walk of 100 trades ends 10 spreads below its peak about every third time.
    """

    __slots__ = ("_deepest", "_equity", "_n", "_peak", "_squares")

    def __init__(self) -> None:
        self._equity = self._peak = self._squares = 0.0
        self._n = 0
        self._deepest: float | None = None
        """The deepest fall since the last event; None where the next event may be noted."""

    def closed(self, trade: ClosedTrade) -> Completed | None:
        self._n += 1
        self._equity += trade.profit_ratio
        self._squares += trade.profit_ratio * trade.profit_ratio
        self._peak = max(self._peak, self._equity)
        fall = self._peak - self._equity
        if self._deepest is not None:
            self._deepest = max(self._deepest, fall)
            if fall <= self._deepest / 2.0:
                self._deepest, self._peak = None, self._equity
            return None
        spread = math.sqrt(self._squares / self._n)
        if not fall > MIN_SPREADS * spread:
            return None
        self._deepest = fall
        text = (
            f"equal-stake equity is {-fall:+.2%} below its peak, {fall / spread:.1f} times the "
            f"strategy's usual {spread:.2%} a trade"
        )
        return Completed(text, -fall)

    def state(self) -> dict[str, Any]:
        return {
            "n": self._n,
            "equity": self._equity,
            "peak": self._peak,
            "squares": self._squares,
            "deepest": self._deepest,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._n, self._deepest = int(state["n"]), state["deepest"]
        self._equity, self._peak = state["equity"], state["peak"]
        self._squares = state["squares"]


EVENT = EventType(
    when="the strategy's equal-stake equity (the running sum of profit ratios) is more than"
    f" {MIN_SPREADS:g} spreads (root mean square ratio) below its peak; again after half of the"
    " fall was recovered and another fall follows",
    concerns="all pairs",
    severity=0.3,
    detector=_Drawdown,
)
