"""Cluster of stop-losses: several within a day of market time, over all pairs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.risk.event_type import Completed, Detector, EventType
from freqtrade_mem0.risk.events.stop_loss import EVENT as STOP_LOSS
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

SIZE = 3
SPAN_H = 24


class _StopLossCluster(Detector):
    """A stop-loss belongs to one cluster only: the next cluster needs `SIZE` others."""

    __slots__ = ("stops",)

    def __init__(self) -> None:
        self.stops: list[list[Any]] = []
        """By stop-loss: when it became known (ISO 8601), its profit ratio, its pair."""

    def closed(self, trade: ClosedTrade) -> Completed | None:
        if trade.exit_reason not in STOP_LOSS.exit_reasons and not trade.stop_sold_part:
            return None
        self.stops.append([trade.known_at.isoformat(), trade.profit_ratio, trade.pair])
        since = trade.known_at - timedelta(hours=SPAN_H)
        while datetime.fromisoformat(self.stops[0][0]) < since:
            del self.stops[0]
        if len(self.stops) < SIZE:
            return None
        lost = sum(ratio for _, ratio, _ in self.stops)
        pairs = ", ".join(sorted({pair for _, _, pair in self.stops}))
        self.stops.clear()
        text = f"{SIZE} stop-losses within {SPAN_H} h ({pairs}), {percent(lost)} together"
        return Completed(text, lost)


EVENT = EventType(
    when=f"{SIZE} stop-losses within {SPAN_H} hours of market time; the next cluster takes {SIZE}"
    " others",
    concerns="all pairs",
    detector=_StopLossCluster,
)
