"""Losing streak: several losing trades in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.risk.event_type import Completed, Detector, EventType
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

LENGTH = 5


class _LosingStreak(Detector):
    """Notes a streak once, when it reaches its length.

    What this does not show: that something is wrong. A strategy that wins half of its trades has
    five losses in a row about once in sixty trades.
    """

    __slots__ = ("losses",)

    def __init__(self) -> None:
        self.losses: list[float] = []
        """The first `LENGTH` profit ratios of the present streak."""

    def closed(self, trade: ClosedTrade) -> Completed | None:
        if not trade.profit_ratio < 0.0:
            self.losses.clear()
            return None
        if len(self.losses) == LENGTH:
            return None  # the same streak continues
        self.losses.append(trade.profit_ratio)
        if len(self.losses) < LENGTH:
            return None
        lost = sum(self.losses)
        return Completed(f"{LENGTH} losing trades in a row, {percent(lost)} together", lost)


EVENT = EventType(
    when=f"{LENGTH} losing trades in a row",
    concerns="all pairs",
    detector=_LosingStreak,
)
