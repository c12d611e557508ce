"""Risk events that a trade is by the way it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.records.base import record_id
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.risk.event_record import exit_events
from tests.support.samples import OrderStandIn, TradeStandIn, a_trade
from tests.support.session_stage import a_stage

if TYPE_CHECKING:
    from freqtrade_mem0.journal.append import Entry


@pytest.mark.parametrize(
    ("exit_reason", "expected"),
    [
        ("liquidation", "liquidation"),
        ("stop_loss", "stop_loss"),
        ("stoploss_on_exchange", "stop_loss"),
        ("emergency_exit", "emergency_exit"),
        ("force_exit", "force_exit"),
        ("roi", None),
        ("exit_signal", None),
        ("trailing_stop_loss", None),
        ("my own reason", None),
        ("", None),
    ],
)
def test_the_way_a_trade_ends_makes_it_an_event(exit_reason: str, expected: str | None) -> None:
    """Freqtrade's exit reasons, on and off the exchange; a trailing stop is an ordinary exit."""
    events = exit_events(a_trade(1, profit_ratio=-0.04, exit_reason=exit_reason))
    assert [event.event_type for event in events] == ([] if expected is None else [expected])


def test_an_event_says_what_it_cost_and_where() -> None:
    """Text, impact, response, pair, and the market time of the trade."""
    trade = a_trade(1, profit_ratio=-0.04, exit_reason="stop_loss")
    (event,) = exit_events(trade)

    assert (
        "stop loss of long ETH/USDT at -4.00%",
        -0.04,
        "ETH/USDT",
        "noted; stakes are not damped by it",
        trade.known_at,
        trade.recorded_at,
        trade.origin,
        record_id("risk_event", trade.id, "stop_loss"),
    ) == (
        event.description,
        event.impact,
        event.pair,
        event.response,
        event.known_at,
        event.recorded_at,
        event.origin,
        event.id,
    )


def test_a_trade_that_is_no_evidence_is_no_event() -> None:
    """Those cut by the end of a backtest's data."""
    trade = a_trade(1, exit_reason="force_exit", is_evidence=False, stop_sold_part=True)
    assert exit_events(trade) == ()


@pytest.mark.parametrize(
    ("exit_reason", "expected"),
    [
        ("roi", ["stop_loss"]),
        ("stop_loss", ["stop_loss"]),
        ("emergency_exit", ["stop_loss", "emergency_exit"]),
        ("force_exit", ["stop_loss", "force_exit"]),
        ("liquidation", ["stop_loss", "liquidation"]),
    ],
)
def test_each_kind_of_exit_is_an_event(exit_reason: str, expected: list[str]) -> None:
    """A stop that sold a part counts, whatever sold the rest; two of one kind count once."""
    events = exit_events(a_trade(1, exit_reason=exit_reason, stop_sold_part=True))
    assert [event.event_type for event in events] == expected
    assert len({event.id for event in events}) == len(expected)


def test_both_events_are_recorded_told_and_taken_back() -> None:
    """By a session, over a correction of the exit and a retraction of the trade."""
    stage = a_stage()
    trade = half_stopped("force_exit")
    stage.session.trade_closed(trade)
    assert {event.event_type for event in stage.told} == {"stop_loss", "force_exit"}
    trade.exit_reason = "emergency_exit"
    stage.session.trade_closed(trade)
    (record, *_) = [entry for entry in stage.entries if isinstance(entry, TradeRecord)]
    stage.session.retract(record_of(stage.entries), "gone")
    events = {entry.id: entry.event_type for entry in stage.entries if isinstance(entry, RiskEvent)}
    gone = [entry.target_id for entry in stage.entries if isinstance(entry, Retraction)]
    assert sorted(events.values()) == ["emergency_exit", "force_exit", "stop_loss"]
    assert set(events) | {record.id} == set(gone)


def half_stopped(reason: str) -> TradeStandIn:
    """Return a closed trade that a stop on the exchange sold in part."""
    trade = TradeStandIn()
    trade.orders.append(OrderStandIn("dry_run_stop", "stoploss", order_date=trade.open_date))
    return trade.close(-0.02, reason=reason)


def record_of(entries: list[Entry]) -> TradeRecord:
    """Return the trade as it was recorded last."""
    return [entry for entry in entries if isinstance(entry, TradeRecord)][-1]
