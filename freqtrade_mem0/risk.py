"""Pure: which closed trades are risk events, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import record_id
from freqtrade_mem0.records.risk import RiskEvent

if TYPE_CHECKING:
    from freqtrade_mem0.records.trade import TradeRecord

STREAK_LENGTH = 5
"""Losing trades in a row that make a losing streak; it is noted once, when it reaches this."""

_EVENT_OF_EXIT = {
    "liquidation": "liquidation",
    "stop_loss": "stop_loss",
    "stoploss_on_exchange": "stop_loss",
    "emergency_exit": "emergency_exit",
    "force_exit": "force_exit",
}
"""Freqtrade's exit reasons (`freqtrade.enums.ExitType`) -> our event types."""


class RiskWatch:
    """Notes risk events from trades, in the order in which they are closed."""

    def __init__(self) -> None:
        self._losses: list[float] = []

    def closed(self, trade: TradeRecord) -> list[RiskEvent]:
        """Return the risk events that `trade` is, or completes."""
        if not trade.is_evidence:
            return []
        events = [event for event in (exit_event(trade),) if event is not None]
        self._losses = [*self._losses, trade.profit_ratio] if trade.profit_ratio < 0.0 else []
        if len(self._losses) == STREAK_LENGTH:
            lost = sum(self._losses)
            text = f"{STREAK_LENGTH} losing trades in a row, {lost:+.2%} together"
            events.append(_event(trade, "losing_streak", text, lost))
        return events


def exit_event(trade: TradeRecord) -> RiskEvent | None:
    """Return the risk event that a trade's exit is, or None."""
    event_type = _EVENT_OF_EXIT.get(trade.exit_reason)
    if event_type is None or not trade.is_evidence:
        return None
    what = event_type.replace("_", " ")
    text = f"{what} of {trade.side} {trade.pair} at {trade.profit_ratio:+.2%}"
    return _event(trade, event_type, text, trade.profit_ratio)


def _event(trade: TradeRecord, event_type: str, description: str, impact: float) -> RiskEvent:
    return RiskEvent(
        id=record_id("risk_event", trade.id, event_type),
        origin=trade.origin,
        known_at=trade.known_at,
        recorded_at=trade.recorded_at,
        event_type=event_type,
        description=description,
        impact=impact,
        pair="" if event_type == "losing_streak" else trade.pair,
    )
