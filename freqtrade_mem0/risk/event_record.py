"""Makes the records of risk events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import record_id
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.risk.damping import NO_DAMPING
from freqtrade_mem0.risk.event_type import Completed
from freqtrade_mem0.risk.events import TYPE_OF_EXIT
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.trade import ClosedTrade
    from freqtrade_mem0.risk.event_type import Observed

_STOP_LOSS = TYPE_OF_EXIT["stoploss_on_exchange"]

Respond = Callable[[str, str], str]
"""Returns what memory does about an event of a type and a pair ("" for all pairs), for people."""


def exit_events(
    trade: ClosedTrade, respond: Respond = NO_DAMPING.response
) -> tuple[RiskEvent, ...]:
    """Return the risk events that a closed trade is by its exits, one for each kind of exit.

    A trade that a stop sold in part and a forced exit in the rest is a stop-loss and a forced exit.
    """
    if not trade.is_evidence:
        return ()
    types = [_STOP_LOSS] if trade.stop_sold_part else []
    if (by_reason := TYPE_OF_EXIT.get(trade.exit_reason)) is not None and by_reason not in types:
        types.append(by_reason)
    return tuple(_exit_event(trade, event_type, respond) for event_type in types)


def _exit_event(trade: ClosedTrade, event_type: str, respond: Respond) -> RiskEvent:
    what = event_type.replace("_", " ")
    text = f"{what} of {trade.side} {trade.pair} at {percent(trade.profit_ratio)}"
    exited = Completed(text, trade.profit_ratio)
    return _event_of_trade(trade, event_type, exited, trade.pair, respond)


def completed_event(
    trade: ClosedTrade, event_type: str, completed: Completed, respond: Respond
) -> RiskEvent:
    """Return the event that a trade completes; it concerns all pairs."""
    return _event_of_trade(trade, event_type, completed, "", respond)


def observed_id(event_type: str, observed: Observed, origin: Origin) -> str:
    """Return the record id of an event that was observed in a run."""
    run = (origin.user_id, origin.strategy, origin.mode, origin.run_id)
    return record_id("risk_event", event_type, *run, observed.pair, *observed.identity)


def observed_event(
    event_type: str, observed: Observed, origin: Origin, recorded_at: datetime, respond: Respond
) -> RiskEvent:
    """Return the event that was observed in a run."""
    return RiskEvent(
        id=observed_id(event_type, observed, origin),
        origin=origin,
        known_at=observed.known_at,
        recorded_at=recorded_at,
        event_type=event_type,
        description=observed.text,
        pair=observed.pair,
        response=respond(event_type, observed.pair),
    )


def _event_of_trade(
    trade: ClosedTrade, event_type: str, completed: Completed, pair: str, respond: Respond
) -> RiskEvent:
    return RiskEvent(
        id=record_id("risk_event", trade.id, event_type),
        origin=trade.origin,
        known_at=trade.known_at,
        recorded_at=trade.recorded_at,
        event_type=event_type,
        description=completed.text,
        impact=completed.impact,
        pair=pair,
        response=respond(event_type, pair),
    )
