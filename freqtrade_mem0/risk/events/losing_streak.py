"""Losing streak: several losing trades in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.risk.event_type import Completed, EventType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.kinds.trade import ClosedTrade

LENGTH = 5


class _LosingStreak:
    """Notes a streak once, when it reaches its length.

    What this does not show: that something is wrong. A strategy that wins half of its trades has
    five losses in a row about once in sixty trades.
    """

    __slots__ = ("_losses",)

    def __init__(self) -> None:
        self._losses: list[float] = []
        """The first `LENGTH` profit ratios of the present streak."""

    def closed(self, trade: ClosedTrade) -> Completed | None:
        if not trade.profit_ratio < 0.0:
            self._losses.clear()
            return None
        if len(self._losses) == LENGTH:
            return None  # the same streak continues
        self._losses.append(trade.profit_ratio)
        if len(self._losses) < LENGTH:
            return None
        lost = sum(self._losses)
        return Completed(f"{LENGTH} losing trades in a row, {lost:+.2%} together", lost)

    def state(self) -> dict[str, Any]:
        return {"losses": list(self._losses)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._losses = list(state["losses"])


EVENT = EventType(
    when=f"{LENGTH} losing trades in a row",
    concerns="all pairs",
    detector=_LosingStreak,
)
