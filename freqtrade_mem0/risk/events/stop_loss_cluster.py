"""Cluster of stop-losses: several within a day of market time, over all pairs."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.risk.event_type import Completed, EventType
from freqtrade_mem0.risk.events.stop_loss import EVENT as STOP_LOSS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.kinds.trade import ClosedTrade

SIZE = 3
SPAN_H = 24


class _Stop(NamedTuple):
    known_at: datetime
    profit_ratio: float
    pair: str


class _StopLossCluster:
    """A stop-loss belongs to one cluster only: the next cluster needs `SIZE` others."""

    __slots__ = ("_stops",)

    def __init__(self) -> None:
        self._stops: deque[_Stop] = deque()

    def closed(self, trade: ClosedTrade) -> Completed | None:
        if trade.exit_reason not in STOP_LOSS.exit_reasons:
            return None
        self._stops.append(_Stop(trade.known_at, trade.profit_ratio, trade.pair))
        while trade.known_at - self._stops[0].known_at > timedelta(hours=SPAN_H):
            self._stops.popleft()
        if len(self._stops) < SIZE:
            return None
        lost = sum(stop.profit_ratio for stop in self._stops)
        pairs = ", ".join(sorted({stop.pair for stop in self._stops}))
        self._stops.clear()
        text = f"{SIZE} stop-losses within {SPAN_H} h ({pairs}), {lost:+.2%} together"
        return Completed(text, lost)

    def state(self) -> dict[str, Any]:
        return {
            "stops": [
                [stop.known_at.isoformat(), stop.profit_ratio, stop.pair] for stop in self._stops
            ]
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._stops = deque(
            _Stop(datetime.fromisoformat(moment), ratio, pair)
            for moment, ratio, pair in state["stops"]
        )


EVENT = EventType(
    when=f"{SIZE} stop-losses within {SPAN_H} hours of market time; the next cluster takes {SIZE}"
    " others",
    concerns="all pairs",
    detector=_StopLossCluster,
)
