"""Pure: how risk events are made, and which closed trades are one by the way they ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import record_id
from freqtrade_mem0.records.kinds.risk import RiskEvent

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

STOP_LOSS = "stop_loss"

EVENT_OF_EXIT = {
    "liquidation": "liquidation",
    "stop_loss": STOP_LOSS,
    "stoploss_on_exchange": STOP_LOSS,
    "emergency_exit": "emergency_exit",
    "force_exit": "force_exit",
}
"""Freqtrade's exit reasons (`freqtrade.enums.ExitType`) -> our event types."""

NOTED = "noted; stakes are not damped by it"
"""The response to an event where damping is off."""

Respond = Callable[[str, str], str]
"""Says what memory does about an event of a type and a pair ("" for all pairs)."""


def noted(_event_type: str, _pair: str) -> str:
    """Return the response of a memory that damps nothing."""
    return NOTED


def exit_event(trade: ClosedTrade, respond: Respond = noted) -> RiskEvent | None:
    """Return the risk event that a trade's exit is, or None.

    Parameters
    ----------
    trade
        Closed.
    respond
        Words the response.
    """
    event_type = EVENT_OF_EXIT.get(trade.exit_reason)
    if event_type is None or not trade.is_evidence:
        return None
    what = event_type.replace("_", " ")
    text = f"{what} of {trade.side} {trade.pair} at {trade.profit_ratio:+.2%}"
    return event_of_trade(
        trade, event_type, text, trade.profit_ratio, pair=trade.pair, respond=respond
    )


def event_of_trade(
    trade: ClosedTrade,
    event_type: str,
    description: str,
    impact: float,
    *,
    pair: str = "",
    respond: Respond = noted,
) -> RiskEvent:
    """Return the event of a type that a trade is, or completes.

    Parameters
    ----------
    trade
        Gives origin and clocks; with the type it identifies the event.
    event_type, description
        See `RiskEvent`.
    impact
        Profit ratio, 0.0 where it can not be said.
    pair
        "" where all pairs are concerned.
    respond
        Words the response.
    """
    return RiskEvent(
        id=record_id("risk_event", trade.id, event_type),
        origin=trade.origin,
        known_at=trade.known_at,
        recorded_at=trade.recorded_at,
        event_type=event_type,
        description=description,
        impact=impact,
        pair=pair,
        response=respond(event_type, pair),
    )
